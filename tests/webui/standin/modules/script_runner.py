"""One tab's scripts: their components in the page, and their turns while an image is made."""

from __future__ import annotations

import os
from typing import Any

import gradio as gr

from modules import errors, paths, script_callbacks, scripts
from modules.scripts import AlwaysVisible, OnComponent, Script


def _known(script: Script) -> bool:
    """Tell whether SD.Next's list has this extension."""
    from installer import control_extensions

    return script.title() in control_extensions


class ScriptRunner:
    """A runner of scripts.
    `inputs` are the components of all scripts, the first being the Script drop-down."""

    def __init__(self, tab: str) -> None:
        self.tab = tab
        self.scripts: list[Script] = []
        self.alwayson_scripts: list[Script] = []
        self.selectable_scripts: list[Script] = []
        self.titles: list[str] = []
        self.inputs: list[Any] = [None]
        self.infotext_fields: list[Any] = []
        self.paste_field_names: list[str] = []

    def initialize_scripts(self, is_img2img: bool) -> None:
        for found in (self.scripts, self.alwayson_scripts, self.selectable_scripts):
            found.clear()
        for data in scripts.scripts_data:
            try:
                script = data.script_class()
            except Exception:
                errors.report(f"Error # failed to initialize Script {data.module}: ", exc_info=True)
                continue
            if self.tab == "control" and data.basedir != paths.script_path and not _known(script):
                continue
            script.filename, script.parent = data.path, self.tab
            script.is_txt2img, script.is_img2img = not is_img2img, is_img2img
            script.tabname = "img2img" if is_img2img else "txt2img"
            shown = script.show(is_img2img)
            if shown is AlwaysVisible:
                script.alwayson = True
                self.alwayson_scripts.append(script)
            elif shown:
                self.selectable_scripts.append(script)
            if shown:
                self.scripts.append(script)

    # The page

    def notify(self, component: Any, when: str) -> None:
        """Report a component of the page to the scripts and callbacks that wait for it."""
        label = getattr(component, "label", None)
        script_callbacks.call(f"{when}_component", component, elem_id=component.elem_id, label=label)
        for script in self.scripts:
            for elem_id, callback in list(getattr(script, f"on_{when}_component_elem_id") or []):
                if elem_id == component.elem_id:
                    self._call(script, f"on_{when}_component", callback, OnComponent(component=component))
            self._call(
                script,
                f"{when}_component",
                getattr(script, f"{when}_component"),
                component,
                elem_id=component.elem_id,
                label=label,
            )

    def setup_ui(self) -> list[Any]:
        """Let every script add its components; all inputs of a generation that scripts read."""
        self.inputs = [None]
        self.titles = [self._title(script) for script in self.selectable_scripts]
        for script in sorted(self.alwayson_scripts, key=lambda script: script.sorting_priority):
            self._add(script)
        self.inputs[0] = gr.Dropdown(
            label="Script",
            elem_id="script_list",
            choices=["None", *self.titles],
            value="None",
            type="index",
        )
        for script in self.selectable_scripts:
            self._add(script)
        groups = [script.group for script in self.selectable_scripts]
        if groups:
            self.inputs[0].change(
                lambda index: [gr.update(visible=place == (index or 0) - 1) for place in range(len(groups))],
                inputs=[self.inputs[0]],
                outputs=groups,
            )
        return self.inputs

    def _title(self, script: Script) -> str:
        return self._call(script, "title", script.title) or script.filename

    def _add(self, script: Script) -> None:
        script.args_from = script.args_to = len(self.inputs)
        with gr.Group(visible=script.alwayson) as script.group:
            controls = self._call(script, "ui", script.ui, script.is_img2img)
        script.controls = controls
        if controls is None:
            return
        script.name = self._title(script).lower()
        for control in controls:
            control.custom_script_source = os.path.basename(script.filename)
        self.infotext_fields += script.infotext_fields or []
        self.paste_field_names += script.paste_field_names or []
        self.inputs += controls
        script.args_to = len(self.inputs)

    # A generation

    def run(self, p: Any, *args: Any) -> Any:
        """Run the script that the drop-down names; None when it names none."""
        if not args or not args[0]:
            return None
        script = self.selectable_scripts[args[0] - 1]
        return script.run(p, *args[script.args_from : script.args_to])

    def each(self, method: str, p: Any, *more: Any, **named: Any) -> None:
        """Give every always-on script its turn."""
        for script in self.alwayson_scripts:
            arguments = p.script_args[script.args_from : script.args_to]
            self._call(script, method, getattr(script, method), p, *more, *arguments, **named)

    def _call(self, script: Script, name: str, function: Any, *args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except Exception:
            errors.report(f"Error running {name}: {script.filename}", exc_info=True)
            return None

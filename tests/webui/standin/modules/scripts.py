"""Scripts: the loading of extensions' files, and the base class of scripts.
The runner is in script_runner.py."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from modules import errors, extensions, paths, script_callbacks, script_loading
from modules.cmd_args import cmd_opts

AlwaysVisible = object()


class Script:
    """The base class of extensions' scripts; the runner sets the fields below `infotext_fields`."""

    infotext_fields: list[Any] | None = None
    paste_field_names: list[str] | None = None
    sorting_priority = 0
    create_group = True
    section: str | None = None
    filename = ""
    name: str | None = None
    is_txt2img = is_img2img = False
    tabname: str | None = None
    parent: str | None = None
    """The tab's name in SD.Next, where `is_img2img` does not tell all of them apart."""
    alwayson = False
    args_from = args_to = 0
    controls: list[Any] | None = None
    group: Any = None
    on_before_component_elem_id: list[Any] | None = None
    on_after_component_elem_id: list[Any] | None = None

    def title(self) -> str:
        raise NotImplementedError

    def ui(self, is_img2img: bool) -> Any:
        return None

    def show(self, is_img2img: bool) -> Any:
        return True

    def run(self, p: Any, *args: Any) -> Any: ...
    def setup(self, p: Any, *args: Any) -> None: ...
    def before_process(self, p: Any, *args: Any) -> None: ...
    def process(self, p: Any, *args: Any) -> None: ...
    def before_process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None: ...
    def process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None: ...
    def postprocess_batch(self, p: Any, *args: Any, **kwargs: Any) -> None: ...
    def postprocess_image(self, p: Any, pp: Any, *args: Any) -> None: ...
    def postprocess(self, p: Any, processed: Any, *args: Any) -> None: ...
    def before_component(self, component: Any, **kwargs: Any) -> None: ...
    def after_component(self, component: Any, **kwargs: Any) -> None: ...

    def on_before_component(self, callback: Any, *, elem_id: str) -> None:
        self.on_before_component_elem_id = [*(self.on_before_component_elem_id or []), (elem_id, callback)]

    def on_after_component(self, callback: Any, *, elem_id: str) -> None:
        self.on_after_component_elem_id = [*(self.on_after_component_elem_id or []), (elem_id, callback)]

    def elem_id(self, item: str) -> str:
        """The page's id of one of the script's components."""
        title = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        if cmd_opts.style == "sdnext":
            return f"script_{self.parent}_{title}_{item}"
        tab = ("img2img_" if self.is_img2img else "txt2img_") if self.show(True) == self.show(False) else ""
        return f"script_{tab}{title}_{item}"


class OnComponent(NamedTuple):
    component: Any


class PostprocessImageArgs:
    def __init__(self, image: Any, index: int = 0) -> None:
        self.image, self.index = image, index


class ScriptClassData(NamedTuple):
    script_class: type[Script]
    path: str
    basedir: str
    module: Any


scripts_data: list[ScriptClassData] = []
scripts_txt2img: Any = None
scripts_img2img: Any = None
scripts_control: Any = None
"""SD.Next's."""
scripts_current: Any = None
_current_basedir = paths.script_path


def basedir() -> str:
    """The folder of the extension whose file is being executed, and the host's own at any other time."""
    return _current_basedir


def load_scripts() -> None:
    """Execute every scripts/*.py anew. Callbacks of an earlier time are forgotten."""
    global _current_basedir, scripts_txt2img, scripts_img2img, scripts_control
    script_callbacks.call("script_unloaded")
    scripts_data.clear()
    script_callbacks.clear_callbacks()
    own = [(paths.script_path, str(file)) for file in sorted(Path(paths.script_path, "scripts").glob("*.py"))]
    for folder, file in own + extensions.files("scripts", ".py"):
        path_before = list(sys.path)
        if folder != paths.script_path:
            sys.path.insert(0, folder)
        _current_basedir = folder
        try:
            _register(script_loading.load_module(file), folder, file)
        except Exception:
            errors.report(f"Error loading script: {Path(file).name}", exc_info=True)
        finally:
            # Forge leaves every root where it is; with A1111 and SD.Next a later import by name fails.
            if cmd_opts.style != "forge":
                sys.path[:] = path_before
            _current_basedir = paths.script_path
    from modules.script_runner import ScriptRunner

    scripts_txt2img, scripts_img2img = ScriptRunner("txt2img"), ScriptRunner("img2img")
    if cmd_opts.style == "sdnext":
        scripts_control = ScriptRunner("control")


def _register(module: Any, folder: str, file: str) -> None:
    """Register every Script class among the file's names, an imported base class too."""
    for value in vars(module).values():
        if not inspect.isclass(value) or not issubclass(value, Script):
            continue
        if cmd_opts.style == "sdnext" and type(value) is not type:
            continue  # SD.Next does not see a class that has a metaclass.
        scripts_data.append(ScriptClassData(value, file, folder, module))

"""The Settings tab, made from what was given to `opts.add_option`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules.shared import opts

_KINDS = {str: gr.Textbox, bool: gr.Checkbox, int: gr.Number, float: gr.Number}


def create_page() -> gr.Blocks:
    components: list[Any] = []
    names = list(opts.data_labels)
    with gr.Blocks(analytics_enabled=False) as page:
        submit = gr.Button("Apply settings", elem_id="settings_submit", variant="primary")
        result = gr.HTML(elem_id="settings_result")
        for name in names:
            components.append(_component(name))
        if names:
            submit.click(lambda *values: _apply(names, values), inputs=components, outputs=[result])
    return page


def _component(name: str) -> Any:
    info = opts.data_labels[name]
    arguments = info.component_args() if callable(info.component_args) else info.component_args or {}
    kind = info.component or _KINDS[type(info.default)]
    return kind(label=info.label, value=getattr(opts, name), elem_id=f"setting_{name}", **arguments)


def _apply(names: list[str], values: tuple[Any, ...]) -> str:
    changed = [name for name, value in zip(names, values, strict=True) if opts.set(name, value)]
    opts.save()
    return f"{len(changed)} settings changed{': ' if changed else ''}{', '.join(changed)}."

"""The page's defaults, kept by hosts in ui-config.json for every labelled field, and taken from there.

A button takes them from the fields again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from modules.shared import cmd_opts

_KINDS = (gr.Slider, gr.Radio, gr.Checkbox, gr.Textbox, gr.Number, gr.Dropdown)


def take_defaults(pages: list[tuple[gr.Blocks, str, str]]) -> dict[str, Any]:
    """Give the fields of the pages their kept values, and keep those of the others; return path -> field."""
    file = Path(cmd_opts.ui_config_file)
    kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
    fields: dict[str, Any] = {}
    for page, _, elem_id in pages:
        for block in page.blocks.values():
            if type(block) not in _KINDS or block.label is None:
                continue
            if getattr(block, "do_not_save_to_config", False):
                continue
            source = getattr(block, "custom_script_source", None)
            path = f"{f'customscript/{source}/' if source else ''}{elem_id}/{block.label}/value"
            fields[path] = block
            if path not in kept:
                kept[path] = block.value
            elif not isinstance(block, (gr.Radio, gr.Dropdown)) or kept[path] in _labels(block):
                block.value = kept[path]
    _write(kept)
    return fields


def keep_defaults(fields: dict[str, Any]) -> None:
    """Put the button that writes the file anew into the page that is being built."""
    apply = gr.Button("Apply", elem_id="ui_defaults_apply")

    def keep(*values: Any) -> None:
        _write(dict(zip(fields, values, strict=True)))

    apply.click(fn=keep, inputs=list(fields.values()), outputs=[])


def _labels(block: Any) -> list[str]:
    """The texts of a list, by which the hosts judge a kept value."""
    return [choice[0] if isinstance(choice, tuple) else choice for choice in block.choices]


def _write(values: dict[str, Any]) -> None:
    Path(cmd_opts.ui_config_file).write_text(json.dumps(values, indent=4, default=str), "utf-8")

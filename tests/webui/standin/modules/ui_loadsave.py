"""The page's defaults, kept by hosts in ui-config.json for every labelled field.

At their user's wish they are taken anew from the fields.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from modules import paths

_KINDS = (gr.Slider, gr.Radio, gr.Checkbox, gr.Textbox, gr.Number, gr.Dropdown)
FILE = Path(paths.data_path, "ui-config.json")


def keep_defaults(pages: list[tuple[gr.Blocks, str, str]]) -> None:
    """Write the file, and put the button that writes it anew into the page that is being built."""
    fields = {
        f"{elem_id}/{block.label}/value": block
        for page, _, elem_id in pages
        for block in page.blocks.values()
        if type(block) in _KINDS
        and block.label is not None
        and not getattr(block, "do_not_save_to_config", False)
    }
    _write({path: field.value for path, field in fields.items()})
    apply = gr.Button("Apply", elem_id="ui_defaults_apply")

    def keep(*values: Any) -> None:
        _write(dict(zip(fields, values, strict=True)))

    apply.click(fn=keep, inputs=list(fields.values()), outputs=[])


def _write(values: dict[str, Any]) -> None:
    FILE.write_text(json.dumps(values, indent=4, default=str), "utf-8")

"""The X/Y/Z plot, cut down to one axis: extensions add theirs to `axis_options`."""

from __future__ import annotations

from copy import copy
from typing import Any

import gradio as gr
import modules.scripts as scripts
from modules import processing


def apply_field(name: str) -> Any:
    def apply(p: Any, value: Any, values: list[Any]) -> None:
        setattr(p, name, value)

    return apply


def format_value_add_label(p: Any, option: Any, value: Any) -> str:
    return f"{option.label}: {value}"


class AxisOption:
    def __init__(
        self,
        label: str,
        type: Any,
        apply: Any,
        format_value: Any = format_value_add_label,
        confirm: Any = None,
        cost: float = 0.0,
        choices: Any = None,
        prepare: Any = None,
    ) -> None:
        self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
        self.confirm, self.cost, self.choices, self.prepare = confirm, cost, choices, prepare


axis_options = [
    AxisOption("Nothing", str, lambda p, value, values: None),
    AxisOption("Seed", int, apply_field("seed")),
    AxisOption("CFG Scale", float, apply_field("cfg_scale")),
]


class Script(scripts.Script):
    def title(self) -> str:
        return "X/Y/Z plot"

    def ui(self, is_img2img: bool) -> list[Any]:
        self.options = list(axis_options)
        x_type = gr.Dropdown(
            label="X type",
            choices=[option.label for option in self.options],
            value="Nothing",
            type="index",
            elem_id=self.elem_id("x_type"),
        )
        return [x_type, gr.Textbox(label="X values", elem_id=self.elem_id("x_values"))]

    def run(self, p: Any, x_type: int, x_values: str, *_: Any) -> Any:
        """Make one image for each value in turn; `x_type` is the option's index."""
        option = self.options[x_type or 0]
        values = [option.type(value.strip()) for value in x_values.split(",")]
        if option.confirm is not None:
            option.confirm(p, values)
        processing.fix_seed(p)
        all_done = None
        for value in values:
            cell = copy(p)
            cell.extra_generation_params = dict(p.extra_generation_params)
            cell.override_settings = dict(p.override_settings)
            option.apply(cell, value, values)
            done = processing.process_images(cell)
            if all_done is None:
                all_done = done
            else:
                for name in ("images", "infotexts", "all_prompts", "all_negative_prompts", "all_seeds"):
                    getattr(all_done, name).extend(getattr(done, name))
        return all_done

"""The text in an image: how its values are quoted, read, and put back into the page."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import gradio as gr

from modules import errors, script_callbacks

# The name that older hosts have for this module.
sys.modules["modules.generation_parameters_copypaste"] = sys.modules[__name__]

_PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d+)x(\d+)")


class PasteField(tuple):
    """A field to paste into: (component, label or function of the parameters)."""

    def __new__(cls, component: Any, target: Any, *, api: str | None = None) -> PasteField:
        return super().__new__(cls, (component, target))

    def __init__(self, component: Any, target: Any, *, api: str | None = None) -> None:
        self.component, self.api = component, api
        self.label = target if isinstance(target, str) else None
        self.function = target if callable(target) else None


def quote(value: Any) -> Any:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,\n:]", text) else value


def unquote(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_generation_parameters(text: str, skip_fields: Any = None) -> dict[str, Any]:
    """Parse the text of `create_infotext`, by label; the prompts are `Prompt` and `Negative prompt`."""
    *lines, last = text.strip().split("\n")
    if len(_PARAMETER.findall(last)) < 3:
        lines, last = [*lines, last], ""
    prompts: dict[str, list[str]] = {"Prompt": [], "Negative prompt": []}
    part = "Prompt"
    for line in map(str.strip, lines):
        for label in ("Negative prompt", "Template"):  # the latter is SD.Next's: what was typed
            if line.startswith(f"{label}:"):
                part, line = label, line.removeprefix(f"{label}:").strip()
        prompts.setdefault(part, []).append(line)
    found: dict[str, Any] = {}
    for name, raw in _PARAMETER.findall(last):
        value = unquote(raw)
        if size := _SIZE.fullmatch(value):
            found[f"{name}-1"], found[f"{name}-2"] = size[1], size[2]
        else:
            found[name] = value
    return found | {name: "\n".join(lines) for name, lines in prompts.items()}


def paste(text: str, fields: list[tuple[Any, str | Callable[[dict[str, Any]], Any]]]) -> list[Any]:
    """An update for the component of each field."""
    parameters = parse_generation_parameters(text)
    script_callbacks.call("infotext_pasted", text, parameters)
    return [_update(component, key, parameters) for component, key in fields]


def _update(component: Any, key: Any, parameters: dict[str, Any]) -> Any:
    try:
        value = key(parameters) if callable(key) else parameters.get(key)
    except Exception:
        errors.report(f"Error executing {key}", exc_info=True)
        value = None
    if value is None or isinstance(value, type(gr.update())):
        return gr.update() if value is None else value
    try:
        kind = type(component.value)
        if kind is bool and value == "False":
            return gr.update(value=False)
        return gr.update(value=float(value) if kind is int else kind(value))
    except Exception:
        return gr.update()

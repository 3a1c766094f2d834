"""The chat template of a GGUF file, run in a sandbox."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...remote.openai_format import chat_tools
from ...types import Reasoning, Tool
from .. import chat_template


class ChatTemplate:
    """A template. `text` is its source; `bos` and `eos` are the texts of the tokens around a document.

    A template that cannot be read, such as one for a newer Jinja, counts as none: `usable` is False.
    """

    def __init__(self, text: str, bos: str, eos: str) -> None:
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._template = _compile(text) if text.strip() else None
        self.usable = self._template is not None

    def applying(self, reasoning: Reasoning, tools: Sequence[Tool] = ()) -> chat_template.Apply | None:
        """The template as a function for `chat_template.fill`; None where there is no template."""
        if self._template is None:
            return None
        thinks = reasoning not in ("default", "off")
        variables = {
            **self._tokens,
            "add_generation_prompt": True,
            "enable_thinking": thinks,
            "thinking": thinks,
            "tools": chat_tools(tools) or None,
            **({"reasoning_effort": reasoning} if thinks else {}),
        }
        return lambda marked: self._apply(marked, variables)

    def _apply(self, marked: Sequence[chat_template.Marked], variables: dict[str, Any]) -> str | None:
        assert self._template is not None
        try:
            return str(self._template.render(messages=list(marked), raise_exception=_refuse, **variables))
        except Exception:  # noqa: BLE001 - a template is a program of the model's maker
            return None


def _compile(text: str) -> Any:
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    try:
        return environment.from_string(text)
    except TemplateError:
        return None


def _to_json(value: Any, indent: int | None = None) -> str:
    """The filter ``tojson`` for prompts: Jinja's own escapes for HTML."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(sentence: str) -> None:
    raise ValueError(sentence)

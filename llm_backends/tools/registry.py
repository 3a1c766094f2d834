"""The registry of tools for a model to call.

A tool is a plain Python function, registered by name by the code of this pack or of another one. A workflow,
a request and a model name tools and never bring any.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import NotConfigured
from ..types import Tool

TIME_LIMIT_S = 10.0
LONGEST_NAME = 64
_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")

_tools: dict[str, RegisteredTool] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class RegisteredTool:
    """A registered tool. `call` gets the arguments of the JSON schema `parameters` by name, in a thread of
    its own; the model reads what it returns (a text, or anything that JSON can hold). `admit` is called
    before the tool is offered; it raises an `LLMError`, such as `ConsentNeeded`, where the tool may not be
    used."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    call: Callable[..., Any] = field(repr=False)
    time_limit_s: float = TIME_LIMIT_S
    admit: Callable[[], None] | None = field(default=None, repr=False)

    @property
    def wire_name(self) -> str:
        """The name as providers take it, with dashes for dots.
        Our names have no dashes, so it can be reversed."""
        return self.name.replace(".", "-")

    def offer(self) -> Tool:
        """The tool as it is offered to a model."""
        return Tool(self.wire_name, self.description, self.parameters)


def register(
    name: str,
    description: str,
    parameters: Mapping[str, Any],
    call: Callable[..., Any],
    *,
    time_limit_s: float = TIME_LIMIT_S,
    admit: Callable[[], None] | None = None,
    replace: bool = False,
) -> None:
    """Register `call` as the tool `name`; see `RegisteredTool`.

    `name` is words in lower case with dots between them, such as ``prompt.token_count``; the first word is
    the pack's or the subject's. `description` tells the model when to call it and what it returns.
    `parameters` is the JSON schema of an object (checked as far as `json_schema` goes). A ValueError or an
    `LLMError` of `call` is reported to the model word for word, of any other exception only its kind.

    Raises ValueError for a bad name, description or schema, and for a name that is taken unless `replace`.
    """
    tool = RegisteredTool(name, description, parameters, call, time_limit_s, admit)
    _check(tool)
    with _lock:
        if name in _tools and not replace:
            raise ValueError(f"a tool named {name!r} is already registered")
        _tools[name] = tool


def names() -> list[str]:
    """All registered names, sorted."""
    with _lock:
        return sorted(_tools)


def chosen(wanted: Iterable[str]) -> tuple[RegisteredTool, ...]:
    """The tools of these names, each once. Raises `NotConfigured` for an unknown name."""
    with _lock:
        known = dict(_tools)
    found = []
    for name in dict.fromkeys(wanted):
        if name not in known:
            raise NotConfigured(
                f"There is no tool {name[:LONGEST_NAME]!r}.",
                hint=f"Choose from {', '.join(sorted(known))}." if known else "No tools are registered.",
            )
        found.append(known[name])
    return tuple(found)


def _check(tool: RegisteredTool) -> None:
    if not _NAME.fullmatch(tool.name) or len(tool.name) > LONGEST_NAME:
        raise ValueError(
            f"{tool.name!r} is not a valid tool name: use words in lower case separated by dots, at "
            f"most {LONGEST_NAME} characters"
        )
    if not tool.description.strip():
        raise ValueError(f"the tool {tool.name} needs a description: models choose tools by it")
    if tool.parameters.get("type") != "object" or not isinstance(tool.parameters.get("properties"), Mapping):
        raise ValueError(f"the parameters of the tool {tool.name} are not a JSON schema of an object")
    try:
        json.dumps(tool.parameters, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(f"the parameters of the tool {tool.name} cannot be written as JSON") from None
    if not callable(tool.call) or inspect.iscoroutinefunction(tool.call):
        raise ValueError(f"the tool {tool.name} must be a plain function: it is called in a thread")
    if not tool.time_limit_s > 0:
        raise ValueError(f"the tool {tool.name} needs a time limit of more than 0 seconds")

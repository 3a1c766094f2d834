"""The tool calls that a model requests: parsed with care, in a form that every provider takes back.

Providers refuse a conversation in which a call has a name with a blank in it, arguments that are not a JSON
object, or no id, even where the model itself wrote it so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Message, ToolCall
from .arguments import BadArguments, check_arguments, read_arguments
from .registry import LONGEST_NAME, RegisteredTool

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A requested call. `sent` is its form on the way back to the model; `tool` is to be called with
    `arguments`, or is None and `wrong` tells the model why nothing is called."""

    name: str
    sent: ToolCall
    tool: RegisteredTool | None
    arguments: Mapping[str, Any]
    wrong: str = ""


def read_requested_calls(
    calls: Sequence[ToolCall], tools: Sequence[RegisteredTool], before: Sequence[Message]
) -> list[RequestedCall]:
    """Read `calls` as the model requested them; `before` are the messages so far, whose ids are taken."""
    known = {name: tool for tool in tools for name in (tool.name, tool.wire_name)}
    taken = {call.id for message in before for call in message.tool_calls}
    requested = []
    for call in calls:
        id_ = call.id if call.id and call.id not in taken else _new_id(taken)
        taken.add(id_)
        requested.append(_read(call, id_, known))
    return requested


def _read(call: ToolCall, id_: str, known: Mapping[str, RegisteredTool]) -> RequestedCall:
    tool = known.get(call.name)
    arguments: dict[str, Any] = {}
    text, wrong = "{}", ""
    try:
        arguments = read_arguments(call.arguments)
        text = call.arguments if call.arguments.strip() else text
        if tool is not None:
            check_arguments(arguments, tool)
    except BadArguments as error:
        wrong = str(error)
    if tool is None:
        names = ", ".join(sorted({tool.wire_name for tool in known.values()}))
        wrong = f"There is no tool of this name. There are: {names}."
    name = tool.wire_name if tool else _FOREIGN.sub("_", call.name)[:LONGEST_NAME] or "unknown"
    sent = ToolCall(id_, name, text)
    return RequestedCall(tool.name if tool else name, sent, None if wrong else tool, arguments, wrong)


def _new_id(taken: set[str]) -> str:
    """A new id of nine letters and digits, the one form that Mistral takes."""
    number = len(taken) + 1
    while f"call{number:05d}" in taken:
        number += 1
    return f"call{number:05d}"

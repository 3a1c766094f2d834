"""Chat templates filled with placeholders instead of texts, so that no text is taken for the template's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..errors import BadRequest
from ..types import Message, Tool
from .tool_call_text import OPENING as TOOL_CALL

_MARK = "Qw{}Zx"
_MARKS = re.compile(r"Qw(\d+)Zx")
_OPEN_THINKING = re.compile(r"<(?:think|thinking|thought|reasoning)>\s*\Z", re.I)
_PLAIN_ROLES = {"user": "User", "assistant": "Assistant", "tool": "Tool"}
# What a model without a template would write next if it were let: it knows no token for the end of a turn.
PLAIN_STOPS = ("\nUser:", "\nSystem:")

# A message as templates read it (role, content, tool_calls), with marks in the place of its texts.
Marked = dict[str, Any]
# Messages to the template's text; None where the template refuses them.
Apply = Callable[[Sequence[Marked]], "str | None"]


@dataclass(frozen=True)
class Filled:
    """A filled template. `literals` are the template's own texts; ``texts[i]``, which is of the message
    ``order[i]``, comes between ``literals[i]`` and the next. `opens_thinking` is True when the last literal
    ends with an opening thinking tag."""

    literals: tuple[str, ...]
    texts: tuple[str, ...]
    order: tuple[int, ...]

    @property
    def opens_thinking(self) -> bool:
        return bool(_OPEN_THINKING.search(self.literals[-1]))


class _Marks:
    """The texts taken out of messages, by the numbers of the marks in their place.
    The marks of the messages' contents have the messages' own numbers."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._texts = [message.content for message in messages]
        self._owners = list(range(len(messages)))
        # Arguments are JSON themselves. Many templates write what they are given once more as JSON, and a
        # mark is a text to them.
        self._json: set[int] = set()
        self.messages = [self._message(number, message) for number, message in enumerate(messages)]

    def _message(self, number: int, message: Message) -> Marked:
        marked: Marked = {"role": message.role, "content": _MARK.format(number)}
        if message.tool_calls:
            calls = [
                {"name": self._put(number, call.name), "arguments": self._put(number, call.arguments, True)}
                for call in message.tool_calls
            ]
            marked["tool_calls"] = [{"type": "function", "function": call} for call in calls]
        return marked

    def _put(self, owner: int, text: str, is_json: bool = False) -> str:
        number = len(self._texts)
        self._texts.append(text)
        self._owners.append(owner)
        if is_json:
            self._json.add(number)
        return _MARK.format(number)

    def split(self, rendered: str) -> Filled:
        pieces = _MARKS.split(rendered)
        literals, numbers = pieces[0::2], [int(number) for number in pieces[1::2]]
        for place, number in enumerate(numbers):
            before, behind = literals[place], literals[place + 1]
            if number in self._json and before.endswith('"') and behind.startswith('"'):
                literals[place], literals[place + 1] = before[:-1], behind[1:]
        texts = tuple(self._texts[number] for number in numbers)
        return Filled(tuple(literals), texts, tuple(self._owners[number] for number in numbers))


def fill(messages: Sequence[Message], apply: Apply | None) -> Filled:
    """Fill the template with `messages`; without one, or where it drops instructions, use a plain format."""
    marks = _Marks(messages)
    if apply is not None:
        for attempt in (marks.messages, _without_system(marks.messages)):
            rendered = apply(attempt)
            if rendered is not None and all(one["content"] in rendered for one in _telling(marks.messages)):
                return marks.split(rendered)
    return marks.split(_plain(marks.messages))


def check_offer(filled: Filled, tools: Sequence[Tool], who: str) -> None:
    """Raise `BadRequest` unless the template offers `tools` in the parsed call format; `who` names the
    model."""
    own = "".join(filled.literals)
    if tools and not (TOOL_CALL in own and all(tool.name in own for tool in tools)):
        raise BadRequest(
            f"{who} does not support tool calls in the form {TOOL_CALL}.",
            hint="Choose a model that does, such as Qwen3, or one from Ollama or a provider, or remove "
            "the tools.",
        )


def numbers_in(text: str) -> list[int]:
    """The numbers of the messages whose marks occur in `text`."""
    return [int(number) for number in _MARKS.findall(text)]


def after_an_answer(apply: Apply) -> str:
    """The text with which the template ends an assistant's turn. Empty where the template refuses."""
    asked, answered = Message("user", ""), Message("assistant", "")
    rendered = apply(_Marks((asked, answered)).messages) or ""
    found = _MARKS.split(rendered)[4:5]
    return found[0] if found else ""


def places_of(names: Iterable[str]) -> re.Pattern[str]:
    """A pattern of the places where any of `names` begins, overlapping ones too; for `cut`."""
    longest_first = sorted({name for name in names if len(name) > 1}, key=len, reverse=True)
    return re.compile(f"(?={'|'.join(map(re.escape, longest_first))})" if longest_first else r"(?!)")


def cut(text: str, places: re.Pattern[str]) -> list[str]:
    """Cut `text` into pieces none of which holds a whole name: behind the first character of each."""
    ends = [match.start() + 1 for match in places.finditer(text)]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)]) if end > start]


def _telling(marked: Sequence[Marked]) -> list[Marked]:
    """The messages that must not be lost: those to the model, as against its own answers."""
    return [one for one in marked if one["role"] != "assistant"]


def _without_system(marked: Sequence[Marked]) -> list[Marked]:
    """Move the system message to the head of the first user message."""
    system = "\n\n".join(one["content"] for one in marked if one["role"] == "system")
    others = [one for one in marked if one["role"] != "system"]
    for place, one in enumerate(others):
        if one["role"] == "user":
            content = f"{system}\n\n{one['content']}" if system else one["content"]
            others[place] = {**one, "content": content}
            return others
    return [{"role": "user", "content": system}, *others]


def _plain(marked: Sequence[Marked]) -> str:
    lines = [
        one["content"]
        if one["role"] == "system"
        else f"{_PLAIN_ROLES.get(one['role'], 'User')}: {one['content']}"
        for one in marked
    ]
    return "\n\n".join([*lines, "Assistant:"])

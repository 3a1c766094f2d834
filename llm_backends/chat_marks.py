"""Chat templates filled with marks in the place of the texts, so that no text is taken for the template's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .types import Message

_MARK = "Qw{}Zx"
_MARKS = re.compile(r"Qw(\d+)Zx")
_OPEN_THINKING = re.compile(r"<(?:think|thinking|thought|reasoning)>\s*\Z", re.I)
_PLAIN_ROLES = {"user": "User", "assistant": "Assistant", "tool": "Tool"}
# What a model without a template would write next if it were let: it knows no token for the end of a turn.
PLAIN_STOPS = ("\nUser:", "\nSystem:")

# (role, content) of every message to the template's text; None where the template refuses them.
Apply = Callable[[Sequence[tuple[str, str]]], "str | None"]


@dataclass(frozen=True)
class Filled:
    """`literals` are the template's own texts; the message ``order[i]`` comes between ``literals[i]`` and
    the next. `opens_thinking` when the last of them ends with an opening thinking tag."""

    literals: tuple[str, ...]
    order: tuple[int, ...]

    @property
    def opens_thinking(self) -> bool:
        return bool(_OPEN_THINKING.search(self.literals[-1]))


def fill(messages: Sequence[Message], apply: Apply | None) -> Filled:
    """The template around `messages`; without one, or where it loses what the model is told, plain words."""
    marked = [(message.role, _MARK.format(number)) for number, message in enumerate(messages)]
    if apply is not None:
        for attempt in (marked, _without_system(marked)):
            rendered = apply(attempt)
            if rendered is not None and all(mark in rendered for _, mark in _telling(marked)):
                return _split(rendered)
    return _split(_plain(marked))


def numbers_in(text: str) -> list[int]:
    """The numbers of the messages whose marks stand in `text`."""
    return [int(number) for number in _MARKS.findall(text)]


def after_an_answer(apply: Apply) -> str:
    """What the template puts behind an assistant's message: how it ends a turn. Empty where it refuses."""
    rendered = apply([("user", _MARK.format(0)), ("assistant", _MARK.format(1))]) or ""
    found = _MARKS.split(rendered)[4:5]
    return found[0] if found else ""


def places_of(names: Iterable[str]) -> re.Pattern[str]:
    """Where in a text any of `names` begins, overlapping ones too; for `cut`."""
    longest_first = sorted({name for name in names if len(name) > 1}, key=len, reverse=True)
    return re.compile(f"(?={'|'.join(map(re.escape, longest_first))})" if longest_first else r"(?!)")


def cut(text: str, places: re.Pattern[str]) -> list[str]:
    """`text` in pieces none of which holds a whole name: cut behind the first character of each."""
    ends = [match.start() + 1 for match in places.finditer(text)]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)]) if end > start]


def _split(rendered: str) -> Filled:
    pieces = _MARKS.split(rendered)
    return Filled(tuple(pieces[0::2]), tuple(int(number) for number in pieces[1::2]))


def _telling(marked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that must not be lost: what the model is told, as against what it said."""
    return [pair for pair in marked if pair[0] in ("system", "user")]


def _without_system(marked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The system message at the head of the first user message."""
    system = "\n\n".join(text for role, text in marked if role == "system")
    others = [pair for pair in marked if pair[0] != "system"]
    for place, (role, text) in enumerate(others):
        if role == "user":
            others[place] = (role, f"{system}\n\n{text}" if system else text)
            return others
    return [("user", system), *others]


def _plain(marked: Sequence[tuple[str, str]]) -> str:
    lines = [
        text if role == "system" else f"{_PLAIN_ROLES.get(role, 'User')}: {text}" for role, text in marked
    ]
    return "\n\n".join([*lines, "Assistant:"])

"""Thinking that a model writes inline (``<think>…</think>``), split from its answer while it streams."""

from __future__ import annotations

import re

_NAMES = ("think", "thinking", "thought", "reasoning")
_ANY = "|".join(_NAMES)
_OPEN = re.compile(rf"<({_ANY})>", re.I | re.A)


class ThinkingSplitter:
    """A splitter of streamed text into answer and thinking.

    Only a tag at the very start of the answer opens thinking: later on, the text may well be about one. A
    lone closing tag, as models write whose template has opened the tag already, cannot be recognised in time;
    `split_finished` corrects that at the end.
    """

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""
        self._has_thought = self._answering = False

    def feed(self, text: str) -> tuple[str, str]:
        """Add a piece and return the (answer, thinking) that are certain after it."""
        if self._answering:
            return text, ""
        self._held += text
        thinking: list[str] = []
        while True:
            if self._closing:
                closed, thought = self._think()
                thinking.append(thought)
                if not closed:
                    return "", "".join(thinking)
            # Some models think twice in a row: look for another opening before believing the answer.
            start = self._held.lstrip()
            opening = _OPEN.match(start)
            if opening:
                self._closing, self._has_thought = f"</{opening.group(1).lower()}>", True
                self._held = start[opening.end() :]
            elif not start or any(f"<{name}>".startswith(start.lower()) for name in _NAMES):
                return "", "".join(thinking)
            else:
                self._answering = True
                return self._rest(), "".join(thinking)

    def _think(self) -> tuple[bool, str]:
        """Tell whether the closing tag has come; return the thinking up to it, or up to a beginning of it."""
        closing = re.search(self._closing, self._held, re.I | re.A)
        if closing:
            thinking, self._held, self._closing = (
                self._held[: closing.start()],
                self._held[closing.end() :],
                "",
            )
            return True, thinking
        place = self._held.rfind("<")
        if place < 0 or not self._closing.startswith(self._held[place:].lower()):
            place = len(self._held)
        thinking, self._held = self._held[:place], self._held[place:]
        return False, thinking

    def _rest(self) -> str:
        held, self._held = self._held, ""
        return held.lstrip() if self._has_thought else held

    def finish(self) -> tuple[str, str]:
        """Return the rest at the end: (answer, thinking). Thinking that was never closed stays thinking."""
        if self._closing:
            held, self._held = self._held, ""
            return "", held
        return self._rest(), ""


def split_finished(text: str) -> tuple[str, str]:
    """Split a whole text into (answer, thinking) at a closing tag that had no opening one."""
    match = list(re.finditer(rf"</(?:{_ANY})>", text, re.I))
    if not match or _OPEN.search(text[: match[-1].start()]):
        return text, ""
    return text[match[-1].end() :].lstrip(), text[: match[-1].start()]

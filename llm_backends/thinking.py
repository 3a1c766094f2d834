"""Thinking that a model writes inline (``<think>…</think>``), split from its answer while it streams.

Each family of models has marks of its own. A lone closing mark, as models write whose template has opened the
thinking already, ends it where an answer follows; where none does, it is a slip and means nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAMES = (
    "think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection", "scratchpad", "analysis",
    "plan", "planning", "cot", "inner_monologue", "thought_process", "reasoning_content", "antthinking",
    "seed:think", "mm:think", "longcat_think", "ds_think", "chain_of_thought", "internal_thoughts",
)  # fmt: skip
_ANY = "|".join(map(re.escape, _NAMES))


@dataclass(frozen=True, slots=True)
class _Family:
    """Marks around thinking. `open` is tried where the answer starts; ``{0}`` in `close` is its group.

    Where `lone` is False the closing mark has another meaning as well and says nothing alone. What is opened
    and never closed is thinking, except where `unsure`: then it was the answer.
    """

    open: str
    close: str
    lone: bool = True
    unsure: bool = False


_FAMILIES = (
    _Family(rf"<\s*({_ANY})(?:\s[^<>]*)?(?<!/)>", r"<\s*/\s*{0}\s*>"),
    _Family(rf"&lt;({_ANY})&gt;", r"&lt;/{0}&gt;"),
    _Family(r"\[(think|thinking|reasoning)\]", r"\[/{0}\]"),
    _Family(r"◁think▷", r"◁/think▷"),
    _Family(r"<\|begin[_▁]of[_▁]thought\|>", r"<\|end[_▁]of[_▁]thought\|>"),
    _Family(r"<\|thought_(?:begin|start)\|>", r"<\|thought_end\|>"),
    # A chat program's own words for the marks.
    _Family(r"Thinking\.\.\.[ \t]*\n", r"\.\.\.done thinking\.", lone=False, unsure=True),
    _Family(r"<\|start_thinking\|>", r"<\|end_thinking\|>"),
    _Family(r"<\|(thinking|think|thought)\|>", r"<\|/{0}\|>"),
    _Family(r"<\|channel>\s*(?:thought|analysis)\b", r"<channel\|>"),
    _Family(r"<unused94>", r"<unused95>"),
    _Family(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    _Family(
        r"(?:<\|start\|>\s*assistant)?<\|channel\|>\s*(?:analysis|commentary)[^<]{0,60}"
        r"(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>",
        r"<\|end\|>|(?=<\|(?:start|channel)\|>)",
        lone=False,
    ),
    # The same with its control tokens dropped on the way.
    _Family(
        r"(?-i:(?:assistant)?analysis(?=\s*[A-Z“\"]))",
        r"(?-i:assistant\s*(?:commentary.*?assistant\s*)?final)",
        lone=False,
        unsure=True,
    ),
    _Family(r"<details[^>]*>\s*<summary>[^<]*(?:think|thought|reason)[^<]*</summary>", "</details>", False),
    _Family(r"```(?:thinking|think|thought|reasoning)[ \t]*\n", "\n```", lone=False),
)  # fmt: skip
_OPENINGS = tuple(re.compile(family.open, re.I) for family in _FAMILIES)
# What stands before an answer and is neither: an empty tag, the header of the turn.
_NOTHING = re.compile(
    rf"""(?ix) <(?:{_ANY})\s*/> | <\|start\|>\s*assistant(?=<) | <\|(?:start_response|begin_of_solution)\|>
    | <\|channel\|>\s*final[^<]{{0,20}}(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>"""
)
_LONE_CLOSE = re.compile(
    "|".join(
        [rf"(?<![`\"'“‘])<\s*/\s*(?:{_ANY})\s*>"]
        + [
            f"(?:{family.close})".replace("{0}", "(?:think|thinking|thought|reasoning)")
            for family in _FAMILIES[1:]
            if family.lone
        ]
    ),
    re.I,
)
# Text that may yet become one of the marks: an unfinished one, or several tokens of a chat format in a row.
_UNFINISHED = re.compile(
    r"""(?ix) \A (?: <[\s|/\w:▁.="'-]{0,60} | <details[^>]{0,60}> (?:\s*<[^>]{0,40}>?)? [^<]{0,30} |
      &(?:l(?:t(?:;\w{0,20})?)?)?
      (?:&\w{0,3})? | \[/?\w{0,10} | ◁/?\w{0,8} | `{1,3}[a-z]{0,9}[ \t]* | <\|channel> \s* \w{0,8}
      | (?:<\|start\|> \s* \w{0,9})? (?:<\|channel\|> [\w\s.=]{0,60} (?:<\|constrain\|> \w* \s*)?)?
        (?:<[|\w]{0,12})? )\Z"""
)
# Control tokens and space: what may stand behind a mark and is no answer.
_NO_TEXT = re.compile(r"<[^<>\s]{1,30}>|\s")
# Openings in plain words, of the families above that are unsure.
_PLAIN_OPENINGS = ("analysis", "assistantanalysis", "Thinking...")
_LONGEST_MARK = 40
# In characters: what has not been closed by then was no thinking, where that was unsure.
_LONGEST_UNSURE = 20_000

# Control tokens that a local model has to be heard writing, so that its thinking can be told from its answer.
MARKS = (
    *(f"{start}{name}>" for start in ("<", "</") for name in _NAMES),
    "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "<|START_THINKING|>", "<|END_THINKING|>", "<|channel>",
    "<channel|>", "<|begin_of_thought|>", "<|end_of_thought|>",
)  # fmt: skip


class ThinkingSplitter:
    """A splitter of streamed text into answer and thinking.

    Only a mark at the very start of the answer opens thinking: later on, the text may well be about one. A
    lone closing mark cannot be recognised in time; `split_finished` corrects that at the end.
    """

    def __init__(self) -> None:
        self._held = ""
        self._closing: re.Pattern[str] | None = None
        self._has_thought = self._answering = False
        # What opened thinking that may turn out to be the answer.
        self._unsure = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Add a piece and return the (answer, thinking) that are certain after it."""
        if self._answering:
            return text, ""
        self._held += text
        thinking: list[str] = []
        while True:
            if self._closing is not None:
                closed, thought = self._think()
                thinking.append(thought)
                if not closed:
                    return self._rest() if self._answering else "", "".join(thinking)
            # Some models think twice in a row: look for another opening before believing the answer.
            start = self._held.lstrip()
            if self._open(start):
                continue
            if nothing := _NOTHING.match(start):
                self._held, self._has_thought = start[nothing.end() :], True
            elif _may_open(start):
                return "", "".join(thinking)
            else:
                self._answering = True
                return self._rest(), "".join(thinking)

    def _open(self, start: str) -> bool:
        for family, opening in zip(_FAMILIES, _OPENINGS, strict=True):
            if found := opening.match(start):
                name = re.escape(found.group(1)) if found.groups() else ""
                self._closing = re.compile(family.close.replace("{0}", name), re.I)
                self._unsure = found.group() if family.unsure else ""
                self._has_thought = not family.unsure
                self._held = start[found.end() :]
                return True
        return False

    def _think(self) -> tuple[bool, str]:
        """Tell whether the closing mark has come; return the thinking up to it or its beginning."""
        assert self._closing is not None
        if closing := self._closing.search(self._held):
            thinking, self._held, self._closing = (
                self._held[: closing.start()],
                self._held[closing.end() :],
                None,
            )
            self._has_thought = True
            return True, thinking
        if self._unsure and len(self._held) > _LONGEST_UNSURE:
            self._take_back()
            self._answering = True
            return False, ""
        if self._unsure:
            return False, ""
        place = len(self._held)
        for begin in range(max(0, place - _LONGEST_MARK), place):
            if self._held[begin] in "<[◁&\n":
                place = begin
                break
        thinking, self._held = self._held[:place], self._held[place:]
        return False, thinking

    def _rest(self) -> str:
        held, self._held = self._held, ""
        return held.lstrip() if self._has_thought else held

    def finish(self) -> tuple[str, str]:
        """Return the rest at the end: (answer, thinking). Thinking that was never closed stays thinking."""
        if self._closing is not None and not self._unsure:
            held, self._held = self._held, ""
            return "", held
        self._take_back()
        return self._rest(), ""

    def _take_back(self) -> None:
        """Count as the answer what was held for thinking."""
        if self._closing is not None:
            self._held, self._closing = self._unsure + self._held, None


def _may_open(start: str) -> bool:
    """Tell whether more text could make `start` an opening mark."""
    if any(opening.startswith(start) for opening in _PLAIN_OPENINGS):
        return True
    if any(opening == start.rstrip() for opening in _PLAIN_OPENINGS):
        return True
    return _UNFINISHED.match(start) is not None


def split_finished(text: str) -> tuple[str, str]:
    """Split a whole text into (answer, thinking) at a closing mark that had no opening one."""
    closings = list(_LONE_CLOSE.finditer(text))
    if not closings or any(opening.search(text[: closings[-1].start()]) for opening in _OPENINGS[:-2]):
        return text, ""
    end = len(text)
    for last in reversed(closings):
        if _NO_TEXT.sub("", text[last.end() : end]):
            return text[last.end() : end].lstrip(), text[: last.start()]
        # Nothing follows: the mark is a slip, and what stands before it the answer.
        end = last.start()
    return text[:end], ""


def without_thinking(text: str) -> str:
    """Return `text` without the thinking that stands at the start of any of its lines, closed or not."""
    for family, opening in zip(_FAMILIES, _OPENINGS, strict=True):
        place = 0
        while not family.unsure and (found := opening.search(text, place)):
            place = found.end()
            if text[: found.start()].rstrip(" \t")[-1:] not in ("", "\n"):
                continue
            name = re.escape(found.group(1)) if found.groups() else ""
            closing = re.search(family.close.replace("{0}", name), text[place:], re.I)
            behind = text[place + closing.end() :] if closing else ""
            text, place = text[: found.start()] + behind, found.start()
    return split_finished(text)[0]

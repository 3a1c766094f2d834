"""Braces of a template: their partners, their options, their comments."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

MAX_BRACE_DEPTH = 30

_BRACE = re.compile(r"\\[{}|_]|[{}]")
_MARK = re.compile(r"\\[{}|_()\[\]]|[{|()\[\]]")
_PARTNER = {")": "(", "]": "["}
# At the beginning of a line any, elsewhere only one with a blank on both sides: `#1` is no comment.
_COMMENT = re.compile(r"(?m)(?:^[ \t]*#[^\n]*\n?|[ \t]+#[ \t#][^\n]*)")
_TEXT_WEIGHT = re.compile(r":\s*(?P<weight>\d{1,9}(?P<decimal>\.\d{0,9})?|(?P<point>\.\d{1,9}))\s*$")


def closing_braces(text: str) -> tuple[dict[int, int], list[str]]:
    """Map opening to closing braces, and return warnings.

    Those without a partner, or nested too deep, are left out: text.
    """
    closing: dict[int, int] = {}
    open_braces: list[int] = []
    lonely: list[int] = []
    too_deep = False
    for found in _BRACE.finditer(text):
        if found[0] == "{":
            open_braces.append(found.start())
        elif found[0] == "}":
            if not open_braces:
                lonely.append(found.start())
            elif len(open_braces) > MAX_BRACE_DEPTH:
                open_braces.pop()
                too_deep = True
            else:
                closing[open_braces.pop()] = found.start()
    warnings = []
    if lonely := sorted(lonely + open_braces):
        warnings.append(
            f"The `{text[lonely[0]]}` at character {lonely[0] + 1} has no matching brace, so it stays as "
            "it is; write a backslash before it if that is meant."
        )
    if too_deep:
        warnings.append(f"Braces nested more than {MAX_BRACE_DEPTH} levels deep stay as they are.")
    return closing, warnings


def separators(text: str, start: int, end: int, closing: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Yield start and end of the options between `start` and `end`.

    A pipe in braces of its own, or within brackets or parentheses that close again, separates nothing.
    """
    pipes: list[int] = []
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    waiting = {"(": 0, "[": 0}
    position = start
    while found := _MARK.search(text, position, end):
        at, mark, position = found.start(), found[0], found.end()
        if mark == "{":
            position = closing.get(at, at) + 1
        elif mark == "|":
            pipes.append(at)
        elif mark in "([":
            opened.append(at)
            waiting[mark] += 1
        elif mark in ")]":
            while waiting[_PARTNER[mark]]:
                first = opened.pop()
                waiting[text[first]] -= 1
                if text[first] == _PARTNER[mark]:
                    pairs.append((first, at))
                    break
    if not pairs:
        for at in pipes:
            yield start, at
            start = at + 1
        yield start, end
        return
    outer: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if not outer or first > outer[-1][1]:
            outer.append((first, last))
    begins = [first for first, _ in outer]
    for at in pipes:
        index = bisect_right(begins, at) - 1
        if index < 0 or at > outer[index][1]:
            yield start, at
            start = at + 1
    yield start, end


def comments_removed(inner: str) -> str:
    """Return a brace's text of several lines without the comments in it."""
    return _COMMENT.sub("", inner) if "\n" in inner and "#" in inner else inner


def text_weights(
    text: str, ranges: Sequence[tuple[int, int]], leading: re.Pattern[str]
) -> tuple[list[tuple[int, int]], list[float | None]]:
    """Return the options without SD.Next's weights behind them (``red:0.3``), and those weights.

    A whole number counts only where every option ends with one behind a word: ``{16:9|4:3}`` has none. Where
    an option has a weight in front of it, no other is looked for.
    """
    found = [_TEXT_WEIGHT.search(text, first, last) for first, last in ranges]
    none: tuple[list[tuple[int, int]], list[float | None]] = list(ranges), [None] * len(ranges)
    if not any(found) or any(leading.match(text, first, last) for first, last in ranges):
        return none
    if any(
        one and not text[first : one.start()].strip() for one, (first, _) in zip(found, ranges, strict=True)
    ):
        return none
    exact = any(one and (one["decimal"] or one["point"]) for one in found)
    words = all(one and not text[one.start() - 1].isdigit() for one in found)
    if not exact and not words:
        return none
    ends = [(first, one.start() if one else last) for one, (first, last) in zip(found, ranges, strict=True)]
    return ends, [float(one["weight"]) if one else 1.0 for one in found]

"""The parts of a prompt that are written one by one in a single answer, each under its number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..syntax import read

# As it was asked for, and what models make of it; a number counts where all of them come in turn.
_NUMBERS = (
    re.compile(r"\[[ \t]*(\d{1,3})[ \t]*\]"),
    re.compile(
        r"^[\s>*_#-]*(?:(?:part|region|section|prompt)\s+)?[*_#(]*(\d{1,3})[*_]*[.:)][*_]*", re.M | re.I
    ),
    re.compile(r"^[\s>*_#-]*(?:part|region|section|prompt)\s+#?(\d{1,3})\b", re.M | re.I),
)
# What a model puts around its numbers, and nothing that may be the user's own, such as `__name__`.
_AROUND = re.compile(r"\A\**[ \t]*(?:[:.)]|[–—-](?=\s))?\**\s+|\A\*+|\s[\s*_#>-]*\Z")


def numbered(parts: Sequence[str]) -> str:
    """Return several texts as one, each behind its number; a single one as it is."""
    if len(parts) == 1:
        return parts[0]
    return "\n\n".join(f"[{number}] {' '.join(part.split())}" for number, part in enumerate(parts, 1))


def split_parts(answer: str, count: int) -> list[str] | None:
    """Return the `count` texts of an answer, None where they cannot be told apart."""
    if count == 1:
        return [answer]
    for numbers in _NUMBERS:
        if parts := _by_number(answer, list(numbers.finditer(answer)), count):
            return parts
    return _by_separator(answer, count)


def parts_so_far(answer: str) -> list[str]:
    """Return the texts behind the numbers from 1 in an answer that may be unfinished."""
    for numbers in _NUMBERS:
        marks = list(numbers.finditer(answer))
        first = next((place for place in reversed(range(len(marks))) if int(marks[place][1]) == 1), None)
        if first is None:
            continue
        run = [mark for number, mark in enumerate(marks[first:], 1) if int(mark[1]) == number]
        ends = [*(mark.start() for mark in run[1:]), len(answer)]
        return [answer[mark.end() : end] for mark, end in zip(run, ends, strict=True)]
    return []


def _by_number(answer: str, marks: Sequence[re.Match[str]], count: int) -> list[str] | None:
    """Split at the last marks from 1 to `count`: a model that thinks aloud may have had others before."""
    for last in range(len(marks) - 1, count - 2, -1):
        run = marks[last - count + 1 : last + 1]
        if [int(mark[1]) for mark in run] == list(range(1, count + 1)):
            # Numbers behind the last are parts that nobody asked for.
            more = [mark.start() for mark in marks[last + 1 :] if int(mark[1]) == count + 1]
            ends = [*(mark.start() for mark in run[1:]), *more[:1], len(answer)][:count]
            return _all_written([answer[mark.end() : end] for mark, end in zip(run, ends, strict=True)])
    return None


def _by_separator(answer: str, count: int) -> list[str] | None:
    """Split where the model wrote the user's separators itself."""
    dividers = [piece for piece in read(answer) if piece.kind == "separator"]
    if len(dividers) != count - 1:
        return None
    starts = [0, *(piece.end for piece in dividers)]
    ends = [*(piece.start for piece in dividers), len(answer)]
    return _all_written([answer[start:end] for start, end in zip(starts, ends, strict=True)])


def _all_written(parts: Sequence[str]) -> list[str] | None:
    bare = [_AROUND.sub("", part) for part in parts]
    return bare if all(any(map(str.isalnum, part)) for part in bare) else None

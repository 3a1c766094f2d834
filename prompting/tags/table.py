"""Tag tables: which tags of an image board exist, under which other names, how often, and of which kind.

A file is a CSV, a tag a line, in one of the forms that extensions for completion read:
``name,category,count,"alias,alias"``, ``name,alias,count``, ``name,count``, ``name,alias`` or ``name`` alone.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ...llm_backends.system.files import Stamp, stamp_of
from .files import files

Kind = Literal["general", "artist", "series", "character", "species", "meta"]

KINDS: tuple[Kind, ...] = ("general", "artist", "series", "character", "species", "meta")
# The boards' own numbers of their categories. A list of both boards gives e621's from 7 on.
_DANBOORU: dict[str, Kind] = {"0": "general", "1": "artist", "3": "series", "4": "character", "5": "meta"}
_E621: dict[str, Kind] = {**_DANBOORU, "5": "species", "6": "meta", "7": "meta", "8": "general"}
_BOTH: dict[str, Kind] = {**_DANBOORU, **{str(int(number) + 7): kind for number, kind in _E621.items()}}
_MOST_BYTES = 64 * 1024 * 1024
_MOST_TAGS = 400_000
_LONGEST, _MOST_DIGITS = 100, 13
_LARGEST_COUNT = 2**32 - 1
_FIRST_OF_E621 = 7
_HEADINGS = ("tag", "name")
# Longer things that begin so are comments and short words for phrases; <3 and #_# are tags.
_FACE = 4
_NO_BLANK = re.compile(r"\s+")


@dataclass(slots=True, eq=False)
class TagTable:
    """The tags of one or more boards.

    `names` are as the board writes them, with underscores; `rows` finds the place of a name or an alias by
    its `key_of`. `problems` are sentences on files that could not be read.
    """

    names: list[str] = field(default_factory=list)
    kinds: bytearray = field(default_factory=bytearray)
    counts: array[int] = field(default_factory=lambda: array("I"))
    aliases: dict[int, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def find(self, tag: str) -> tuple[str, Kind] | None:
        """Return the board's name and the kind of a tag, or of what it is an alias of; None for no tag."""
        row = self.rows.get(key_of(tag))
        return None if row is None else (self.names[row], KINDS[self.kinds[row]])

    def by_count(self) -> Iterator[tuple[str, Kind, int, str]]:
        """Yield name, kind, count and aliases (separated by commas), the most frequent tag first."""
        for row in sorted(range(len(self.names)), key=lambda row: -self.counts[row]):
            yield self.names[row], KINDS[self.kinds[row]], self.counts[row], self.aliases.get(row, "")


def key_of(tag: str) -> str:
    """Return what equal spellings of a tag share: case, blanks and backslashes do not count."""
    return "_".join(tag.replace("\\", "").lower().split())


def table_for(boards: Sequence[str]) -> TagTable | None:
    """Return the tags of `boards` (``danbooru``, ``e621``), None where the user has no table of them."""
    if not boards:
        return None
    stamped = []
    for board in boards:
        for file in files():
            if board in boards_of(file):
                try:
                    stamped.append((board, file, stamp_of(file)))
                except OSError:
                    continue
    return _read(tuple(stamped)) if stamped else None


def boards_of(file: Path) -> tuple[str, ...]:
    """Return the boards whose tags a file has, by its name; a file that names none is Danbooru's."""
    name = file.name.casefold()
    named = tuple(board for board in ("danbooru", "e621") if board in name)
    return named or ("danbooru",)


@lru_cache(maxsize=2)
def _read(stamped: tuple[tuple[str, Path, Stamp], ...]) -> TagTable:
    table = TagTable()
    others: list[tuple[str, int]] = []
    for board, file, stamp in stamped:
        categories = _BOTH if len(boards_of(file)) > 1 else _E621 if board == "e621" else _DANBOORU
        if stamp[2] > _MOST_BYTES:
            table.problems.append(f"The tag table {file.name} is larger than 64 MB and was not read.")
            continue
        try:
            with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
                _take(table, others, csv.reader(stream), categories, board)
        except (OSError, csv.Error) as error:
            table.problems.append(
                f"The tag table {file.name} could not be read to its end "
                f"({getattr(error, 'strerror', None) or error})."
            )
    for alias, row in others:  # a tag of its own wins over an alias
        table.rows.setdefault(alias, row)
    return table


def _take(
    table: TagTable,
    others: list[tuple[str, int]],
    rows: Iterable[Sequence[str]],
    categories: Mapping[str, Kind],
    board: str,
) -> None:
    numbers = {category: KINDS.index(kind) for category, kind in categories.items()}
    is_mixed, place = categories is _BOTH, len(table.names)
    for cells in rows:
        name = cells[0] if cells else ""
        if not name.isalnum():
            name = _NO_BLANK.sub("_", name.strip().replace("\\", ""))
            # A name with a comma is a phrase that some list gives for a short word.
            if not name or len(name) > _LONGEST or "," in name or (name[0] in "#<" and len(name) > _FACE):
                continue
        category, count, aliases = _cells(cells)
        if name in _HEADINGS and not category.isdigit():
            continue
        if is_mixed and (category.isdigit() and int(category) >= _FIRST_OF_E621) != (board == "e621"):
            continue
        key = name.lower()
        if table.rows.setdefault(key, place) != place:
            continue
        if place >= _MOST_TAGS:
            del table.rows[key]
            break
        # A board's name is its key as a rule, so that the two are one object.
        table.names.append(key if key == name else name)
        table.kinds.append(numbers.get(category, 0))
        table.counts.append(min(count, _LARGEST_COUNT))
        if aliases:
            table.aliases[place] = aliases
            # Those that begin with a slash are for typing only.
            others += [(key_of(alias), place) for alias in aliases.split(",") if alias[:1] not in ("", "/")]
        place += 1


def _cells(cells: Sequence[str]) -> tuple[str, int, str]:
    """Return category, count and aliases, separated by commas, of one line."""
    if len(cells) == 4:
        _, category, count, aliases = cells
        if " " in aliases:
            aliases = ",".join(map(str.strip, aliases.split(",")))
        return category, _count(count), "" if aliases == "null" else aliases
    more = [cell.strip() for cell in cells[1:]]
    if len(more) < 2:
        text = more[0] if more else ""
        return ("", _count(text), "") if text.isdigit() else ("", 0, text)
    if len(more) == 2 and not more[0].isdigit():
        return "", _count(more[1]), more[0]
    return more[0], _count(more[1]), ",".join(more[2:])


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 0

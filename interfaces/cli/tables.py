"""Tables on a terminal: columns that fit its width, and one line a row where the output goes elsewhere."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence

_GAP = 2
_INDENT = 4


def print_table(rows: Sequence[Sequence[str]], width: int | None = None) -> None:
    """Print `rows` in columns. On a terminal (or in `width` columns) long cells are broken between words, and
    where that is not enough the last column stands on a line of its own."""
    if rows:
        for line in _lines(rows, width if width is not None else _terminal_width()):
            print(line.rstrip())


def _terminal_width() -> int:
    """The width of the terminal; 0, for as wide as need be, where the output is a file or a pipe."""
    # A program that was started with its output closed has none.
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else 0


def _lines(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    widths = [max(map(cells_of, column)) for column in zip(*rows, strict=True)]
    least = [max(_longest_word(cell) for cell in column) for column in zip(*rows, strict=True)]
    apart = bool(width) and len(widths) > 1 and _sum(least) > width
    if apart:
        widths, least = widths[:-1], least[:-1]
    while width and _sum(widths) > width and widths != least:
        widest = max(range(len(widths)), key=lambda column: widths[column] - least[column])
        widths[widest] -= 1
    for row in rows:
        broken = [_broken(cell, room) for cell, room in zip(row, widths, strict=False)]
        for line in range(max(map(len, broken))):
            cells = (cell[line] if line < len(cell) else "" for cell in broken)
            yield (" " * _GAP).join(
                cell + " " * (room - cells_of(cell)) for cell, room in zip(cells, widths, strict=True)
            )
        if apart and row[-1]:
            yield " " * _INDENT + row[-1]


def _sum(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _broken(text: str, room: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and cells_of(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _longest_word(text: str) -> int:
    return max(map(cells_of, text.split(" ")))


def cells_of(text: str) -> int:
    """The columns that `text` takes on a terminal: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(bool(unicodedata.combining(letter)) for letter in text)

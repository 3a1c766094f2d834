"""Protection of the user's own syntax from the model: what a model is shown of a prompt, and what is kept.

A prompt is read as regions with separators between them. A model is shown the words of each region, with
variables, choices and schedules as they are written; it is not shown tags, comments and weights. `restore`
puts everything back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..syntax import Piece, close_gaps, read, side_weight
from .shapes import lyrics

# What no model may bring into a prompt: networks, of which each host loads what it finds, and embeddings.
TAKEN_OUT = re.compile(
    r"<(?:lora|lyco|loha|dora|wlr|locon|hypernet|hypernetwork|embed|embedding):[^<>\n]*>"
    r"|\(\s*embedding:[^\s,()]+(?:\s*:\s*-?[\d.]+)?\s*\)|\bembedding:[^\s,()]*[^\s,();.]",
    re.I,
)
Item: TypeAlias = "str | Piece"

_BLANK = " \t\r\n"
_LOOSE = f",{_BLANK}"
_STOP = re.compile(r"\s*[.。]\s*\Z")


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a prompt.

    `items` are its words and the pieces among them; `front` and `back` what stands around those, as it is
    written. A region without words (`text` is empty) is kept whole in `front`.
    """

    items: tuple[Item, ...]
    front: str
    back: str
    text: str

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(item for item in self.items if isinstance(item, Piece))


@dataclass(frozen=True, slots=True)
class Protected:
    """Prompt as its regions, with the separators between them."""

    regions: tuple[Region, ...]
    separators: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The texts of the regions that have words, which are written one by one."""
        return tuple(region.text for region in self.regions if region.text)

    @property
    def written(self) -> tuple[int, ...]:
        """Numbers of the regions that an answer is written for; the first where none has words."""
        return tuple(place for place, region in enumerate(self.regions) if region.text) or (0,)

    @property
    def text(self) -> str:
        return "\n".join(self.parts)

    @property
    def kept(self) -> tuple[str, ...]:
        """Texts that an answer should hold exactly as they are, each once."""
        pieces = [piece for region in self.regions for piece in region.pieces]
        return tuple(dict.fromkeys(shown(piece) for piece in pieces if not is_silent(piece)))


def protect(prompt: str, has_lyrics: bool = False) -> Protected:
    """Return `prompt` as regions, their words apart from the pieces of syntax.

    In one that `has_lyrics` brackets hold tags of sections and backing vocals.
    """
    pieces = read(prompt)
    if has_lyrics:
        pieces = tuple(piece for piece in pieces if piece.kind != "emphasis")
    dividers = [piece for piece in pieces if piece.kind == "separator"]
    weighs_sides = any(piece.source.startswith("AND") for piece in dividers)
    starts = [0, *(piece.end for piece in dividers)]
    ends = [*(piece.start for piece in dividers), len(prompt)]
    regions = []
    for start, end in zip(starts, ends, strict=True):
        inside = [piece for piece in pieces if start <= piece.start and piece.end <= end]
        inside = [piece for piece in inside if piece.kind != "separator"]
        regions.append(_region(prompt, start, end, inside, weighs_sides, has_lyrics))
    return Protected(tuple(regions), tuple(piece.source for piece in dividers))


def _says_something(character: str) -> bool:
    # An emoji is a picture of a thing, other signs are none.
    return character.isalnum() or unicodedata.category(character) == "So"


def is_silent(piece: Piece) -> bool:
    """Tell whether a model is not shown the piece at all."""
    return piece.kind in ("tag", "comment")


def shown(piece: Piece) -> str:
    """Return what stands for the piece in the message to a model."""
    if is_silent(piece):
        return ""
    return piece.words if piece.kind == "emphasis" else " ".join(piece.source.split())


def _region(
    prompt: str, start: int, end: int, pieces: Sequence[Piece], weighs_sides: bool, keeps_lines: bool
) -> Region:
    source = prompt[start:end]
    tail = side_weight(source, beside_and=weighs_sides)
    first, last = start, end - len(tail)
    inside = list(pieces)
    while inside and _is_loose(inside[0]) and not prompt[first : inside[0].start].strip(_LOOSE):
        first = inside.pop(0).end
    # A full stop behind the last tag ends the words before it.
    stop = _STOP.search(prompt, first, last) if inside and is_silent(inside[-1]) else None
    if stop and stop.start() < inside[-1].end:
        stop = None
    before_stop = stop.start() if stop else last
    end_of_tags = last = before_stop
    while inside and is_silent(inside[-1]) and not prompt[inside[-1].end : last].strip(_LOOSE):
        last = inside.pop().start
    blank = _LOOSE if last < end_of_tags or end < len(prompt) else _BLANK
    while first < last and prompt[first] in _LOOSE:
        first += 1
    while first < last and prompt[last - 1] in blank:
        last -= 1
    # Nor is a tag sung: it counts for the whole, wherever in the lyrics it stands.
    sung = _in_lyrics(prompt[first:last], first, inside) if keeps_lines else []
    moved = [piece for piece in inside if piece.is_assignment] + sung
    items: list[Item] = []
    place = first
    for piece in inside:
        items += [prompt[place : piece.start], piece]
        place = piece.end
    items.append(prompt[place:last] + (stop[0].strip() if stop else ""))
    words = "".join("\0" if item in moved else _word(item) for item in items)
    text = "\n".join(_lines_without_gaps(words) if keeps_lines else [close_gaps(words)]).strip()
    if not any(map(_says_something, text)):
        return Region((), source, "", "")
    # An assignment has to precede its uses, and leaves nothing where it stood.
    front = prompt[start:first] + "".join(f"{piece.source} " for piece in moved if piece not in sung)
    back = (
        "".join(f" {piece.source}" for piece in sung)
        + prompt[last:end_of_tags]
        + (stop[0][len(stop[0].rstrip()) :] if stop else "")
        + tail
    )
    return Region(tuple(item for item in items if item and item not in moved), front, back, text)


def _in_lyrics(text: str, start: int, pieces: Sequence[Piece]) -> list[Piece]:
    """Return the tags among `pieces` that stand in the lyrics of `text`, which begins at `start`."""
    tags = [piece for piece in pieces if piece.kind == "tag"]
    for piece in tags:
        blank = " " * (piece.end - piece.start)
        text = text[: piece.start - start] + blank + text[piece.end - start :]
    lines = text.split("\n")
    place = lyrics.first_section(lines)
    if place is None:
        return []
    sung_from = start + sum(len(line) + 1 for line in lines[:place])
    return [piece for piece in tags if piece.start >= sung_from]


def _lines_without_gaps(words: str) -> list[str]:
    """Return the lines of `words` with the gaps in each closed; without those that held nothing else."""
    closed = ((line, close_gaps(line)) for line in words.split("\n"))
    return [text for line, text in closed if text or "\0" not in line]


def _is_loose(piece: Piece) -> bool:
    return is_silent(piece) or piece.is_assignment


def _word(item: Item) -> str:
    return item if isinstance(item, str) else shown(item) or "\0"

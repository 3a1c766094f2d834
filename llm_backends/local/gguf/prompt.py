"""A prompt for a GGUF model: its token ids, and the pictures among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Picture:
    """A picture as llama.cpp has cut it up. `mark` stands for it among token ids, where no token has it.

    It takes `positions` of the sequence and `cells` of the KV cache, which are more where a model numbers the
    rows and columns of a picture. `chunk` is llama.cpp's own, freed by `Projector.forget`.
    """

    mark: int
    positions: int
    cells: int
    chunk: Any = field(repr=False, compare=False)


# Where a piece of a prompt begins and ends, and the picture that it is.
Piece = tuple[int, int, Picture | None]


@dataclass(frozen=True)
class Prompt:
    """The ids of a prompt, a picture's mark at each of its positions; `pictures` are by their first place.

    `opens_thinking` says that the last ids open a thought. Before the place `seam` stands what many prompts
    begin with; 0 where that is not known.
    """

    ids: tuple[int, ...]
    opens_thinking: bool = False
    pictures: tuple[tuple[int, Picture], ...] = ()
    seam: int = 0

    @classmethod
    def of(cls, parts: Sequence[int | Picture], opens_thinking: bool, head: Sequence[int] = ()) -> Prompt:
        """The prompt of `parts`, with its seam behind as much of `head` as it begins with."""
        ids: list[int] = []
        pictures = []
        for part in parts:
            if isinstance(part, Picture):
                pictures.append((len(ids), part))
                ids += [part.mark] * part.positions
            else:
                ids.append(part)
        differs = (place for place, (one, other) in enumerate(zip(ids, head, strict=False)) if one != other)
        seam = next(differs, min(len(ids), len(head)))
        return cls(tuple(ids), opens_thinking, tuple(pictures), seam)

    @property
    def cells(self) -> int:
        """Tokens of the context that it takes."""
        return len(self.ids) + sum(picture.cells - picture.positions for _, picture in self.pictures)

    def followed_by(self, ids: Sequence[int]) -> Prompt:
        return replace(self, ids=(*self.ids, *ids))

    def pieces(self, length: int) -> list[Piece]:
        """Cut the ids at the seam, around each picture, and the text between every `length` ids."""
        cut: list[Piece] = []
        place = 0

        def text_up_to(end: int) -> None:
            middle = self.seam if place < self.seam < end else end
            for first, last in ((place, middle), (middle, end)):
                cut.extend((start, min(start + length, last), None) for start in range(first, last, length))

        for start, picture in self.pictures:
            text_up_to(start)
            place = start + picture.positions
            cut.append((start, place, picture))
        text_up_to(len(self.ids))
        return cut

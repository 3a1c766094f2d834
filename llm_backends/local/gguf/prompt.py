"""A prompt for a GGUF model: its token ids, and the pictures among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Prompt:
    """The ids of a prompt, a picture's mark at each of its positions; `pictures` are by their first place.

    `opens_thinking` says that the last ids open a thought.
    """

    ids: tuple[int, ...]
    opens_thinking: bool = False
    pictures: tuple[tuple[int, Picture], ...] = ()

    @classmethod
    def of(cls, parts: Sequence[int | Picture], opens_thinking: bool) -> Prompt:
        ids: list[int] = []
        pictures = []
        for part in parts:
            if isinstance(part, Picture):
                pictures.append((len(ids), part))
                ids += [part.mark] * part.positions
            else:
                ids.append(part)
        return cls(tuple(ids), opens_thinking, tuple(pictures))

    @property
    def cells(self) -> int:
        """How many tokens of the context it takes."""
        return len(self.ids) + sum(picture.cells - picture.positions for _, picture in self.pictures)

    def followed_by(self, ids: Sequence[int]) -> Prompt:
        return Prompt((*self.ids, *ids), self.opens_thinking, self.pictures)

    def pieces(self, length: int) -> list[tuple[int, int, Picture | None]]:
        """Where to cut all ids but the last, (start, end, picture): each picture alone, the text before and
        after it every `length` ids."""
        cut: list[tuple[int, int, Picture | None]] = []
        place, last = 0, len(self.ids) - 1

        def text_up_to(end: int) -> None:
            for start in range(place, end, length):
                cut.append((start, min(start + length, end), None))

        for start, picture in self.pictures:
            text_up_to(start)
            place = start + picture.positions
            cut.append((start, place, picture))
        text_up_to(last)
        return cut

"""History of a chat, and how it is cut to the length that a model can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..llm_backends.types import Image, Message

# Stands for a question that came without a word.
_PICTURE = "[a picture]"


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: the user's words and pictures, and the model's answer.

    The tools that were used on the way are not kept: another model, without them, may have to read this.
    """

    prompt: str
    answer: str
    images: tuple[Image, ...] = ()

    def messages(self) -> tuple[Message, Message]:
        return Message("user", self.prompt, self.images), Message("assistant", self.answer)


@dataclass(frozen=True, slots=True)
class History:
    """All exchanges, the oldest first. Immutable: adding one makes another history."""

    # Hosts print inputs when something fails; a conversation does not belong in their logs.
    turns: tuple[Turn, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.turns)

    def messages(self) -> Iterator[Message]:
        for turn in self.turns:
            yield from turn.messages()

    def after(self, turn: Turn) -> History:
        """Return this history with `turn` at its end."""
        return History((*self.turns, turn))

    def latest(self, count: int) -> History:
        """Return the last `count` exchanges alone."""
        return History(self.turns[len(self.turns) - count :] if count > 0 else ())

    @property
    def has_pictures(self) -> bool:
        return any(turn.images for turn in self.turns)

    def without_pictures(self) -> History:
        """Return the words alone, for a model that cannot see."""
        return History(tuple(Turn(turn.prompt or _PICTURE, turn.answer) for turn in self.turns))


EMPTY = History()

"""What was said so far in a chat, and how it is cut to what a model can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..llm_backends.types import Image, Message

# What stands for one that came without a word.
_PICTURE = "[a picture]"


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: what the user said and showed, and what the model answered. Of the tools that it used on
    the way nothing is kept: another model, without them, may have to read this."""

    prompt: str
    answer: str
    images: tuple[Image, ...] = ()

    def messages(self) -> tuple[Message, Message]:
        return Message("user", self.prompt, self.images), Message("assistant", self.answer)


@dataclass(frozen=True, slots=True)
class History:
    """All exchanges, the oldest first. It never changes: what comes after is another one."""

    # Hosts print inputs when something fails; a conversation is not for their logs.
    turns: tuple[Turn, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.turns)

    def messages(self) -> Iterator[Message]:
        for turn in self.turns:
            yield from turn.messages()

    def after(self, turn: Turn) -> History:
        """This history with `turn` behind it."""
        return History((*self.turns, turn))

    def latest(self, count: int) -> History:
        """The last `count` exchanges alone."""
        return History(self.turns[len(self.turns) - count :] if count > 0 else ())

    @property
    def has_pictures(self) -> bool:
        return any(turn.images for turn in self.turns)

    def without_pictures(self) -> History:
        """The words alone, for a model that cannot see."""
        return History(tuple(Turn(turn.prompt or _PICTURE, turn.answer) for turn in self.turns))


EMPTY = History()

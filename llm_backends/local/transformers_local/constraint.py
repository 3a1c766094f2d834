"""The constraint of a model to ``{"values": ["...", ...]}`` with an exact number of distinct values.

Among the tokens that keep the answer valid, the model chooses freely; the braces, the separators and the end
are forced. Values hold no quotes or backslashes and are whole characters, so every prefix can be closed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from ... import errors
from .vocabulary import Vocabulary

_HEAD, _SEPARATOR, _TAIL = '{"values": ["', '", "', '"]}'
_LONGEST_ITEM = 48
# In tokens: what an item is planned with at least, where the budget is short.
_LEAST_ITEM = 6
_NUMBERING = re.compile(r"^\s*(?:[-*•–]\s+|\(?\d{1,3}[.):]\s*)")


class Masks:
    """The constraint's masks on one device, as wide as the logits."""

    def __init__(self, vocabulary: Vocabulary, width: int, device: Any) -> None:
        import torch

        self.vocabulary = vocabulary
        self.words: dict[str, list[int]] = {}
        for index in vocabulary.words:
            self.words.setdefault(vocabulary.text(index).casefold(), []).append(index)
        self.closers = torch.tensor(vocabulary.closers, device=device)

        def forbidden(allowed: Sequence[int]) -> Any:
            mask = torch.ones(width, dtype=torch.bool, device=device)
            mask[torch.tensor(allowed, device=device)] = False
            return mask

        self.not_start = forbidden(vocabulary.start)
        self.not_safe = forbidden(vocabulary.safe)
        self.not_word = forbidden(vocabulary.words)


class Pieces:
    """The token ids of the text around the values, split as the model knows it from its training."""

    def __init__(self, tokenizer: Any) -> None:
        def ids(text: str) -> list[int]:
            return list(tokenizer(text, add_special_tokens=False)["input_ids"])

        def after_a_word(text: str) -> list[int]:
            word, whole = ids("a"), ids(f"a{text}")
            return whole[len(word) :] if whole[: len(word)] == word else ids(text)

        self.head, self.separator, self.tail = ids(_HEAD), after_a_word(_SEPARATOR), after_a_word(_TAIL)

    def least(self, count: int) -> int:
        """The fewest tokens for an attempt at `count` values."""
        return len(self.head) + count * (_LEAST_ITEM + len(self.separator)) + len(self.tail)


class ListConstraint:
    """The constraint's state in one answer. Feed every chosen token to `accept`.

    `forced` is the token that has to come next, None where the model may choose; then `shape` narrows the
    logits. `budget` is the number of tokens for the whole answer. Raises `errors.NotConfigured` when it
    cannot hold `count` values.
    """

    def __init__(
        self, masks: Masks, pieces: Pieces, count: int, existing: Iterable[str], budget: int
    ) -> None:
        self._masks, self._pieces, self._count = masks, pieces, count
        self._taken = {_key(value) for value in existing}
        self._queue = deque(pieces.head)
        self._item = ""
        self._item_tokens = 0
        self._closes = False
        self._left = budget
        self.items: list[str] = []
        least = pieces.least(count)
        if budget < least:
            raise errors.NotConfigured(
                f"{count} values need at least {least:,} tokens, but there are only {max(0, budget):,}.",
                hint="Raise max_tokens on LLM Settings (0 is automatic), or ask for fewer values.",
            )

    @property
    def over(self) -> bool:
        """Tell whether all items are there, and the closing brackets too."""
        return len(self.items) == self._count and not self._queue

    @property
    def forced(self) -> int | None:
        if self._queue:
            return self._queue[0]
        if self._closes and self._must_end():
            return self._closing()[0]
        return None

    def shape(self, scores: Any) -> None:
        """Set tokens that must not come next to minus infinity in `scores` (one row, changed in place)."""
        masks = self._masks
        if self._closes:
            # However a token goes on after the quote, choosing it means that the value ends.
            ends = scores[masks.closers].logsumexp(-1)
            scores.masked_fill_(masks.not_safe, -float("inf"))
            scores[self._closing()[0]] = ends
        elif self._must_end():
            scores.masked_fill_(masks.not_word, -float("inf"))
            repeating = self._words_that_repeat()
            # Where every word would repeat a value, the word after it will not.
            if len(repeating) < len(masks.vocabulary.words):
                for index in repeating:
                    scores[index] = -float("inf")
        else:
            scores.masked_fill_(masks.not_safe if self._item else masks.not_start, -float("inf"))

    def accept(self, token: int) -> None:
        """Take the next token: one that was `forced` or that `shape` left."""
        self._left -= 1
        if self._queue:
            self._queue.popleft()
            return
        closing = self._closing()
        if token != closing[0]:
            self._item += self._masks.vocabulary.text(token)
            self._item_tokens += 1
            key = _key(self._item)
            self._closes = bool(key) and key not in self._taken
            return
        self.items.append(self._item.strip())
        self._taken.add(_key(self._item))
        self._item, self._item_tokens, self._closes = "", 0, False
        self._queue.extend(closing[1:])

    def _closing(self) -> list[int]:
        """The tokens that end the current value."""
        return self._pieces.tail if len(self.items) == self._count - 1 else self._pieces.separator

    def _must_end(self) -> bool:
        """Tell whether the value must end: it is long, or the rest of the budget belongs to the others."""
        after = self._count - len(self.items) - 1
        reserve = after * (_LEAST_ITEM + len(self._pieces.separator)) + len(self._pieces.tail) + 1
        return self._item_tokens >= _LONGEST_ITEM or self._left <= reserve

    def _words_that_repeat(self) -> list[int]:
        """The tokens of `words` with which the value would repeat an earlier one."""
        so_far = _key(f"{self._item}0")[:-1]
        rests = (taken[len(so_far) :] for taken in self._taken if taken.startswith(so_far))
        return [index for rest in rests for index in self._masks.words.get(rest, ())]


def _key(text: str) -> str:
    """The key under which two values are the same: letters and digits, without the characters around them."""
    plain = " ".join(_NUMBERING.sub("", text).split()).strip("\"'`“” ,").casefold()
    return plain if any(character.isalnum() for character in plain) else ""

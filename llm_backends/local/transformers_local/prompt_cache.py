"""A cache of the keys and values of prompts' beginnings, so that a system prompt, a target's examples and a
talk's earlier turns are computed once.

It belongs to one model in memory and is dropped with it: folder, revision and dtype belong to the owner, the
token ids are the key.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

# Keys and values of one layer, each rows × heads × tokens × width.
Layers = list[tuple[Any, Any]]

_MOST = 4
# Shorter ones are computed as fast as they are found.
SHORTEST = 16
# More would take a card's memory from the images: a token takes 28 KiB of a 1.5 B model, up to 512 of a 7 B.
LONGEST = 2048


class PromptCache:
    """A cache of the few beginnings that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, ...], Layers] = OrderedDict()

    def find(self, ids: Sequence[int]) -> tuple[int, Layers]:
        """The number of `ids` that a kept beginning covers, with keys and values; (0, []) if none does."""
        best, length = None, 0
        for kept in self._kept:
            alike = common(kept, ids)
            if alike > length:
                best, length = kept, alike
        if best is None or length < SHORTEST:
            return 0, []
        self._kept.move_to_end(best)
        return length, [(keys[:, :, :length], values[:, :, :length]) for keys, values in self._kept[best]]

    def keep(self, ids: Sequence[int], layers: Layers) -> None:
        """Keep `layers`, those of one row whose tokens are `ids`, instead of what `ids` goes on from."""
        for shorter in [kept for kept in self._kept if common(kept, ids) == len(kept)]:
            del self._kept[shorter]
        self._kept[tuple(ids)] = layers
        while len(self._kept) > _MOST or sum(map(len, self._kept)) > max(2 * LONGEST, len(ids)):
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        return sum(
            tensor.numel() * tensor.element_size()
            for layers in self._kept.values()
            for pair in layers
            for tensor in pair
        )


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """The number of ids that both begin with."""
    for place, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return place
    return min(len(first), len(second))

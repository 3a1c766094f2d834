"""A cache of the keys and values of prompts' fixed beginnings, so that a system prompt is computed once.

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


class PromptCache:
    """A cache of the few beginnings that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, ...], Layers] = OrderedDict()

    def find(self, ids: Sequence[int]) -> tuple[int, Layers]:
        """The number of `ids` that a kept beginning covers, with keys and values; (0, []) if none does."""
        best, length = None, 0
        for kept in self._kept:
            common = _common(kept, ids)
            if common > length:
                best, length = kept, common
        if best is None or length < SHORTEST:
            return 0, []
        self._kept.move_to_end(best)
        return length, [(keys[:, :, :length], values[:, :, :length]) for keys, values in self._kept[best]]

    def keep(self, ids: Sequence[int], layers: Layers) -> None:
        """Keep `layers`, those of one row whose tokens are `ids`."""
        self._kept[tuple(ids)] = layers
        self._kept.move_to_end(tuple(ids))
        while len(self._kept) > _MOST:
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


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    for place, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return place
    return min(len(first), len(second))

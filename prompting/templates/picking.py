"""Three ways to pick: at random, in turn, and through all combinations.

A picker returns a place in a list and a rank. The rank selects one of the combinations that the item at
that place has in itself; the pickers that do not count combinations pass it on as 0.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from math import comb
from struct import Struct
from typing import Protocol

from .parser import Node, Nodes, Variable, Variant

COUNT_LIMIT = 10**60
"""Combinations beyond this many are counted as this many: more than any seed can reach."""

MAX_PICKS = 100
"""The most values that one ``{…$$…}`` joins."""


_EIGHT_NUMBERS = Struct("<8Q")


class Choices:
    """Options of one variable or one variant: plain texts and, where there is syntax, nodes.

    Choices of weight 0 are left out, unless all are. Never empty. With `whole` the one text stands for the
    variable or the variant itself, which is left for others.
    """

    __slots__ = ("_distinct", "contents", "cumulative_weights", "whole")

    def __init__(
        self,
        contents: Sequence[str | Nodes],
        weights: Sequence[float] | None = None,
        *,
        whole: bool = False,
    ) -> None:
        if weights is not None and not any(weights):
            weights = None
        if weights is not None and not all(weights):
            kept = [i for i, weight in enumerate(weights) if weight]
            contents, weights = [contents[i] for i in kept], [weights[i] for i in kept]
        self.contents = contents
        self.whole = whole
        self.cumulative_weights = None if weights is None else list(itertools.accumulate(weights))
        self._distinct: Choices | None = None

    def __len__(self) -> int:
        return len(self.contents)

    def distinct(self) -> Choices:
        """Return the choices with each content once; its weight is that of all its copies."""
        if self._distinct is None:
            totals: dict[str | Nodes, float] = {}
            for content, weight in zip(self.contents, self.weights(), strict=True):
                totals[content] = totals.get(content, 0.0) + weight
            self._distinct = self
            if len(totals) < len(self.contents):
                weighted = self.cumulative_weights is not None
                self._distinct = Choices(list(totals), list(totals.values()) if weighted else None)
        return self._distinct

    def weights(self) -> list[float]:
        sums = self.cumulative_weights
        if sums is None:
            return [1.0] * len(self.contents)
        return [upper - lower for lower, upper in zip([0.0, *sums], sums, strict=False)]


class Picker(Protocol):
    def ranks(self, nodes: Nodes, rank: int) -> Sequence[int]:
        """Distribute `rank` over `nodes`."""

    def one(self, choices: Choices, rank: int) -> tuple[int, int]:
        """Return a place in `choices`, and the rank for what stands there."""

    def several(self, choices: Choices, least: int, most: int, rank: int) -> list[tuple[int, int]]:
        """Return `least` to `most` (neither more than there are) different places, each with its rank."""


class RandomPicker:
    """Picker by `seed` and `index` alone: prompt 7 is the same whether 10 are made or 1000."""

    def __init__(self, seed: int, index: int) -> None:
        self._random = _numbers(f"{seed}:{index}").__next__

    def ranks(self, nodes: Nodes, rank: int) -> Sequence[int]:
        return (0,) * len(nodes)

    def one(self, choices: Choices, rank: int) -> tuple[int, int]:
        return self._place(choices.cumulative_weights, len(choices)), 0

    def several(self, choices: Choices, least: int, most: int, rank: int) -> list[tuple[int, int]]:
        wanted = least + int(self._random() * (most - least + 1))
        left: Sequence[int] = range(len(choices))
        places: list[int] = []
        taken: set[int] = set()
        sums = choices.cumulative_weights
        misses = 0
        while len(places) < wanted:
            place = left[self._place(sums, len(left))]
            if place not in taken:
                places.append(place)
                taken.add(place)
            elif (misses := misses + 1) >= 16:
                # Most of the weight is taken: go on with a list of the rest.
                weights = choices.weights()
                left = [i for i in range(len(choices)) if i not in taken]
                sums = list(itertools.accumulate(weights[i] for i in left)) if sums else None
                misses = 0
        return [(place, 0) for place in places]

    def _place(self, sums: list[float] | None, count: int) -> int:
        if sums is None:
            return int(self._random() * count)
        return min(bisect_right(sums, self._random() * sums[-1]), count - 1)


def _numbers(seed: str) -> Iterator[float]:
    """Yield evenly spread numbers from 0 up to 1.

    They come from a hash that is the same in every process and on every Python version, and start sooner
    than those of `random.Random`, which sets up 624 words first.
    """
    for block in itertools.count():
        for number in _EIGHT_NUMBERS.unpack(blake2b(f"{seed}:{block}".encode()).digest()):
            yield (number >> 11) * 2.0**-53


class CyclePicker:
    """Picker of number `turn` of everything, which begins again at the end of a list."""

    def __init__(self, turn: int) -> None:
        self._turn = turn

    def ranks(self, nodes: Nodes, rank: int) -> Sequence[int]:
        return (0,) * len(nodes)

    def one(self, choices: Choices, rank: int) -> tuple[int, int]:
        return self._turn % len(choices), 0

    def several(self, choices: Choices, least: int, most: int, rank: int) -> list[tuple[int, int]]:
        wanted = least + self._turn % (most - least + 1)
        return [((self._turn + i) % len(choices), 0) for i in range(wanted)]


class CombinationPicker:
    """Picker by rank: 0 is the first combination, and the last place of a template changes fastest.

    A rank is taken apart like a number whose digits have different bases, so that any combination is
    reached without those before it. Several of a list are sets: no two that differ by order only.
    """

    def __init__(self, choices_of: Callable[[Variable | Variant], Choices]) -> None:
        self._choices_of = choices_of
        # By id, because hashing walks a whole tree; each holds on to its owner, so that no id comes twice.
        self._counts: dict[int, tuple[Nodes, list[int]]] = {}
        self._sums: dict[int, tuple[Choices, list[int]]] = {}
        self._subsets: dict[int, tuple[Choices, _Subsets]] = {}

    def count(self, nodes: Nodes) -> int:
        """Return how many combinations `nodes` have, up to `COUNT_LIMIT`."""
        total = 1
        for count in self._node_counts(nodes):
            total = min(total * count, COUNT_LIMIT)
        return total

    def ranks(self, nodes: Nodes, rank: int) -> Sequence[int]:
        ranks = [0] * len(nodes)
        counts = self._node_counts(nodes)
        for place in range(len(nodes) - 1, -1, -1):
            rank, ranks[place] = divmod(rank, counts[place])
        return ranks

    def one(self, choices: Choices, rank: int) -> tuple[int, int]:
        sums = self._cumulative_counts(choices)
        place = bisect_right(sums, rank)
        return place, rank - (sums[place - 1] if place else 0)

    def several(self, choices: Choices, least: int, most: int, rank: int) -> list[tuple[int, int]]:
        subsets = self._subsets_of(choices)
        size = least
        while size < most and rank >= subsets.count(size):
            rank -= subsets.count(size)
            size += 1
        return subsets.pick(size, rank)

    def _node_counts(self, nodes: Nodes) -> list[int]:
        known = self._counts.get(id(nodes))
        if known is None:
            known = self._counts[id(nodes)] = (nodes, [self._node_count(node) for node in nodes])
        return known[1]

    def _node_count(self, node: Node) -> int:
        if isinstance(node, str):
            return 1
        choices = self._choices_of(node)
        if isinstance(node, Variable) or node.joiner is None:
            return self._cumulative_counts(choices)[-1]
        subsets = self._subsets_of(choices)
        total = 0
        least, most = bounds(node, choices)
        for size in range(least, most + 1):
            total += subsets.count(size)
            if total >= COUNT_LIMIT:
                return COUNT_LIMIT
        return total

    def _cumulative_counts(self, choices: Choices) -> list[int]:
        known = self._sums.get(id(choices))
        if known is None:
            sums = list(itertools.accumulate(self._content_counts(choices)))
            if sums[-1] > COUNT_LIMIT:
                sums = [min(total, COUNT_LIMIT) for total in sums]
            known = self._sums[id(choices)] = (choices, sums)
        return known[1]

    def _subsets_of(self, choices: Choices) -> _Subsets:
        known = self._subsets.get(id(choices))
        if known is None:
            known = self._subsets[id(choices)] = (choices, _Subsets(self._content_counts(choices)))
        return known[1]

    def _content_counts(self, choices: Choices) -> list[int]:
        return [1 if isinstance(content, str) else self.count(content) for content in choices.contents]


class _Subsets:
    """Sets of `size` out of a list whose members have combinations of their own (`counts`), by rank."""

    def __init__(self, counts: list[int]) -> None:
        self._counts = counts
        self._plain = all(count == 1 for count in counts)
        # _from[size][i]: how many sets of `size` there are out of what stands at i and after.
        self._from: list[list[int]] = [[1] * (len(counts) + 1)]

    def count(self, size: int) -> int:
        return self._count_from(size, 0)

    def pick(self, size: int, rank: int) -> list[tuple[int, int]]:
        picks: list[tuple[int, int]] = []
        start = 0
        for left in range(size, 0, -1):
            place, rank = self._first(left, start, rank)
            rank_within, rank = divmod(rank, self._count_from(left - 1, place + 1))
            picks.append((place, rank_within))
            start = place + 1
        return picks

    def _first(self, size: int, start: int, rank: int) -> tuple[int, int]:
        """Return the place where the set with this rank begins, and its rank among the sets from there."""
        if self._plain or self._count_from(size, start) < COUNT_LIMIT:
            total = self._count_from(size, start)
            places = range(start, len(self._counts))

            def before(place: int) -> int:
                return total - self._count_from(size, place)

            place = places[bisect_right(places, rank, key=before) - 1]
            return place, rank - before(place)
        # Counts that ran into the limit cannot be subtracted; but then the first place has nearly all.
        place = start
        while rank >= (here := self._counts[place] * self._count_from(size - 1, place + 1)):
            rank -= here
            place += 1
        return place, rank

    def _count_from(self, size: int, place: int) -> int:
        if self._plain:
            return comb(len(self._counts) - place, size)
        while len(self._from) <= size:
            smaller = self._from[-1]
            row = [0] * len(smaller)
            for i in range(len(self._counts) - 1, -1, -1):
                row[i] = min(row[i + 1] + self._counts[i] * smaller[i + 1], COUNT_LIMIT)
            self._from.append(row)
        return self._from[size][place]


def bounds(variant: Variant, choices: Choices) -> tuple[int, int]:
    """Return how many of `choices` the variant takes, at least and at most."""
    if choices.whole:
        return 1, 1
    available = min(len(choices), MAX_PICKS)
    most = available if variant.most is None else min(variant.most, available)
    return min(variant.least, most), most

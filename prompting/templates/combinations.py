"""The third way to pick: through all combinations, by rank."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from math import comb

from .nodes import COMBINATIONS, Access, Assignment, Node, Nodes, Variable, Variant, Wrap
from .picking import Choices, bounds
from .scope import NOWHERE, Scope

COUNT_LIMIT = 10**60
"""Combinations beyond this many are counted as this many: more than any seed can reach."""


class CombinationPicker:
    """Picker by rank: 0 is the first combination, and the last place of a template changes fastest.

    A rank is taken apart like a number whose digits have different bases, so that any combination is
    reached without those before it. Several of a list are sets: no two that differ by order only. What is
    picked at random or in turn is no place of its own. With `everything` a place without a sampler counts,
    else only those marked with ``!``.
    """

    def __init__(self, choices_of: Callable[[Variable | Variant], Choices]) -> None:
        self._choices_of = choices_of
        # By id, because hashing walks a whole tree; each holds on to its owners, so that no id comes twice.
        self._counts: dict[tuple[int, int, bool], tuple[Nodes, Scope, list[int]]] = {}
        self._sums: dict[tuple[int, int], tuple[Choices, Scope, list[int]]] = {}
        self._subsets: dict[tuple[int, int], tuple[Choices, Scope, _Subsets]] = {}

    def count(self, nodes: Nodes, scope: Scope = NOWHERE, everything: bool = True) -> int:
        """Return how many combinations `nodes` have, up to `COUNT_LIMIT`."""
        total = 1
        for count in self._node_counts(nodes, scope.within(nodes), everything):
            total = min(total * count, COUNT_LIMIT)
        return total

    def ranks(
        self, nodes: Nodes, rank: int, scope: Scope = NOWHERE, everything: bool = True
    ) -> Sequence[int]:
        """Distribute `rank` over `nodes`; `scope` is the one within them."""
        ranks = [0] * len(nodes)
        counts = self._node_counts(nodes, scope, everything)
        for place in range(len(nodes) - 1, -1, -1):
            rank, ranks[place] = divmod(rank, counts[place])
        return ranks

    def one(
        self, choices: Choices, rank: int, key: str = "", scope: Scope = NOWHERE, taken: Collection[int] = ()
    ) -> tuple[int, int]:
        sums = self._cumulative_counts(choices, scope)
        place = bisect_right(sums, rank)
        return place, rank - (sums[place - 1] if place else 0)

    def several(
        self,
        choices: Choices,
        least: int,
        most: int,
        rank: int,
        key: str = "",
        scope: Scope = NOWHERE,
        taken: Collection[int] = (),
    ) -> list[tuple[int, int]]:
        subsets = self._subsets_of(choices, scope)
        size = least
        while size < most and rank >= subsets.count(size):
            rank -= subsets.count(size)
            size += 1
        return subsets.pick(size, rank)

    def joined(self, variant: Variant, choices: Choices, rank: int, scope: Scope) -> tuple[int, int]:
        """Distribute `rank` over the options and what joins them, which changes faster."""
        joiners = self._joiners(variant, scope)
        if joiners == 1:
            return rank, 0
        alone = self._sets(variant, choices, scope, up_to=1)
        if rank < alone:
            return rank, 0
        options, joiner = divmod(rank - alone, joiners)
        return alone + options, joiner

    def _node_counts(self, nodes: Nodes, scope: Scope, everything: bool) -> list[int]:
        key = id(nodes), id(scope), everything
        known = self._counts.get(key)
        if known is None:
            counts = [self._node_count(node, scope, everything) for node in nodes]
            known = self._counts[key] = (nodes, scope, counts)
        return known[2]

    def _node_count(self, node: Node, scope: Scope, everything: bool) -> int:
        if isinstance(node, str):
            return 1
        if not isinstance(node, Variant | Variable):
            return self._command_count(node, scope, everything)
        if not (node.sampler == COMBINATIONS or (everything and not node.sampler)):
            return 1
        choices = self._choices_of(node)
        if isinstance(node, Variable):
            return self._cumulative_counts(choices, scope.within(node.parameters))[-1]
        if node.joiner is None:
            return self._cumulative_counts(choices, scope)[-1]
        total = self._sets(node, choices, scope)
        joiners = self._joiners(node, scope)
        if joiners > 1:
            alone = self._sets(node, choices, scope, up_to=1)
            total = alone + (total - alone) * joiners
        return min(total, COUNT_LIMIT)

    def _command_count(self, node: Wrap | Assignment | Access, scope: Scope, everything: bool) -> int:
        if isinstance(node, Wrap):
            wrappers = self.count(node.wrapper, scope, everything)
            return min(wrappers * self.count(node.inner, scope, everything), COUNT_LIMIT)
        if isinstance(node, Assignment):
            meaning = scope.meaning(node.name)
            if not node.immediate or meaning is None or meaning.assignment is not node:
                return 1
            return self.count(node.value, scope.without(node.name), everything)
        return self._access_count(node, scope, everything)

    def _joiners(self, variant: Variant, scope: Scope) -> int:
        return self.count(variant.joiner, scope) if isinstance(variant.joiner, tuple) else 1

    def _sets(self, variant: Variant, choices: Choices, scope: Scope, up_to: int | None = None) -> int:
        subsets = self._subsets_of(choices, scope)
        least, most = bounds(variant, choices)
        total = 0
        for size in range(least, (most if up_to is None else min(most, up_to)) + 1):
            total += subsets.count(size)
            if total >= COUNT_LIMIT:
                return COUNT_LIMIT
        return total

    def _access_count(self, node: Access, scope: Scope, everything: bool) -> int:
        meaning = scope.meaning(node.name)
        if meaning is None:
            return 1 if node.default is None else self.count(node.default, scope, everything)
        if meaning.assignment.immediate:
            return 1
        return self.count(meaning.assignment.value, scope.without(node.name), everything)

    def _cumulative_counts(self, choices: Choices, scope: Scope) -> list[int]:
        key = id(choices), id(scope)
        known = self._sums.get(key)
        if known is None:
            sums = list(itertools.accumulate(self._content_counts(choices, scope)))
            if sums[-1] > COUNT_LIMIT:
                sums = [min(total, COUNT_LIMIT) for total in sums]
            known = self._sums[key] = (choices, scope, sums)
        return known[2]

    def _subsets_of(self, choices: Choices, scope: Scope) -> _Subsets:
        key = id(choices), id(scope)
        known = self._subsets.get(key)
        if known is None:
            known = self._subsets[key] = (choices, scope, _Subsets(self._content_counts(choices, scope)))
        return known[2]

    def _content_counts(self, choices: Choices, scope: Scope) -> list[int]:
        return [1 if isinstance(content, str) else self.count(content, scope) for content in choices.contents]


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

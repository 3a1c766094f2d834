"""Two ways to pick: at random, and in turn. `combinations` has the third.

A picker returns a place in a list and a rank. The rank selects one of the combinations that the item at
that place has in itself; the pickers that do not count combinations pass it on as 0.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Protocol

from .nodes import Nodes, Variant
from .scope import Scope

MAX_PICKS = 100
"""The most values that one ``{…$$…}`` joins."""

_EIGHT_NUMBERS = Struct("<8Q")


class Choices:
    """Options of one variable or one variant: plain texts and, where there is syntax, nodes.

    Choices of weight 0 are left out, unless all are. Never empty. With `whole` the variable or the variant
    itself stays as it stands, for others. `names` give the choices an order of their own for picks at
    random, so that these stay the same when the choices are written in another order.
    """

    __slots__ = ("_distinct", "_names", "_random", "_weights", "contents", "whole")

    def __init__(
        self,
        contents: Sequence[str | Nodes],
        weights: Sequence[float] | None = None,
        *,
        names: Sequence[str] | None = None,
        whole: bool = False,
    ) -> None:
        if weights is not None and not any(weights):
            weights = None
        if weights is not None and not all(weights):
            kept = [i for i, weight in enumerate(weights) if weight]
            contents, weights = [contents[i] for i in kept], [weights[i] for i in kept]
            names = names and [names[i] for i in kept]
        self.contents = contents
        self.whole = whole
        self._names = names
        self._weights = weights
        self._random: tuple[Sequence[int] | None, Sequence[float] | None] | None = None
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
                weighted = self._weights is not None
                self._distinct = Choices(list(totals), list(totals.values()) if weighted else None)
        return self._distinct

    def for_random(self) -> tuple[Sequence[int] | None, Sequence[float] | None]:
        """Return the places in the order of their names, and the sums of the weights in that order."""
        if self._random is None:
            order, weights = None, self._weights
            if self._names is not None:
                order = sorted(range(len(self.contents)), key=self._names.__getitem__)
                weights = weights and [weights[i] for i in order]
            self._random = order, None if weights is None else list(itertools.accumulate(weights))
        return self._random

    def weights(self) -> Sequence[float]:
        return [1.0] * len(self.contents) if self._weights is None else self._weights


class Picker(Protocol):
    def one(
        self, choices: Choices, rank: int, key: str, scope: Scope, taken: Collection[int]
    ) -> tuple[int, int]:
        """Return a place in `choices`, not one `taken` while there are others, and the rank for its content.

        `key` tells which pick this is: the same key gets the same place, whatever else is picked.
        """

    def several(
        self,
        choices: Choices,
        least: int,
        most: int,
        rank: int,
        key: str,
        scope: Scope,
        taken: Collection[int],
    ) -> list[tuple[int, int]]:
        """Return `least` to `most` (neither more than there are) different places, each with its rank."""


class RandomPicker:
    """Picker by `seed`, the number of the prompt and the key alone.

    Prompt 7 is the same whether 10 are made or 1000, and a pick is the same whatever stands around it.
    """

    def __init__(self, seed: int, index: int = 0) -> None:
        self._seed = seed
        self._index = index
        # One hash serves eight prompts.
        self._numbers: dict[str, tuple[int, ...]] = {}

    def turn_to(self, index: int) -> None:
        """Go on to the prompt number `index`."""
        if index >> 3 != self._index >> 3:
            self._numbers.clear()
        self._index = index

    def one(
        self, choices: Choices, rank: int, key: str, scope: Scope, taken: Collection[int]
    ) -> tuple[int, int]:
        if taken and len(taken) < len(choices):
            return self._different(choices, 1, key, taken)[0], 0
        return self._place(choices, self._number(key)), 0

    def several(
        self,
        choices: Choices,
        least: int,
        most: int,
        rank: int,
        key: str,
        scope: Scope,
        taken: Collection[int],
    ) -> list[tuple[int, int]]:
        wanted = least if least == most else least + int(self._number(key) * (most - least + 1))
        if wanted > len(choices) - len(taken):
            taken = ()
        return [(place, 0) for place in self._different(choices, wanted, key, taken)]

    def _number(self, key: str) -> float:
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = _eight(f"{self._seed}:{self._index >> 3}:{key}")
        return (numbers[self._index & 7] >> 11) * 2.0**-53

    def _different(self, choices: Choices, wanted: int, key: str, taken: Collection[int]) -> list[int]:
        """Return `wanted` places that are not `taken`, by numbers of their own."""
        stream = _stream(f"{self._seed}:{self._index}:{key}")
        gone = set(taken)
        places: list[int] = []
        misses = 0
        while len(places) < wanted:
            place = self._place(choices, next(stream))
            if place not in gone:
                places.append(place)
                gone.add(place)
                continue
            misses += 1
            if misses >= 16:
                # Most of the weight is taken: go on with a list of the rest.
                places += _from_the_rest(choices, wanted - len(places), gone, stream)
        return places

    @staticmethod
    def _place(choices: Choices, number: float) -> int:
        order, sums = choices.for_random()
        place = (
            int(number * len(choices))
            if sums is None
            else min(bisect_right(sums, number * sums[-1]), len(choices) - 1)
        )
        return place if order is None else order[place]


def _from_the_rest(choices: Choices, wanted: int, gone: set[int], stream: Iterator[float]) -> list[int]:
    weights = choices.weights()
    left = [place for place in choices.for_random()[0] or range(len(choices)) if place not in gone]
    places: list[int] = []
    for _ in range(wanted):
        sums = list(itertools.accumulate(weights[place] for place in left))
        places.append(left.pop(min(bisect_right(sums, next(stream) * sums[-1]), len(left) - 1)))
    return places


def _eight(seed: str) -> tuple[int, ...]:
    """Return eight evenly spread numbers of 64 bits.

    They come from a hash that is the same in every process and on every Python version, and start sooner
    than those of `random.Random`, which sets up 624 words first.
    """
    return _EIGHT_NUMBERS.unpack(blake2b(seed.encode("utf-8", "surrogatepass")).digest())


def _stream(seed: str) -> Iterator[float]:
    """Yield evenly spread numbers from 0 up to 1."""
    for block in itertools.count():
        for number in _eight(f"{seed}:{block}:"):
            yield (number >> 11) * 2.0**-53


class CyclePicker:
    """Picker of number `turn` of everything, which begins again at the end of a list."""

    def __init__(self, turn: int) -> None:
        self.turn = turn

    def one(
        self, choices: Choices, rank: int, key: str, scope: Scope, taken: Collection[int]
    ) -> tuple[int, int]:
        return self._free(choices, taken)[0], 0

    def several(
        self,
        choices: Choices,
        least: int,
        most: int,
        rank: int,
        key: str,
        scope: Scope,
        taken: Collection[int],
    ) -> list[tuple[int, int]]:
        wanted = least + self.turn % (most - least + 1)
        free = self._free(choices, taken if wanted <= len(choices) - len(taken) else (), wanted)
        return [(place, 0) for place in free]

    def _free(self, choices: Choices, taken: Collection[int], wanted: int = 1) -> list[int]:
        total = len(choices)
        if not taken or len(taken) >= total:
            return [(self.turn + i) % total for i in range(wanted)]
        places = ((self.turn + i) % total for i in range(total))
        return list(itertools.islice((place for place in places if place not in taken), wanted))


def bounds(variant: Variant, choices: Choices) -> tuple[int, int]:
    """Return how many of `choices` the variant takes, at least and at most."""
    if choices.whole:
        return 1, 1
    available = min(len(choices), MAX_PICKS)
    most = available if variant.most is None else min(variant.most, available)
    return min(variant.least, most), most

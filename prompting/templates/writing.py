"""Writing of prompts from the nodes of a template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

from .combinations import CombinationPicker
from .errors import TooLarge, too_deep
from .nodes import COMBINATIONS, CYCLE, RANDOM, Access, Assignment, Nodes, Variable, Variant, Wrap
from .picking import Choices, CyclePicker, Picker, RandomPicker, bounds
from .scope import Meaning, Scope
from .source import Source

MAX_DEPTH = 60
MAX_EXPANSION = 100_000
"""The most characters that the values in one prompt may have together."""

_ELLIPSIS = re.compile(r"\.{3,}|[…᠁]")


class _Way(NamedTuple):
    """The way to pick values: the sampler, and whether places marked with ``!`` are counted here."""

    sampler: str
    counted: bool

    def of(self, node: Variable | Variant) -> _Way:
        """Return the way for `node` and what is in it: a sampler of its own counts.

        Combinations within what is picked at random or in turn are picked as that is, as in Dynamic Prompts.
        """
        if not node.sampler or (node.sampler == COMBINATIONS and not self.counted):
            return _WITHIN[self.sampler]
        return _WITHIN[node.sampler]


_WITHIN = {sampler: _Way(sampler, sampler == COMBINATIONS) for sampler in (RANDOM, CYCLE, COMBINATIONS)}


class Writer:
    """Writer of the prompts of one template."""

    def __init__(self, source: Source, sampler: str, seed: int, *, no_repeats: bool = False) -> None:
        self.combinations = CombinationPicker(source.choices)
        self._source = source
        self._seed = seed
        self._random = RandomPicker(seed)
        self._cycle = CyclePicker(seed)
        self._pickers: dict[str, Picker] = {
            RANDOM: self._random,
            CYCLE: self._cycle,
            COMBINATIONS: self.combinations,
        }
        self._way = _Way(sampler, sampler == COMBINATIONS or source.combines)
        self._scope = Scope()
        self._no_repeats = no_repeats
        self._begin()

    def _begin(self) -> None:
        self._left = MAX_EXPANSION
        self._depth = 0
        self._picks: list[tuple[str, str]] = []
        self._taken: dict[str, set[int]] = {}
        self._set: dict[int, _Immediate] = {}
        self.repeated = False

    @property
    def counts(self) -> bool:
        """Tell whether some places are picked by their combinations."""
        return self._way.counted

    def total(self, nodes: Nodes) -> int:
        """Return how many combinations `nodes` have."""
        try:
            return self.combinations.count(nodes, self._scope, self._way.sampler == COMBINATIONS)
        except RecursionError:
            raise too_deep() from None

    def write(self, nodes: Nodes, index: int, rank: int) -> str:
        """Return the prompt number `index`; `rank` is its combination."""
        self._begin()
        self._random.turn_to(index)
        self._cycle.turn = self._seed + index
        return self._expand(nodes, rank, self._way, self._scope, "")

    def picks(self) -> dict[str, str | list[str]]:
        """Return the values of the variables in the prompt that was written last."""
        picks: dict[str, str | list[str]] = {}
        for name, value in self._picks:
            before = picks.get(name)
            if before is None:
                picks[name] = value
            elif isinstance(before, list):
                before.append(value)
            else:
                picks[name] = [before, value]
        return picks

    def _expand(self, nodes: Nodes, rank: int, way: _Way, scope: Scope, path: str) -> str:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise too_deep()
        outer, scope = scope, scope.within(nodes)
        if scope is not outer:
            self._assign(nodes, rank, way, scope, path)
        texts = []
        for node, own in zip(nodes, self._ranks(nodes, rank, way, scope), strict=False):
            if isinstance(node, str):
                texts.append(node)
            elif isinstance(node, Variable):
                texts.append(self._variable(node, own, way, scope, path))
            elif isinstance(node, Variant):
                texts.append(self._variant(node, own, way, scope, path))
            elif isinstance(node, Access):
                texts.append(self._access(node, own, way, scope, path))
            elif isinstance(node, Wrap):
                texts.append(self._wrap(node, own, way, scope, path))
        self._depth -= 1
        return "".join(texts)

    def _ranks(self, nodes: Nodes, rank: int, way: _Way, scope: Scope) -> Sequence[int] | repeat[int]:
        if not way.counted:
            return repeat(0)
        return self.combinations.ranks(nodes, rank, scope, way.sampler == COMBINATIONS)

    def _variable(self, node: Variable, rank: int, way: _Way, scope: Scope, path: str) -> str:
        choices = self._source.choices(node)
        if choices.whole:
            return node.text
        way = way.of(node)
        if node.parameters:
            scope = scope.within(node.parameters)
        key = path + node.key
        taken = self._taken.get(node.name, ()) if self._no_repeats else ()
        place, own = self._pickers[way.sampler].one(choices, rank, key, scope, taken)
        return self._take(choices, place, own, way, scope, f"{key}>", name=node.name)

    def _variant(self, node: Variant, rank: int, way: _Way, scope: Scope, path: str) -> str:
        choices = self._source.choices(node)
        if choices.whole:
            return node.source
        way = way.of(node)
        picker = self._pickers[way.sampler]
        key = path + node.key
        if node.joiner is None:
            place, own = picker.one(choices, rank, key, scope, ())
            return self._take(choices, place, own, way, scope, path)
        joiner_rank = 0
        if way.sampler == COMBINATIONS:
            rank, joiner_rank = self.combinations.joined(node, choices, rank, scope)
        name = node.variable.name if node.variable else ""
        taken = self._taken.get(name, ()) if self._no_repeats and name else ()
        texts = []
        for number, (place, own) in enumerate(
            picker.several(choices, *bounds(node, choices), rank, key, scope, taken)
        ):
            plain = not name or isinstance(choices.contents[place], str)
            inner = path if plain else f"{key}>{number}>"
            texts.append(self._take(choices, place, own, way, scope, inner, name=name))
        joiner = node.joiner
        if not isinstance(joiner, str):
            joiner = self._expand(joiner, joiner_rank, way, scope, path)
        return joiner.join(text for text in texts if text)

    def _take(
        self, choices: Choices, place: int, rank: int, way: _Way, scope: Scope, path: str, *, name: str = ""
    ) -> str:
        content = choices.contents[place]
        slot = len(self._picks)
        if name:
            self._picks.append((name, ""))
            if self._no_repeats:
                self._note(name, place, len(choices))
        text = content if isinstance(content, str) else self._expand(content, rank, way, scope, path)
        # A pick costs something even when it is empty: a value of a million empty variables must end too.
        self._left -= len(text) + 10
        if self._left < 0:
            raise TooLarge(
                f"The values in one prompt would exceed {MAX_EXPANSION:,} characters. Use fewer "
                "variables, or shorter values."
            )
        if name:
            self._picks[slot] = (name, text)
        return text

    def _note(self, name: str, place: int, total: int) -> None:
        """Note that a value is taken; when all are, they may come again."""
        taken = self._taken.setdefault(name, set())
        if place in taken:
            self.repeated = True
        taken.add(place)
        if len(taken) == total:
            taken.clear()

    def _assign(self, nodes: Nodes, rank: int, way: _Way, scope: Scope, path: str) -> None:
        """Note what is to be picked once, at its first use."""
        for node, own in zip(nodes, self._ranks(nodes, rank, way, scope), strict=False):
            if not isinstance(node, Assignment) or not node.immediate:
                continue
            meaning = scope.meaning(node.name)
            if meaning is not None and meaning.assignment is node:
                self._set[id(meaning)] = _Immediate(meaning, own, way, scope, f"{path}{node.name}=")

    def _access(self, node: Access, rank: int, way: _Way, scope: Scope, path: str) -> str:
        meaning = scope.meaning(node.name)
        if meaning is None:
            if node.default is not None:
                return self._expand(node.default, rank, way, scope, path)
            hint = f"__{node.name}__" if self._source.knows(node.name) else f"${{{node.name}:a default}}"
            self._source.warn(
                [f"`{node.source}` stays as it is: nothing sets it; add ${{{node.name}=…}} too, or {hint}."]
            )
            return node.source
        value = meaning.assignment.value
        immediate = self._set.get(id(meaning)) if meaning.assignment.immediate else None
        if immediate is None:
            return self._expand(value, rank, way, scope.without(node.name), f"{path}{node.key}>")
        if immediate.text is None:
            inner = immediate.scope.without(node.name)
            immediate.text = self._expand(value, immediate.rank, immediate.way, inner, immediate.path)
        self._left -= len(immediate.text)
        if self._left < 0:
            raise TooLarge(f"The values in one prompt would have more than {MAX_EXPANSION:,} characters.")
        return immediate.text

    def _wrap(self, node: Wrap, rank: int, way: _Way, scope: Scope, path: str) -> str:
        inner_rank = 0
        if way.counted:
            inner_count = self.combinations.count(node.inner, scope, way.sampler == COMBINATIONS)
            rank, inner_rank = divmod(rank, inner_count)
        wrapper = self._expand(node.wrapper, rank, way, scope, path)
        inner = self._expand(node.inner, inner_rank, way, scope, path)
        found = _ELLIPSIS.search(wrapper)
        return wrapper[: found.start()] + inner + wrapper[found.end() :] if found else f"{wrapper} {inner}"


class _Immediate:
    """Value of ``${name=!…}`` in one prompt: how it is to be picked, and then its text."""

    __slots__ = ("_meaning", "path", "rank", "scope", "text", "way")

    def __init__(self, meaning: Meaning, rank: int, way: _Way, scope: Scope, path: str) -> None:
        self._meaning = meaning  # held on to, so that its id does not come twice
        self.rank, self.way, self.scope, self.path = rank, way, scope, path
        self.text: str | None = None

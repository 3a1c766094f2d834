"""Scope: what ``${name}`` means at a place of a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .nodes import Assignment, Nodes


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """Meaning of a name: its assignment, and what the name meant outside of that."""

    assignment: Assignment
    outer: Meaning | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Meanings of names. The scopes reached from one another are the same objects each time."""

    _meanings: Mapping[str, Meaning] = field(default_factory=dict)
    _inner: dict[object, tuple[object, Scope]] = field(default_factory=dict)

    def meaning(self, name: str) -> Meaning | None:
        return self._meanings.get(name)

    def within(self, nodes: Nodes) -> Scope:
        """Return the scope in `nodes`: their assignments hold everywhere in them, the last one wins."""
        for node in nodes:
            if type(node) is Assignment:
                break
        else:
            return self
        known = self._inner.get(id(nodes))
        if known is None:
            meanings = dict(self._meanings)
            for node in nodes:
                if isinstance(node, Assignment) and not (node.keeps and node.name in meanings):
                    meanings[node.name] = Meaning(node, self._meanings.get(node.name))
            # It holds on to the nodes, so that no id comes twice.
            known = self._inner[id(nodes)] = (nodes, Scope(meanings))
        return known[1]

    def without(self, name: str) -> Scope:
        """Return the scope in the value of `name`, where that has its outer meaning: none leads to itself."""
        known = self._inner.get(name)
        if known is None:
            meanings = {known: meaning for known, meaning in self._meanings.items() if known != name}
            meaning = self._meanings.get(name)
            if meaning is not None and meaning.outer is not None:
                meanings[name] = meaning.outer
            known = self._inner[name] = (name, Scope(meanings))
        return known[1]


NOWHERE = Scope()
"""Scope in which nothing is set. Shared, so nothing may be kept in it: take a `Scope()` for a template."""

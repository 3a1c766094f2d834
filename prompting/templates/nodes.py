"""Nodes of a parsed template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Nodes: TypeAlias = "tuple[Node, ...]"
Node: TypeAlias = "str | Variable | Variant | Assignment | Access | Wrap"

RANDOM, CYCLE, COMBINATIONS = "~", "@", "!"
SAMPLERS = RANDOM + CYCLE + COMBINATIONS

_DOUBTFUL = frozenset("&'(),+<")


@dataclass(slots=True, unsafe_hash=True)
class Variable:
    """Place for a value of the variable `name` (without its underscores).

    `name` may also be Umi's ``<[tag]>``. `sampler` is one of `SAMPLERS`, empty where the selection decides;
    `parameters` hold within the value alone. `source` is what stands in the template. `key` tells the place
    from the others of its text, wherever it stands.
    """

    name: str
    sampler: str = ""
    parameters: tuple[Assignment, ...] = ()
    source: str = field(default="", compare=False)
    key: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        return self.source or f"__{self.name}__"

    @property
    def doubtful(self) -> bool:
        """Tell whether this is a variable only where the library has it, for it may well be prose."""
        return not _DOUBTFUL.isdisjoint(self.name)


@dataclass(slots=True, unsafe_hash=True)
class Option:
    nodes: Nodes
    weight: float = 1.0
    source: str = field(default="", compare=False)


@dataclass(slots=True, unsafe_hash=True)
class Variant:
    """Choice of `least` to `most` of `options` (`most` None: all of them), joined with `joiner`.

    `joiner` is None for a plain ``{a|b}``, whose options keep the blanks around them; nodes where it holds
    syntax itself. `source` is what stands in the template, braces and all.
    """

    options: tuple[Option, ...]
    least: int = 1
    most: int | None = 1
    joiner: str | Nodes | None = None
    source: str = field(default="", compare=False)
    sampler: str = ""
    key: str = field(default="", compare=False)

    @property
    def variable(self) -> Variable | None:
        """Variable whose values are meant, for ``{2$$__name__}``."""
        if self.joiner is None or len(self.options) != 1 or len(self.options[0].nodes) != 1:
            return None
        node = self.options[0].nodes[0]
        return node if isinstance(node, Variable) else None


@dataclass(slots=True, unsafe_hash=True)
class Assignment:
    """Meaning of ``${name}`` in the text around and in what that leads to.

    Picked once for a prompt where it is `immediate`, else anew at each use. With `keeps` it yields to an
    outer one.
    """

    name: str
    value: Nodes
    immediate: bool = False
    keeps: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Access:
    """Place for what ``${name}`` means; `default` where it means nothing, else `source` stays."""

    name: str
    default: Nodes | None = None
    source: str = field(default="", compare=False)
    key: str = field(default="", compare=False)


@dataclass(slots=True, unsafe_hash=True)
class Wrap:
    """Text `inner` in the place of the ellipsis of `wrapper`."""

    wrapper: Nodes
    inner: Nodes


def parts(node: Node) -> Iterator[Nodes]:
    """Yield the sequences that stand within `node` itself."""
    if isinstance(node, Variable):
        yield from (parameter.value for parameter in node.parameters)
    elif isinstance(node, Variant):
        if isinstance(node.joiner, tuple):
            yield node.joiner
        yield from (option.nodes for option in node.options)
    elif isinstance(node, Assignment):
        yield node.value
    elif isinstance(node, Access):
        if node.default is not None:
            yield node.default
    elif isinstance(node, Wrap):
        yield node.wrapper
        yield node.inner


def every(nodes: Nodes) -> Iterator[Node]:
    """Yield `nodes` and all that stand within them, in order."""
    for node in nodes:
        if isinstance(node, str):
            continue
        yield node
        for part in parts(node):
            yield from every(part)


def mentioned(nodes: Nodes) -> Iterator[Variable]:
    """Yield all variables in `nodes`, in order."""
    return (node for node in every(nodes) if isinstance(node, Variable))


def references(nodes: Nodes) -> Iterator[str]:
    """Return the names of all variables in `nodes`, in order, as often as they stand there."""
    return (node.name for node in mentioned(nodes))


def flat(nodes: Nodes) -> str | Nodes:
    """Return the text that `nodes` are where they hold no syntax."""
    if not nodes:
        return ""
    return nodes[0] if len(nodes) == 1 and isinstance(nodes[0], str) else nodes


def unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))

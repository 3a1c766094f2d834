"""Resolution of templates: text with variables and variants is made into prompts.

Only the template and the values of library files are read as syntax. Values that are handed in
(`extra_values`: what a model just wrote) come out as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from ..tasks import SELECTIONS, Selection
from .errors import InvalidSelection, TemplateError, TooLarge, UnknownVariable
from .library import Library, LibraryError, is_pattern
from .near_misses import near_misses
from .nodes import COMBINATIONS, CYCLE, RANDOM, Nodes
from .parser import literal, literal_value, parse
from .source import Source, names_in
from .writing import MAX_DEPTH, MAX_EXPANSION, Writer

__all__ = [
    "MAX_DEPTH",
    "MAX_EXPANSION",
    "InvalidSelection",
    "Resolved",
    "Selection",
    "TemplateError",
    "TooLarge",
    "UnknownVariable",
    "combination_count",
    "literal",
    "literal_value",
    "missing_variables",
    "resolve",
    "variables",
    "variables_behind",
]

MAX_COUNT = 1000

_MOST_TRIES = 100_000
_SAMPLERS: dict[Selection, str] = {"random": RANDOM, "cycle": CYCLE, "combinations": COMBINATIONS}


@dataclass(frozen=True, slots=True)
class Resolved:
    """Prompts of a template, and how they came about.

    `picks` holds, for each of `prompts`, which value each variable took (a list where the variable stands
    more than once). `used` are the names and patterns read from the library, those within values included:
    the ones for `Library.signature`. `missing` are those that only `extra_values` had, `left` those that
    stand in the prompts as they stood in the template, for others to resolve.
    """

    prompts: list[str]
    picks: list[dict[str, str | list[str]]]
    warnings: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def variables(template: str) -> list[str]:
    """Return the names (and patterns) that stand in `template` itself, each once, in order."""
    return names_in(parse(template).nodes)


def variables_behind(template: str, library: Library | None) -> list[str]:
    """Return all names and patterns that `template` leads to, with values or without.

    Those within library values are included: the ones for `Library.signature`, for a cache. Where one of
    them is broken, those up to it.
    """
    source = Source(library, {})
    with suppress(TemplateError, LibraryError):
        source.survey(parse(template).nodes)
    return list(source.reached)


def missing_variables(
    template: str,
    library: Library | None,
    extra_values: Mapping[str, Sequence[str]] | None = None,
    *,
    leave_unknown: bool = False,
) -> list[str]:
    """Return the names in `template` without values, those within library values included.

    These are the ones that a model can be asked for. A pattern that matches nothing is not: it raises
    `UnknownVariable`, before anything is paid for. Also raises `TooLarge`, and `LibraryError` for an invalid
    name. With `leave_unknown` names that would raise are skipped.
    """
    source = Source(library, extra_values or {}, leave_unknown=leave_unknown)
    source.survey(parse(template).nodes)
    names = [name for name in source.unknown if name not in source.left]
    patterns = [name for name in names if is_pattern(name)]
    if leave_unknown:
        names = [name for name in names if name not in patterns]
    elif patterns:
        source.refuse(patterns)
    return names


def combination_count(
    template: str,
    library: Library | None,
    extra_values: Mapping[str, Sequence[str]] | None = None,
    *,
    leave_unknown: bool = False,
) -> int:
    """Return how many prompts ``combinations`` can make of `template`; from 10**60 on, just 10**60.

    Raises as `resolve` does.
    """
    nodes = parse(template).nodes
    source = Source(library, extra_values or {}, leave_unknown=leave_unknown)
    source.survey(nodes)
    source.settle_unknown()
    return Writer(source, COMBINATIONS, 0).total(nodes)


def resolve(
    template: str,
    library: Library | None,
    *,
    selection: Selection = "random",
    count: int = 1,
    seed: int = 0,
    extra_values: Mapping[str, Sequence[str]] | None = None,
    leave_unknown: bool = False,
    no_repeats: bool = False,
) -> Resolved:
    """Make `count` (1–1000) prompts from `template`.

    ``random``: a pick depends on `seed`, on the number of its prompt and on what it is alone, not on what
    stands around it. ``cycle``: prompt i takes value number `seed` + i of everything. ``combinations``:
    those from number `seed` on, beginning again at the end, the last place of the template changing fastest;
    where there are fewer than `count`, each comes once. A place with a sampler of its own follows that, what
    is marked with ``!`` as if the other places were fixed.

    `extra_values` are literal texts for variables, and win over the library. With `leave_unknown` a name
    that the library cannot fill stays where and as it stands, with a warning: the host or another extension
    may know it. With `no_repeats` a variable gives no value twice in one prompt, as long as it has others.

    Raises `TemplateError`, and `LibraryError` for an invalid name. A file that cannot be read costs a
    warning.
    """
    if not 1 <= count <= MAX_COUNT:
        raise InvalidSelection(f"The count is {count}. Choose 1 to {MAX_COUNT}.")
    if selection not in SELECTIONS:
        raise InvalidSelection(
            f"There is no selection `{selection}`. Choose {', '.join(SELECTIONS[:-1])} or {SELECTIONS[-1]}."
        )
    parsed = parse(template)
    source = Source(library, extra_values or {}, leave_unknown=leave_unknown, distinct=no_repeats)
    source.warn(parsed.warnings)
    source.survey(parsed.nodes)
    source.settle_unknown()
    source.warn(near_misses(parsed.nodes, source.knows))

    writer = Writer(source, _SAMPLERS[selection], seed, no_repeats=no_repeats)
    prompts: list[str] = []
    picks: list[dict[str, str | list[str]]] = []
    for index, rank in islice(_turns(writer, parsed.nodes, selection, count, seed), _MOST_TRIES):
        prompt = writer.write(parsed.nodes, index, rank)
        if writer.repeated and selection == "combinations":
            continue
        prompts.append(prompt)
        picks.append(writer.picks())
        if len(prompts) == count:
            break
    if len(prompts) < count:
        if not prompts:
            prompts.append(writer.write(parsed.nodes, 0, seed % writer.total(parsed.nodes)))
            picks.append(writer.picks())
        source.warn(
            [
                f"There are only {len(prompts)} combinations, so {len(prompts)} prompts were made instead "
                f"of {count}."
            ]
        )
    resolved = Resolved(prompts, picks, source.warnings, list(source.only_extra), list(source.used))
    resolved.left.extend(source.left)
    return resolved


def _turns(
    writer: Writer, nodes: Nodes, selection: Selection, count: int, seed: int
) -> Iterator[tuple[int, int]]:
    """Yield number and combination of the prompts to write."""
    if selection != "combinations" and not writer.counts:
        yield from ((index, 0) for index in range(count))
        return
    total = writer.total(nodes)
    turns = range(total) if selection == "combinations" else range(count)
    yield from ((index, (seed + index) % total) for index in turns)

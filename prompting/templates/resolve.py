"""Resolution of templates: text with variables and variants is made into prompts.

Only the template and the values of library files are read as syntax. Values that are handed in
(`extra_values`: what a model just wrote) come out as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn, cast

from ..tasks import SELECTIONS, Selection
from .library import Library, LibraryError, check_name, is_pattern, matches
from .parser import Nodes, Variable, Variant, literal, literal_value, parse, references, split_weight
from .picking import Choices, CombinationPicker, CyclePicker, Picker, RandomPicker, bounds

__all__ = [
    "CyclicVariable",
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
MAX_DEPTH = 60
MAX_EXPANSION = 100_000
"""The most characters that the values in one prompt may have together."""

_MAX_WARNINGS = 20
_MAX_CHAIN = 20
_HOLDS_SYNTAX = re.compile(r"[{}\\]|__")


class TemplateError(ValueError):
    """Error of a template that cannot be resolved. The text is one sentence that says what to do.

    `type` is the word that programs see, `http_status` the status under which a route reports it.
    """

    type: ClassVar[str] = "template"
    http_status: ClassVar[int] = 400


class UnknownVariable(TemplateError):
    """Error for `names` of which the library has no values."""

    type = "unknown_variable"

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


class CyclicVariable(TemplateError):
    """Error for a variable that leads back to itself.

    `chain` are the names on the way, the first again at the end.
    """

    type = "cyclic_variable"

    def __init__(self, chain: Sequence[str]) -> None:
        shown = " → ".join(f"__{name}__" for name in chain)
        super().__init__(
            f"A variable leads back to itself: {shown}; remove one of these from the other's file."
        )
        self.chain = tuple(chain)


class TooLarge(TemplateError):
    """Error for variables that nest too deep, and for a prompt that would grow beyond all reason."""

    type = "template_too_large"


class InvalidSelection(TemplateError):
    """Error for a `selection` or `count` that does not exist."""

    type = "invalid_selection"


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
    return list(dict.fromkeys(references(parse(template).nodes)))


def variables_behind(template: str, library: Library | None) -> list[str]:
    """Return all names and patterns that `template` leads to, with values or without.

    Those within library values are included: the ones for `Library.signature`, for a cache. Where one of
    them is broken, those up to it.
    """
    source = _Source(library, {})
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
    """Return the names without values, in order of appearance, those within library values included.

    These are the ones that a model can be asked for. A pattern that matches nothing is not: it raises
    `UnknownVariable`, before anything is paid for. Also raises `CyclicVariable`, `TooLarge`, and
    `LibraryError` for an invalid name or an unreadable file. With `leave_unknown` names that would raise
    are skipped, except for faults in the user's own files.
    """
    source = _Source(library, extra_values or {}, leave_unknown)
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
    source = _Source(library, extra_values or {}, leave_unknown)
    source.survey(nodes)
    source.settle_unknown()
    return _counted(CombinationPicker(source.choices), nodes)


def resolve(
    template: str,
    library: Library | None,
    *,
    selection: Selection = "random",
    count: int = 1,
    seed: int = 0,
    extra_values: Mapping[str, Sequence[str]] | None = None,
    leave_unknown: bool = False,
) -> Resolved:
    """Make `count` (1–1000) prompts from `template`.

    ``random``: prompt i depends on `seed` and i alone. ``cycle``: prompt i takes value number `seed` + i of
    everything. ``combinations``: those from number `seed` on, beginning again at the end, the last place
    of the template changing fastest; where there are fewer than `count`, each comes once. `extra_values`
    are literal texts for variables, and win over the library. With `leave_unknown` a name that the library
    cannot fill stays where and as it stands, with a warning: the host or another extension may know it.

    Raises `TemplateError`, and `LibraryError` for an invalid name or an unreadable file.
    """
    if not 1 <= count <= MAX_COUNT:
        raise InvalidSelection(f"The count is {count}; choose 1 to {MAX_COUNT}.")
    if selection not in SELECTIONS:
        raise InvalidSelection(
            f"There is no selection `{selection}`; choose {', '.join(SELECTIONS[:-1])} or {SELECTIONS[-1]}."
        )
    parsed = parse(template)
    source = _Source(library, extra_values or {}, leave_unknown)
    source.warn(parsed.warnings)
    source.survey(parsed.nodes)
    source.settle_unknown()

    ranks: Sequence[int] = [0] * count
    pickers: Iterator[Picker]
    if selection == "combinations":
        combinations = CombinationPicker(source.choices)
        total = _counted(combinations, parsed.nodes)
        if total < count:
            source.warn(
                [f"There are only {total} combinations, so that many prompts were made, not {count}."]
            )
        ranks = [(seed + i) % total for i in range(min(count, total))]
        pickers = (combinations for _ in ranks)
    elif selection == "cycle":
        pickers = (CyclePicker(seed + i) for i in range(count))
    else:
        pickers = (RandomPicker(seed, i) for i in range(count))

    resolved = Resolved([], [], source.warnings, list(source.only_extra), list(source.used))
    resolved.left.extend(source.left)
    for picker, rank in zip(pickers, ranks, strict=True):
        writing = _Writing(source, picker)
        resolved.prompts.append(writing.expand(parsed.nodes, rank))
        resolved.picks.append(writing.picks())
    return resolved


def _counted(picker: CombinationPicker, nodes: Nodes) -> int:
    try:
        return picker.count(nodes)
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> TooLarge:
    return TooLarge("Variables and braces nest too deep; write the template or the library values flatter.")


class _Source:
    """Source of choices, each read once: the library, the values handed in, and variants."""

    def __init__(
        self,
        library: Library | None,
        extra_values: Mapping[str, Sequence[str]],
        leave_unknown: bool = False,
    ) -> None:
        self._library = library
        self._extra = extra_values
        self._leave_unknown = leave_unknown
        self._of_variables: dict[str, Choices | None] = {}
        self._of_variants: dict[int, tuple[Variant, Choices]] = {}
        self.warnings: list[str] = []
        # Dicts serve as sets that keep their order.
        self.reached: dict[str, None] = {}
        self.used: dict[str, None] = {}
        self.only_extra: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        self.left: dict[str, None] = {}

    def warn(self, warnings: Sequence[str]) -> None:
        for warning in warnings:
            if warning not in self.warnings and len(self.warnings) < _MAX_WARNINGS:
                self.warnings.append(warning)

    def choices(self, node: Variable | Variant) -> Choices:
        """Return the choices of `node`. All variables have been surveyed before, so there are some."""
        if isinstance(node, Variable):
            return cast(Choices, self._of_variables[node.name])
        known = self._of_variants.get(id(node))
        if known is None:
            if variable := node.variable:
                choices = self.choices(variable).distinct()
                if choices.whole:
                    choices = Choices([node.source], whole=True)
            else:
                weights = [option.weight for option in node.options]
                choices = Choices([_flat(option.nodes) for option in node.options], weights)
            known = self._of_variants[id(node)] = (node, choices)
        return known[1]

    def survey(self, nodes: Nodes, chain: tuple[str, ...] = ()) -> None:
        """Read every variable that `nodes` lead to; those without values end up in `unknown`."""
        for name in dict.fromkeys(references(nodes)):
            self._survey_variable(name, chain)

    def _survey_variable(self, name: str, chain: tuple[str, ...]) -> None:
        self.reached[name] = None
        if name in chain:
            circle = (*chain[chain.index(name) :], name)
            if not self._may_leave(name):
                raise CyclicVariable(circle)
            self.leave([name], "it leads back to itself")
            return
        if len(chain) >= _MAX_CHAIN:
            shown = " → ".join(f"__{link}__" for link in chain[:3])
            raise TooLarge(
                f"Variables nest more than {_MAX_CHAIN} deep ({shown} → …); write the values flatter."
            )
        if name in self._of_variables:
            return
        try:
            choices = self._read(name)
        except LibraryError as error:
            if not self._may_leave(name):
                raise
            self.leave([name], str(error).rstrip("."))
            return
        if choices is None:
            self.unknown[name] = None
        else:
            within = [content for content in choices.contents if not isinstance(content, str)]
            for inner in dict.fromkeys(found for content in within for found in references(content)):
                self._survey_variable(inner, (*chain, name))
        if name not in self.left:
            self._of_variables[name] = choices

    def _may_leave(self, name: str) -> bool:
        """Tell whether `name` may be left for others; a fault in the user's own files may not."""
        return self._leave_unknown and (self._library is None or not self._library.is_own(name))

    def leave(self, names: Sequence[str], reason: str = "") -> None:
        """Let `names` stand in the prompts as they stand in the template."""
        for name in names:
            self.left[name] = None
            self._of_variables[name] = Choices([f"__{name}__"], whole=True)
            self.warn([f"__{name}__ stays as it is: {reason or self._lack(name)}."])

    def _lack(self, name: str) -> str:
        known = self._library.similar(name) if self._library else []
        meant = " or ".join(f"__{one}__" for one in known)
        return "the library has no values for it" + (f" (did you mean {meant}?)" if meant else "")

    def _read(self, name: str) -> Choices | None:
        check_name(name, pattern=True)
        if extra := self._extra.get(name):
            if self._library is None or is_pattern(name) or not self._library.exists(name):
                self.only_extra[name] = None
            return Choices(list(extra))
        handed_in = [one for one in self._extra if is_pattern(name) and matches(one, name)]
        contents: list[str | Nodes] = [value for one in handed_in for value in self._extra[one]]
        weights: list[float] = [1.0] * len(contents)
        if self._library is not None:
            self.used[name] = None
            self._read_files(self._library, name, handed_in, contents, weights)
        if not contents:
            return None
        return Choices(contents, weights if any(weight != 1.0 for weight in weights) else None)

    def _read_files(
        self,
        library: Library,
        name: str,
        handed_in: Sequence[str],
        contents: list[str | Nodes],
        weights: list[float],
    ) -> None:
        """Add what the library's files have for `name`, except those that `handed_in` stands in for."""
        if is_pattern(name):
            members = [member for member in library.glob(name) if member not in handed_in]
        else:
            members = [name] if library.exists(name) else []
        for member in members:
            for line in library.values(member):
                weight, text = split_weight(line) if "::" in line else (1.0, line)
                weights.append(weight)
                contents.append(self._content(text, member) if _HOLDS_SYNTAX.search(text) else text)

    def _content(self, text: str, name: str) -> str | Nodes:
        parsed = parse(text)
        self.warn([f"In a value of __{name}__: {warning}" for warning in parsed.warnings])
        return _flat(parsed.nodes)

    def settle_unknown(self) -> None:
        """Leave names without values to others, or raise `UnknownVariable`."""
        if self._leave_unknown:
            self.leave(list(self.unknown))
        elif self.unknown:
            self.refuse(list(self.unknown))

    def refuse(self, names: Sequence[str]) -> NoReturn:
        problems = self._library.problems() if self._library else []
        if len(names) == 1:
            message = self._sentence_for(names[0])
        else:
            shown = ", ".join(f"__{name}__" for name in names)
            message = (
                f"The library has no values for {shown}; create a .txt file for each, with one value per "
                "line, or switch generate_missing on."
            )
        raise UnknownVariable(" ".join([message, *problems[:2]]), names)

    def _sentence_for(self, name: str) -> str:
        if self._library is None:
            return f"There is no library that could have __{name}__; set LOCAL_LIBRARY_DIR, or remove it."
        if is_pattern(name):
            return f"No file of the library with values in it matches __{name}__; correct the pattern."
        if self._library.exists(name):
            return (
                f"The variable __{name}__ has no values yet; add some to its file, one per line, "
                "or switch generate_missing on."
            )
        meant = " or ".join(f"__{known}__" for known in self._library.similar(name))
        question = f" (did you mean {meant}?)" if meant else ""
        return (
            f"There is no variable __{name}__ in the library{question}; create {name}.txt there with one "
            "value per line, or switch generate_missing on."
        )


class _Writing:
    """One prompt in the making."""

    def __init__(self, source: _Source, picker: Picker) -> None:
        self._source = source
        self._picker = picker
        self._left = MAX_EXPANSION
        self._depth = 0
        self._picks: list[tuple[str, str]] = []

    def expand(self, nodes: Nodes, rank: int) -> str:
        parts: list[str] = []
        for node, node_rank in zip(nodes, self._picker.ranks(nodes, rank), strict=True):
            if isinstance(node, str):
                parts.append(node)
            elif isinstance(node, Variable):
                choices = self._source.choices(node)
                name = "" if choices.whole else node.name
                parts.append(self._take(choices, *self._picker.one(choices, node_rank), name=name))
            else:
                parts.append(self._expand_variant(node, node_rank))
        return "".join(parts)

    def picks(self) -> dict[str, str | list[str]]:
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

    def _expand_variant(self, variant: Variant, rank: int) -> str:
        choices = self._source.choices(variant)
        if variant.joiner is None:
            return self._take(choices, *self._picker.one(choices, rank))
        name = variant.variable.name if variant.variable and not choices.whole else ""
        places = self._picker.several(choices, *bounds(variant, choices), rank)
        texts = [self._take(choices, place, own_rank, name=name) for place, own_rank in places]
        return variant.joiner.join(text for text in texts if text)

    def _take(self, choices: Choices, place: int, rank: int, *, name: str = "") -> str:
        content = choices.contents[place]
        slot = len(self._picks)
        if name:
            self._picks.append((name, ""))
        if isinstance(content, str):
            text = content
        else:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise _too_deep()
            text = self.expand(content, rank)
            self._depth -= 1
        # A pick costs something even when it is empty: a value of a million empty variables must end too.
        self._left -= len(text) + 10
        if self._left < 0:
            raise TooLarge(
                f"The values in one prompt would have more than {MAX_EXPANSION:,} characters; "
                "use fewer variables, or shorter values."
            )
        if name:
            self._picks[slot] = (name, text)
        return text


def _flat(nodes: Nodes) -> str | Nodes:
    if not nodes:
        return ""
    return nodes[0] if len(nodes) == 1 and isinstance(nodes[0], str) else nodes

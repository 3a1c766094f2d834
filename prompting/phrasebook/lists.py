"""Lists of values, found by a variable's name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from ...llm_backends.errors import BackendUnavailable
from . import data
from .chooser import shuffled
from .vocabulary import singular

if TYPE_CHECKING:
    from ..tasks import VariablesTask

# "animal_name", "type_of_hat", "random_color_2": words that say nothing about the values.
_EMPTY = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "our",
        "your",
        "some",
        "any",
        "random",
        "main",
        "new",
        "list",
        "name",
        "names",
        "type",
        "types",
        "kind",
        "kinds",
        "sort",
        "sorts",
        "value",
        "values",
        "variable",
        "option",
        "options",
        "choice",
        "idea",
        "example",
        "variation",
        "variations",
        "wildcard",
        "item",
        "items",
        "of",
        "for",
        "in",
        "category",
    ]
)
# Named in the error; all of them would fill a screen.
_FAMILIAR = (
    "animal art_style bird building city color emotion fabric flower food hairstyle landscape lens lighting",
    "mood mythical_creature object outfit pose profession season time_of_day vehicle weather",
)
# "hat style" asks for hats, but "hat colour" for colours.
_STYLE_OF = frozenset({"style", "design", "look", "variety"})


def values_for(task: VariablesTask) -> list[str]:
    """Return at most ``task.count`` values for ``task.name``, fewer where the list ends.

    Raises `BackendUnavailable` for a name that matches no list.
    """
    name = find(task.name)
    values = _read(name)
    known = {_key(value) for value in task.existing}
    wanted = _wanted(values, task.guidance)
    usual = [value for value, _ in values]
    third = max(1, len(usual) // 3)
    groups = {
        "similar": (usual[:third], usual[third:]),
        "creative": (usual[third:], usual[:third]),
    }.get(task.creativity, (usual, []))
    ordered = [value for group in groups for value in shuffled(group, task.seed, name)]
    if wanted:
        ordered = [value for value in ordered if value in wanted]
    fresh = [value for value in ordered if _key(value) not in known]
    return fresh[: max(0, task.count)]


def remark(task: VariablesTask) -> str:
    """Return the warning about guidance that no value in the list matches; else an empty text."""
    name = find(task.name)
    if not task.guidance.strip() or _wanted(_read(name), task.guidance):
        return ""
    guidance = shorten(task.guidance)
    return f"The phrasebook's list “{name}” has no match for “{guidance}”, so these values are of every kind."


def shorten(guidance: str) -> str:
    """Shorten guidance to the form in which warnings quote it."""
    words = " ".join(guidance.split())
    return words if len(words) <= 80 else f"{words[:79]}…"


def find(name: str) -> str:
    """Return the list that the variable `name` means. Raises `BackendUnavailable` where there is none."""
    aliases = _aliases()
    for words in _readings(name):
        found = aliases.get(" ".join(words))
        if found is not None:
            return found
    names = known_names()
    close = difflib.get_close_matches(name.strip().lower(), names, n=4, cutoff=0.7)
    shown = list(dict.fromkeys([*close, *" ".join(_FAMILIAR).split()]))
    error = BackendUnavailable(
        f"The phrasebook has no list for “{name.strip()[:60] or 'a variable without a name'}”.",
        hint=f"It has: {', '.join(shown)} and {len(names) - len(shown)} more. Choose a model to generate "
        "others.",
        provider="phrasebook",
    )
    error.of_one_text = True
    raise error


def known_names() -> list[str]:
    """Return the names of all lists, sorted."""
    return sorted(_places())


def _readings(name: str) -> list[list[str]]:
    """Yield the meanings a name may have, the most literal first; in English its last word is its head."""
    last = re.split(r"[/\\]", name.strip().strip("_*/\\"))[-1]
    last = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", last)
    words = [word for word in re.split(r"[^a-z]+", last.lower()) if word]
    orders = [words]
    if "of" in words:
        place = words.index("of")
        before, after = words[:place], words[place + 1 :]
        orders = [[*after, *before], after if set(before) <= _EMPTY | _STYLE_OF else before]
    readings: list[list[str]] = [words]
    for order in orders:
        while order and order[0] in _EMPTY and len(order) > 1:
            order = order[1:]
        stripped = list(order)
        while len(stripped) > 1 and stripped[-1] in _EMPTY:
            stripped.pop()
        readings += [order, stripped]
        if len(stripped) > 1 and stripped[-1] in _STYLE_OF:
            readings += [stripped[start:-1] for start in range(len(stripped) - 1)]
        for variant in (order, stripped):
            readings += [variant[start:] for start in range(1, len(variant))]
    forms: list[list[str]] = []
    for reading in readings:
        if reading:
            forms += [reading, [*reading[:-1], singular(reading[-1])]]
    return forms


@lru_cache(maxsize=1)
def _places() -> dict[str, str]:
    """Map each list to the file that holds it."""
    return {
        line.partition(":")[0].strip(): file
        for file, lines in data.words_of("lists_index").items()
        for line in lines.splitlines()
    }


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    names = {name.replace("_", " "): name for name in _places()}
    for name in list(names):
        *front, head = name.split()
        names.setdefault(" ".join([*front, singular(head)]), names[name])
    for lines in data.words_of("lists_index").values():
        for line in lines.splitlines():
            name, _, others = line.partition(":")
            for other in others.split(","):
                names.setdefault(other.strip(), name.strip())
    return names


@cache
def _read(name: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return the values of a list, each with its tags, usual ones first."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for line in data.words_of(f"lists_{_places()[name]}")[name].splitlines():
        tagged = re.match(r"([a-z ]+): ", line)
        tags = frozenset(tagged[1].split()) if tagged else frozenset[str]()
        for value in line[tagged.end() if tagged else 0 :].split(","):
            found.setdefault(_key(value), (value.strip(), tags))
    return tuple(found.values())


def _wanted(values: Sequence[tuple[str, frozenset[str]]], guidance: str) -> frozenset[str]:
    """Return the values that a word of the guidance mentions.

    None where no word does: then all of them will do.
    """
    text = guidance.lower()
    refused = set(re.findall(r"\b(?:no|not|without|except|avoid)\s+([a-z]+)", text))
    words = {singular(word) for word in re.findall(r"[a-z]{3,}", text)} - _EMPTY
    refused = {singular(word) for word in refused}
    positive = words - refused
    tagged = [value for value, tags in values if tags & positive]
    named = [
        value
        for value, _ in values
        if {singular(w) for w in re.findall(r"[a-z]{3,}", value.lower())} & positive
    ]
    kept = tagged or (named if len(named) > 2 else [])
    if refused:
        pool = kept or [value for value, _ in values]
        tags_of = dict(values)
        kept = [
            value
            for value in pool
            if not (tags_of[value] | {singular(w) for w in re.findall(r"[a-z]{3,}", value.lower())}) & refused
        ]
    return frozenset(kept)


def _key(value: str) -> str:
    return " ".join(value.casefold().split())

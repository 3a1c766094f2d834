"""Facts known about a picture, and facts that exclude each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from . import data

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that an idea names and shows: its noun, its name in a sentence, its kind and traits."""

    word: str
    name: str
    traits: frozenset[str]
    plural: bool


@dataclass(slots=True)
class Scene:
    """Facts known about the picture so far; `tags` grows while additions are chosen.

    `kind` is the kind of subject, `noun` its name in a sentence ("the fox"). `covers` are the facets that
    the prompt has settled, `without` what it does not want (as said), `length` the number of its words,
    `entailed` the image board's tags that its nouns bring with them. Where a word or its use is unknown, the
    scene is not `certain`: `subject` is then the kind that was read, and only the tags of `anyway` hold.
    `things` are what of its nouns is there as it usually is, `deeds` its words of what goes on, `text` is
    what was read, `lines` those about the things once they are looked up.
    """

    kind: str = "general"
    noun: str = "the main subject"
    plural: bool = False
    formless: bool = False
    tags: set[str] = field(default_factory=set)
    covers: set[str] = field(default_factory=set)
    without: list[str] = field(default_factory=list)
    length: int = 0
    language: str = "en"
    subject: str = "general"
    entailed: list[str] = field(default_factory=list)
    certain: bool = True
    anyway: set[str] = field(default_factory=set)
    things: list[Thing] = field(default_factory=list)
    deeds: list[Thing] = field(default_factory=list)
    lines: dict[tuple[str, bool], tuple[data.Entry, ...]] = field(default_factory=dict)
    text: str = ""


def settle(scene: Scene) -> None:
    """Add to the scene's tags those that they imply."""
    # A whale lives under water where nothing else is said, one of paper does not.
    for rules in (_rules()[1], _by_nature()):
        if rules is _by_nature() and "crafted" in scene.tags:
            return
        for tag in sorted(scene.tags):
            for more in sorted(rules.get(tag, _NONE)):
                # Snow lies outdoors, but not where the prompt looks at it through a window.
                if same_dimension(more).isdisjoint(scene.tags):
                    scene.tags.add(more)


def be_careful(scene: Scene) -> None:
    """Make of a scene that is not certain one of which only what suits any picture may be said."""
    scene.tags = set(scene.anyway)
    scene.kind, scene.noun, scene.plural, scene.formless = "unsure", "the main subject", False, True
    settle(scene)


def compatible(tags: frozenset[str], scene: Scene) -> bool:
    """Tell whether a line with `tags` contradicts nothing that is known of the scene."""
    excluded, _, dimension_of, values = _rules()
    for tag in tags:
        if not excluded.get(tag, _NONE).isdisjoint(scene.tags):
            return False
        if (
            tag in dimension_of
            and tag not in scene.tags
            and not values[dimension_of[tag]].isdisjoint(scene.tags)
        ):
            return False
    return True


def same_dimension(tag: str) -> frozenset[str]:
    """Return the tags of which only one can hold at a time, `tag` among them."""
    _, _, dimension_of, values = _rules()
    return values[dimension_of[tag]] if tag in dimension_of else frozenset({tag})


def dimension(name: str) -> frozenset[str]:
    """Return all tags of a dimension such as ``medium``."""
    return _rules()[3][name]


@lru_cache(maxsize=1)
def once() -> frozenset[str]:
    """Return the tags that no more than one line may state: there is one wall behind, one frame."""
    return frozenset(split_list(data.words_of("context")["once"]))


def split_list(text: str) -> list[str]:
    """Return the parts of a comma-separated list."""
    return [word.strip() for word in text.split(",") if word.strip()]


@lru_cache(maxsize=1)
def _by_nature() -> dict[str, frozenset[str]]:
    return _by_line(data.words_of("context")["by_nature"])


@lru_cache(maxsize=1)
def not_there_either() -> dict[str, frozenset[str]]:
    """The words for what goes with a thing, by its name: a boat's hull and its ropes."""
    return _by_line(data.words_of("context")["not_there_either"])


def _by_line(text: str) -> dict[str, frozenset[str]]:
    lines = (line.partition(":") for line in text.splitlines())
    return {left.strip(): frozenset(split_list(right)) for left, _, right in lines}


_Rules = tuple[
    dict[str, frozenset[str]], dict[str, frozenset[str]], dict[str, str], dict[str, frozenset[str]]
]


@lru_cache(maxsize=1)
def _rules() -> _Rules:
    context = data.words_of("context")
    excluded: dict[str, set[str]] = {}
    for line in context["excludes"].splitlines():
        left, _, right = line.partition(":")
        for tag in split_list(right):
            excluded.setdefault(left.strip(), set()).add(tag)
            excluded.setdefault(tag, set()).add(left.strip())
    implied = _by_line(context["implies"])
    values = {name: frozenset(tags) for name, tags in context["one_of"].items()}
    dimension_of = {
        tag: name for name, tags in values.items() for tag in tags if name != "angle" or tag != "aerial"
    }
    return {tag: frozenset(tags) for tag, tags in excluded.items()}, implied, dimension_of, values

"""Lines about things that an idea names: true of the thing, whatever else the idea says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from . import data
from .data import Entry
from .scene import Scene, Thing, split_list
from .vocabulary import lexicon

# A line of one thing says its name; a line of several says theirs.
NUMBERS = frozenset({"single", "plural"})
# What a line asks for, though it stands among what it says.
ASKED = frozenset({"nobody", "inanimate"})
_LIVING = frozenset({"person", "group", "animal", "creature", "robot"})
# "In the owls' faces": each has one.
_ONE_EACH = re.compile(
    r"(?<=[a-z] )(the [a-z ]+(?:'s|s')) (face|body|head|nose|outline|tail|beak|back|mane|trunk)\b"
)
_EACH_HAS = re.compile(
    r"\A(The [a-z ]+s') (face|body|head|nose|outline|tail|beak|back|mane|trunk) ([a-z]+)\b"
)
_OWNED = re.compile(r"\b([Tt])he ((?:(?!of\b)[a-z]+ ){1,3})of \{n\}")
# The files, and the list that each has.
ABOUT = {"things": "things", "thing_tags": "tags"}
_ANY = ["any", "abstract", "graphic", "unsure"]
# So many blocks can there be for one thing.
_BLOCKS = 1000


@dataclass(frozen=True, slots=True)
class _Block:
    words: frozenset[str]
    traits: frozenset[str]
    but: frozenset[str]
    unless: frozenset[str]
    said: frozenset[str]
    entries: tuple[Entry, ...]

    def holds(self, thing: Thing) -> bool:
        """Tell whether the lines of the block are true of `thing`."""
        if self.said:
            return thing.word in self.said
        if not self.unless.isdisjoint(thing.traits) or "deed" in thing.traits:
            return False
        if self.words:
            # A grilled chicken is no bird.
            usual = lexicon()[0].get(thing.word, ("",))[0]
            return thing.word in self.words and (usual in thing.traits or not usual)
        return thing.traits >= self.traits and thing.word not in self.but


@lru_cache(maxsize=2)
def blocks_of(file: str) -> tuple[_Block, ...]:
    """Return the lines of a file by what they are about."""
    return tuple(
        _Block(
            frozenset(split_list(block.get("of", ""))),
            frozenset(block.get("like", "").split()),
            frozenset(split_list(block.get("except", ""))),
            frozenset(block.get("unless", "").split()),
            frozenset(split_list(block.get("said", ""))),
            data.entries({"kinds": _ANY, **block}, number),
        )
        for number, block in enumerate(data.words_of(file)[ABOUT[file]])
    )


def lines_about(scene: Scene, *, first: bool = False) -> tuple[Entry, ...]:
    """Return the lines about the things of a scene, or about its first thing alone, with their names."""
    return _about(scene, "things", first=first)


def tags_about(scene: Scene, *, first: bool = False) -> tuple[Entry, ...]:
    """Return the tags that follow from the things of a scene, or from its first thing alone."""
    return _about(scene, "thing_tags", first=first)


def _about(scene: Scene, file: str, *, first: bool) -> tuple[Entry, ...]:
    if (file, first) not in scene.lines:
        scene.lines[file, first] = tuple(_look_up(scene, file, 1 if first else None))
    return scene.lines[file, first]


def _look_up(scene: Scene, file: str, most: int | None) -> Iterator[Entry]:
    said = data.stems(scene.text)
    # A statue that runs raises no dust; its tags are the same.
    deeds = scene.deeds if "literal" in scene.tags or file == "thing_tags" else []
    for place, thing in enumerate([*scene.things, *deeds][:most]):
        own = data.stems(thing.name)
        for entry in _of(thing, file):
            # What the idea says of a part is not said again, and not said otherwise.
            if not (data.stems(entry.phrase) - own) & said:
                yield replace(entry, group=place * _BLOCKS + entry.group)


@lru_cache(maxsize=2)
def _by_word(file: str) -> tuple[dict[str, tuple[_Block, ...]], tuple[_Block, ...]]:
    """Return the blocks of each word that a block names, and those that name none."""
    found: dict[str, tuple[_Block, ...]] = {}
    for block in blocks_of(file):
        for word in block.words | block.said:
            found[word] = (*found.get(word, ()), block)
    return found, tuple(block for block in blocks_of(file) if not block.words | block.said)


@lru_cache(maxsize=1024)
def _of(thing: Thing, file: str) -> tuple[Entry, ...]:
    return tuple(_entries_of(thing, file))


def _entries_of(thing: Thing, file: str) -> Iterator[Entry]:
    by_word, others = _by_word(file)
    for block in (*by_word.get(thing.word, ()), *(() if "deed" in thing.traits else others)):
        if not block.holds(thing):
            continue
        for entry in block.entries:
            numbers = entry.tags & NUMBERS
            if numbers and thing.plural != ("plural" in numbers):
                continue
            # A biker's hair is under the helmet, whatever else is in the picture.
            if not entry.not_with.isdisjoint(thing.traits):
                continue
            name = thing.name
            prose = _OWNED.sub(_owned, entry.prose) if thing.traits & _LIVING else entry.prose
            prose = prose.replace("{n}", name).replace("{N}", name[:1].upper() + name[1:])
            if thing.plural:
                prose = _EACH_HAS.sub(_each_has, _ONE_EACH.sub(r"\1 \2s", prose.replace("s's ", "s' ")))
                prose = prose.replace("bodys", "bodies")
            asked = entry.needs | (entry.tags & ASKED)
            yield replace(entry, prose=prose, tags=entry.tags - NUMBERS - ASKED, needs=asked)


def _each_has(match: re.Match[str]) -> str:
    verb = {"is": "are", "has": "have"}.get(match[3], re.sub(r"(?<=ch|sh)es$|s$", "", match[3]))
    return f"{match[1]} {match[2]}s {verb}"


def _owned(match: re.Match[str]) -> str:
    return f"{'{N}' if match[1] == 'T' else '{n}'}'s {match[2].strip()}"

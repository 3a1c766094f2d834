"""Words of a prompt, and those that the phrasebook knows, as tables made from its files at first use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from . import data
from .scene import split_list

WORD = re.compile(r"[^\W_]+(?:['’.&/\-][^\W_]+)*", re.UNICODE)
OWNS = re.compile(r"['’]s?\Z")
_IRREGULAR = {
    "wolves": "wolf", "calves": "calf", "elves": "elf", "dwarves": "dwarf", "thieves": "thief",
    "knives": "knife", "loaves": "loaf", "mice": "mouse", "geese": "goose",
    "lilies": "lily", "peonies": "peony", "oxen": "ox",
}  # fmt: skip
ALIVE = frozenset({"person", "group", "animal", "creature", "plant"})


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun in a prompt: the words from `start` to before `end`, with its kind and what else it says."""

    start: int
    end: int
    words: str
    kind: str
    traits: tuple[str, ...]
    plural: bool


def tokens_of(text: str) -> list[str]:
    """Return the words of `text` in lower case, without the ending of an owner."""
    return [match[0].lower().replace("’", "'").removesuffix("'s") for match in WORD.finditer(text)]


def break_between(text: str, place: int) -> bool:
    """Tell whether a comma or full stop stands before the word number `place`."""
    return place in _breaks(text)


@lru_cache(maxsize=64)
def _breaks(text: str) -> frozenset[int]:
    words = list(WORD.finditer(text))
    return frozenset(
        place
        for place in range(1, len(words))
        if any(mark in text[words[place - 1].end() : words[place].start()] for mark in ",.;:!?\n|")
    )


def singular(word: str) -> str:
    """Return the singular of an English noun, by rule."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes", "oes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=1)
def lexicon() -> tuple[dict[str, tuple[str, tuple[str, ...]]], int]:
    """The nouns, each with its kind and traits; and the number of words of the longest."""
    nouns: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line in data.words_of("subjects")["nouns"].splitlines():
        head, _, words = line.partition(":")
        kind, *traits = head.split()
        for word in split_list(words):
            nouns.setdefault(word, (kind, tuple(traits)))
    return nouns, max(len(word.split()) for word in nouns)


def context_words() -> tuple[dict[str, tuple[str, ...]], int]:
    """The words that say something of a scene, each with its tags; and the length of the longest."""
    return _tagged_words("words")


def attribute_words() -> tuple[dict[str, tuple[str, ...]], int]:
    """The words that say something of the subject alone, each with its tags; and the longest's length."""
    return _tagged_words("attributes")


@lru_cache(maxsize=2)
def _tagged_words(block: str) -> tuple[dict[str, tuple[str, ...]], int]:
    found: dict[str, tuple[str, ...]] = {}
    for line in data.words_of("context")[block].splitlines():
        head, _, words = line.partition(":")
        for phrase in split_list(words):
            key = " ".join(word.removesuffix("'s") for word in phrase.split())
            found[key] = (*found.get(key, ()), *head.split())
    return found, max(len(word.split()) for word in found)


def worked(kind: str) -> frozenset[str]:
    """The words that make of a subject of `kind` a figure made by hand."""
    return word_list("crafted" if kind in ALIVE or kind == "food" else "crafted_things")


@lru_cache(maxsize=16)
def word_list(name: str) -> frozenset[str]:
    """A list of words, such as ``carriers`` or ``demoting``."""
    return frozenset(split_list(data.words_of("subjects")[name]))

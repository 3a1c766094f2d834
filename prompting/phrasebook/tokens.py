"""Words of a prompt, and the nouns among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"[^\W_]+(?:['’.&/\-][^\W_]+)*", re.UNICODE)
OWNS = re.compile(r"['’]s?\Z")


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

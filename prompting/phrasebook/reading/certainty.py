"""Certainty about a subject: whether all words of an idea are known, in their usual use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from .. import data
from ..scene import Scene, split_list
from ..vocabulary import singular

_LANDS_AT_MOST = 1


def is_certain(scene: Scene, tokens: Sequence[str], nouns: int, known: Iterable[int]) -> bool:
    """Tell whether what is written about known subjects fits this one.

    `nouns` is the number of things and figures that the idea names (places aside), `known` are the places of
    the tokens that belong to a word of the files.
    """
    return (
        is_read(tokens, known)
        and scene.kind in words_for("kinds")
        and nouns == (scene.kind not in words_for("places"))
        and len(tokens) <= int(data.words_of("certainty")["longest"])
        and words_for("strange").isdisjoint(scene.tags)
        and len(words_for("lands") & scene.tags) <= _LANDS_AT_MOST
        and words_for("turns").isdisjoint(tokens)
        and ("indoors" not in scene.tags or not words_for("roomers").isdisjoint({scene.kind, *scene.tags}))
    )


def is_read(tokens: Sequence[str], known: Iterable[int]) -> bool:
    """Tell whether every word of an idea is known."""
    known = set(known)
    plain = words_for("plain") | words_for("turns")
    return all(
        place in known or token in plain or singular(token) in plain for place, token in enumerate(tokens)
    )


@lru_cache(maxsize=32)
def words_for(name: str) -> frozenset[str]:
    """Return a list of words of ``certainty.yaml``."""
    return frozenset(" ".join(word.split()) for word in split_list(data.words_of("certainty")[name]))


@lru_cache(maxsize=1)
def hints() -> dict[str, frozenset[str]]:
    """Return the lists of words that say what may not be said of an unknown subject, by the tag of each."""
    return {name: frozenset(split_list(words)) for name, words in data.words_of("certainty")["hints"].items()}


@lru_cache(maxsize=1)
def sure_words() -> dict[str, frozenset[str]]:
    """Return the words that say a place, an hour or a weather plainly, by the tag that they make sure."""
    return {
        f"sure{name}": frozenset(split_list(words))
        for name, words in data.words_of("certainty")["surely"].items()
    }


@lru_cache(maxsize=1)
def _entailed() -> list[tuple[list[str], tuple[str, ...]]]:
    lines = (line.partition(":") for line in data.words_of("certainty")["entails"].splitlines())
    return [(left.split(), tuple(split_list(right))) for left, _, right in lines]


@lru_cache(maxsize=1)
def _by_word() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in data.words_of("certainty")["word_tags"].splitlines():
        words, _, tags = line.partition(":")
        for word in split_list(words):
            found.setdefault(word, []).extend(split_list(tags))
    return found


def entailed_by(word: str, kind: str, traits: Sequence[str]) -> Iterator[str]:
    """Yield the tags that a noun brings with it, whatever it is made of."""
    if word in words_for("own_tags"):
        yield word
    yield from _by_word().get(word, ())
    own = {kind, *traits}
    for needs, tags in _entailed():
        if all((need.removeprefix("-") in own) != need.startswith("-") for need in needs):
            yield from tags

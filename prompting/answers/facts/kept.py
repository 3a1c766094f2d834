"""Facts of an idea that an answer must hold: lettering, counts, names, colours, and most of its words.

What is found missing costs the user a call, so only what is plain counts. A synonym or a translation is no
loss: numbers and colours are known in several languages, and of the other words most must be gone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache

from ...phrasebook.language import language_of
from ...phrasebook.reading.negations import take_negations
from ...phrasebook.scene import Scene
from .words import CHARACTERS, COLOURS, MEASURES, NUMBERS, ONLY_ANSWERS

_QUOTED = re.compile(
    r"\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|„([^“”\n]{1,80})[“”]|«([^»\n]{1,80})»|「([^」\n]{1,80})」"
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_DENSE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]")
_SYNTAX = re.compile(r"<[^<>]*>|__[^_\s][^\n]*?__|\{[^{}]*\}|\[[^\[\]]*\]|[\d.]+::|:\s*[\d.]+")
# What is not to be there, up to the end of its clause.
_EXCLUDED = re.compile(
    r"(?i)\b(?:no|not|without|never|avoid|exclud\w*|ohne|kein\w*|nicht|sans|pas\s+de|aucune?|sin|без|нет)\b[^,.;:\n]*"
    r"|(?:没有|不要|無|无)[^，。、,\n]*|[^，。、,\n]*(?:なし|ない|없)"
)
_NEGATORS = re.compile(
    r"(?i)\b(?:no|not|without|free\s+of|devoid\s+of|lack\w*|never|empty\s+of)\b[^,.;:\n]*\Z"
)
# A number that counts something: alone, and with a word behind it that is no unit.
_COUNTED = re.compile(
    r"(?<![\w.,:/%°$€£#'-])(\d{1,2})\s+(?!(?:mm|cm|m|km|px|k|fps|s|sec|seconds?|minutes?|hours?|am|pm|o'clock|bit|mp|"
    r"percent|years?|jahre?n?|ans|años|x|by|of|out)\b)(?=[^\W\d_]{2})",
    re.I,
)
_DENSE_COUNT = re.compile(rf"([{''.join(CHARACTERS)}]|(?<!\d)\d{{1,2}})[{MEASURES}]")
_DIGITS = re.compile(r"\d+")
_SENTENCE = re.compile(r"[.!?:;\n]\s*|\A\s*|[\"“”„«»(\[]\s*")
# Of so many words of an idea, in its own language, most must be gone before that is a loss.
_FEWEST_WORDS, _GONE = 3, 0.85
_LEAST_LETTERS, _STEM = 4, 5
_MOST_NAMED = 6
# An idea with one of these is in English; the nouns of a German one are all written like names.
_NOT_GERMAN = frozenset(["the", "a", "of", "with", "and", "from", "by", "on", "is", "are", "his", "her"])


def lettering(idea: str) -> list[str]:
    """Return the texts in quotes: lettering in the picture."""
    return list(dict.fromkeys(next(filter(None, found.groups())) for found in _QUOTED.finditer(idea)))


def lost_lettering(idea: str, text: str) -> list[str]:
    """Return the lettering of `idea` that `text` does not hold."""
    held = _bare(text)
    return [said for said in lettering(idea) if _bare(said) and _bare(said) not in held]


def with_lettering(text: str, lost: list[str], form: str) -> str:
    """Return `text` with the `lost` lettering at its end, in words that fit the `form`."""
    if not lost:
        return text
    said = " and ".join(f'"{words}"' for words in lost)
    if form in ("phrases", "tags"):
        return f"{text.rstrip(' ,.')}, text {said}"
    end = "" if text.rstrip()[-1:] in ".!?。！？" else "."
    return f"{text.rstrip()}{end} The text {said} can be read in the picture."


def lost_facts(idea: str, text: str, *, negative: str = "") -> list[str]:
    """Return the facts of `idea` that neither `text` nor `negative` holds, as the idea has them."""
    plain = _EXCLUDED.sub(" ", _QUOTED.sub(" ", _SYNTAX.sub(" ", idea)))
    whole = f"{text}\n{negative}"
    lost = [f"“{said}”" for said in lost_lettering(idea, whole)]
    lost += _lost_counts(plain, whole) + _lost_colours(plain, whole) + _lost_names(plain, whole)
    if not lost and (gone := _lost_words(plain, whole)):
        lost = gone
    return list(dict.fromkeys(lost))[:_MOST_NAMED]


def brought_in(idea: str, text: str) -> list[str]:
    """Return what an English `idea` says is not there and `text` shows all the same."""
    if language_of(idea) != "en":  # "no porto" is a harbour
        return []
    scene = Scene()
    take_negations(idea, scene)
    found = []
    for thing in scene.without:
        head = re.compile(rf"(?i)(?<!\w){re.escape(thing)}(?!\w)")
        if any(not _NEGATORS.search(text[: place.start()]) for place in head.finditer(text)):
            found.append(thing)
    return found


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _words(text: str) -> list[str]:
    return [found[0] for found in _WORD.finditer(text)]


# -- counts


@lru_cache(maxsize=1)
def _number_words() -> dict[str, int]:
    return {word: number for number, words in NUMBERS.items() for word in words.split()}


def _counts(idea: str) -> Iterator[tuple[int, str]]:
    """Yield the numbers in `idea` that count something, as numbers and as they are written."""
    for found in _COUNTED.finditer(idea):
        if int(found[1]) > 1:
            yield int(found[1]), found[1]
    words = _words(idea)
    for word, after in itertools.pairwise([*words, ""]):
        number = _number_words().get(word.casefold())
        if number and word.casefold() not in ONLY_ANSWERS and after and not after[0].isdigit():
            yield number, word
    for found in _DENSE_COUNT.finditer(idea):
        number = CHARACTERS.get(found[1]) or int(found[1])
        if number > 1:
            yield number, found[0]


def _lost_counts(idea: str, text: str) -> list[str]:
    wanted = list(_counts(idea))
    if not wanted:
        return []
    held = {int(found[0]) for found in _DIGITS.finditer(text) if len(found[0]) < 4}
    held |= {
        number for word in re.findall(r"[^\W\d_]+", text.casefold()) if (number := _number_words().get(word))
    }
    held |= {CHARACTERS[character] for character in text if character in CHARACTERS}
    return [written for number, written in wanted if number not in held]


# -- colours


@lru_cache(maxsize=1)
def _colour_words() -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    asked = {word: name for name, (words, _) in COLOURS.items() for word in words.split()}
    said = {name: frozenset(f"{words} {more}".split()) for name, (words, more) in COLOURS.items()}
    return asked, said


def _lost_colours(idea: str, text: str) -> list[str]:
    asked, said = _colour_words()
    held, text = {word.casefold() for word in re.findall(r"[^\W\d_]+", text)}, text.casefold()
    found = [(word, name) for word in re.findall(r"[^\W\d_]+", idea.casefold()) if (name := asked.get(word))]
    found += [
        (word, name) for word, name in asked.items() if _DENSE.match(word) and len(word) > 1 and word in idea
    ]
    return [
        word
        for word, name in found
        if not held & said[name]
        and not any(_DENSE.match(form) and form in text for form in said[name])
        and not any(other.startswith(name) or name in other.split("-") for other in held)
    ]


# -- names and words


def _lost_names(idea: str, text: str) -> list[str]:
    """Return the capitalised words within a sentence; in German these are nouns, in a title all words."""
    words = _words(idea)
    capitals = [word for word in words if word[0].isupper()]
    if len(capitals) * 2 > len(words) or not _NOT_GERMAN & set(words):
        return []
    starts = {found.end() for found in _SENTENCE.finditer(idea)}
    held = {_stem(word) for word in _words(text)}
    return [
        found[0]
        for found in _WORD.finditer(idea)
        if found[0][0].isupper()
        and found[0].isascii()
        and found[0][1:].islower()
        and len(found[0]) >= _LEAST_LETTERS
        and found.start() not in starts
        and _stem(found[0]) not in held
    ]


def _stem(word: str) -> str:
    return word.casefold().replace("'s", "").replace("’s", "")[:_STEM]


def _lost_words(idea: str, text: str) -> list[str]:
    """Return the words of `idea` that `text` lacks where these are nearly all, in the same language."""
    language = language_of(idea)
    if language == "other" or language != language_of(text):
        return []
    if language == "en" and not _NOT_GERMAN & set(_words(idea)):
        return []  # it may be in any language
    if _DENSE.search(idea):
        characters = {character for character in idea if _DENSE.match(character)}
        gone = [character for character in idea if character in characters and character not in text]
        return (
            [idea.strip()[:40]] if len(characters) > 5 and len(set(gone)) >= _GONE * len(characters) else []
        )
    wanted = {word.casefold(): word for word in _words(idea) if len(word) >= _LEAST_LETTERS}
    held = {word.casefold() for word in _words(text)}
    gone = [word for key, word in wanted.items() if not any(_akin(key, other) for other in held)]
    return gone if len(wanted) >= _FEWEST_WORDS and len(gone) > _GONE * len(wanted) else []


def _akin(one: str, other: str) -> bool:
    """Tell whether two words have a stem in common, or one is part of the other."""
    least = min(len(one), len(other), _STEM)
    return least >= 3 and (one[:least] == other[:least] or one in other)

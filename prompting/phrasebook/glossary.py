"""English for ideas in other languages, word by word: the commonest words of pictures and no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from . import data
from .language import ENGLISH, language_of
from .vocabulary import ALIVE, context_words, lexicon, singular

# In these the thing that the words before it describe stands last, and a postposition behind its noun.
_HEAD_LAST = frozenset({"ja", "ko", "zh"})
_WITHOUT_BLANKS = frozenset({"ja", "zh"})
# Of these a word that we do not know stays as it is: a name is one, and the rest is guessed by many encoders.
_LATIN = frozenset({"de", "fr", "es", "pt"})
_QUALITY_BEHIND = frozenset({"fr", "es", "pt"})
# An ending may have so many letters; Korean ones are particles and may be two.
_LONGEST_ENDING, _LONGEST_WORDS = 3, 4
_LEAST_HITS = 2
_SYNTAX = re.compile(r"[\[\]{}()<>|\\_*\"“”「」:]")
_PIECE = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*['’]?|\d+|[^\w\s]")
_BREAK = frozenset(",.;!?、。，；！？…")
_TAKES_THING = frozenset(
    {"wearing", "holding", "reading", "eating", "drinking", "selling", "mending", "looking at", "playing"}
)
_TELLING = ("nouns", "times", "qualities", "numbers", "actions")
_KINDS = (*_TELLING, "between")


@dataclass(frozen=True, slots=True)
class Gloss:
    """An idea in English, and its words that have no English here: left out, or kept as they are."""

    english: str
    unknown: tuple[str, ...]
    keeps_unknown: bool


@dataclass(slots=True)
class _Phrase:
    """A thing: what joins it to the one before, its qualities, its name, what it does."""

    joint: str
    qualities: list[str]
    name: str
    does: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.joint}{' '.join([*self.qualities, self.name, *self.does])}"


def gloss(prompt: str, language: str) -> Gloss | None:
    """Return `prompt` in English; None where too few of its words are known."""
    if _SYNTAX.search(prompt) or language not in data.words_of("glossary")["skipped"]:
        return None
    items = list(_items(prompt, language))
    known = {item for item in items if item[0] in _TELLING}
    left_out = tuple(word for kind, word in items if kind == "unknown")
    few = 1 if language in _HEAD_LAST else _LEAST_HITS
    if len(known) < few or not any(kind == "nouns" for kind, _ in known) or len(left_out) > len(known) / 2:
        return None
    ordered = _head_first(items) if language in _HEAD_LAST else items
    return Gloss(_joined(ordered, language), left_out, language in _LATIN)


def gloss_for(prompt: str, languages: Sequence[str]) -> Gloss | None:
    """Return `prompt` in English where none of `languages`, a target's, is its own; None for any other."""
    language = spoken(prompt)
    is_read = "any" in languages or language in ("en", "other", *languages)
    return None if is_read else gloss(prompt, language)


def spoken(prompt: str) -> str:
    """Return the language of `prompt` as `language_of` does, or the one whose words of things it has."""
    found = language_of(prompt)
    if found in _HEAD_LAST or found in ("ru", "other"):
        return found
    words = [word.casefold() for word in re.findall(r"[^\W\d_]+", prompt)]
    scores = {
        language: sum(_found([word], language) is not None for word in words if not _is_english(word))
        for language in ("de", "fr", "es", "pt")
    }
    best = max(scores, key=lambda language: (scores[language], language == found))
    if found == "en":
        english = sum(map(_is_english, words))
        is_evident = scores[best] > max(english, _LEAST_HITS - 1) and 2 * scores[best] >= len(words)
        return best if is_evident else found
    return best if scores[best] > scores.get(found, _LEAST_HITS) else found


def _is_english(word: str) -> bool:
    return word in ENGLISH or word in lexicon()[0] or word in context_words()[0]


def _items(prompt: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, English) of each word; "break" for a mark, "name" and "unknown" for what is not known."""
    if language in _WITHOUT_BLANKS:
        yield from _unspaced(prompt, language)
        return
    pieces: list[str] = _PIECE.findall(prompt)
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        if not piece[0].isalpha():
            yield ("break", "") if piece in _BREAK else ("name", piece)
            place += 1
            continue
        for size in range(min(_LONGEST_WORDS, len(pieces) - place), 0, -1):
            words = [word.casefold().replace("’", "'") for word in pieces[place : place + size]]
            if found := _found(words, language):
                # "Junge" is a boy in German, and "junge" is young.
                if language == "de" and size == 1 and piece.islower() and found[0] == "nouns":
                    found = _by_stem(words[0], language) or found
                yield found
                place += size
                break
        else:
            yield ("name" if piece[0].isupper() and place else "unknown"), piece
            place += 1


def _unspaced(prompt: str, language: str) -> Iterator[tuple[str, str]]:
    forms, _ = _table(language)
    longest = max(map(len, forms))
    unknown = ""
    place = 0
    while place <= len(prompt):
        rest = prompt[place : place + longest]
        size = next((size for size in range(len(rest), 0, -1) if rest[:size] in forms), 0)
        mark = rest[:1] in _BREAK or rest[:1].isspace() or not rest
        if (size or mark) and unknown:
            yield "unknown", unknown
            unknown = ""
        if size:
            yield forms[rest[:size]]
        elif mark:
            yield "break", ""
        else:
            unknown += rest[:1]
        place += size or 1


def _found(words: Sequence[str], language: str) -> tuple[str, str] | None:
    forms, _ = _table(language)
    joined = " ".join(words)
    if joined in forms:
        return forms[joined]
    return _by_stem(joined, language)


def _by_stem(word: str, language: str) -> tuple[str, str] | None:
    forms, stems = _table(language)
    for size in range(len(word), max(0, len(word) - 1 - _LONGEST_ENDING), -1):
        if " " in word[size:]:
            return None
        if found := stems.get(word[:size]):
            return found
        # A particle stands at the end of a Korean word.
        if language == "ko" and forms.get(word[:size], ("skipped",))[0] != "skipped":
            return forms[word[:size]]
    return None


@cache
def _table(language: str) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Return (forms, stems) of a language, each with its kind and its English."""
    words = data.words_of("glossary")
    column = [code.strip() for code in words["order"].split(";")].index(language)
    forms: dict[str, tuple[str, str]] = {}
    stems: dict[str, tuple[str, str]] = {}
    for kind in _KINDS:
        for line in words[kind].splitlines():
            english, _, others = line.partition(":")
            for form in others.split(";")[column].split():
                word = form.replace("_", " ")
                (stems if word.endswith("*") else forms).setdefault(word.rstrip("*"), (kind, english.strip()))
    for word in words["skipped"][language].split():
        forms.setdefault(word, ("skipped", ""))
    return forms, stems


def _head_first(items: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the items with the subject's first, and without the words that only join."""
    kept = [item for item in items if item[0] not in ("between", "skipped")]
    nouns = [place for place, (kind, _) in enumerate(kept) if kind == "nouns"]
    alive = [place for place in nouns if _is_alive(kept[place][1])]
    end = next((place for place, (kind, _) in enumerate(kept) if kind == "break"), len(kept))
    first = alive or [place for place in nouns if place < end][-1:]
    if not first:
        return kept
    start = first[0]
    while start and kept[start - 1][0] in ("qualities", "numbers"):
        start -= 1
    head = kept[start : first[0] + 1]
    return [*head, *kept[:start], *kept[first[0] + 1 :]]


def _is_alive(noun: str) -> bool:
    kind, _ = lexicon()[0].get(singular(noun.split()[-1]), ("", ()))
    return kind in ALIVE - {"plant"}


def _joined(items: Sequence[tuple[str, str]], language: str) -> str:
    phrases: list[_Phrase] = []
    waiting: list[str] = []
    is_counted = False
    joint, before = ", ", ""
    for kind, word in items:
        behind = phrases[-1] if phrases and before == "nouns" else None
        if kind == "qualities" and language in _QUALITY_BEHIND and behind:
            behind.qualities.append(word)
            continue
        if kind in ("qualities", "numbers"):
            waiting.append(word)
            is_counted = is_counted or kind == "numbers"
        elif kind in ("nouns", "times", "name") or (kind == "unknown" and language in _LATIN):
            # "Cocina" cooks in one place and is a kitchen in the other.
            if phrases and phrases[-1].name == word and not phrases[-1].qualities:
                phrases.pop()
            noun = _plural(word) if is_counted and kind == "nouns" else word
            phrases.append(_Phrase(joint, waiting, noun))
            waiting, is_counted, joint = [], False, ", "
        elif kind == "actions":
            is_verb_last = language in ("ja", "ko")
            if behind and is_verb_last and word in _TAKES_THING and len(phrases) > 1:
                behind.qualities.insert(0, word)
            elif behind and language not in _HEAD_LAST:
                behind.does.append(word)
            else:
                phrases.append(_Phrase(joint, [], word))
            joint = " " if word in _TAKES_THING and not is_verb_last else ", "
        elif kind == "between":
            joint = f" {word} "
        elif kind == "unknown":
            waiting, is_counted = [], False
        before = kind if kind != "skipped" else before
    if waiting:
        phrases.append(_Phrase(joint, waiting[:-1], waiting[-1]))
    return "".join(map(str, phrases)).removeprefix(phrases[0].joint)


def _plural(noun: str) -> str:
    irregular = {
        "woman": "women",
        "man": "men",
        "child": "children",
        "fish": "fish",
        "sheep": "sheep",
        "deer": "deer",
        "mouse": "mice",
        "goose": "geese",
        "person": "people",
    }
    if noun in irregular or noun in irregular.values():
        return irregular.get(noun, noun)
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun if noun.endswith("s") else f"{noun}es"
    if noun.endswith("f"):
        return f"{noun[:-1]}ves"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"

"""English for ideas in other languages, word by word: the commonest words of pictures and no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from . import data
from .language import ENGLISH, language_of
from .vocabulary import ALIVE, context_words, lexicon, singular

# In these the thing that the words before it describe stands last, and a postposition behind its noun.
_HEAD_LAST = frozenset({"ja", "ko", "zh"})
_WITHOUT_BLANKS = frozenset({"ja", "zh"})
# Chinese words of one character that join others and begin or end hardly any.
_BORDERS = frozenset("的在和")
# Of these a word that we do not know stays as it is: a name is one, and the rest is guessed by many encoders.
_KEEPING = frozenset({"de", "fr", "es", "pt"}) | _WITHOUT_BLANKS
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
# Behind its noun where the head of a phrase is last.
_PLACES = frozenset({"under", "in front of", "behind", "over"})
_FALLING = frozenset({"snow", "rain", "sun", "storm"})
_NAMING = frozenset({"nouns", "unknown", "name"})


@dataclass(frozen=True, slots=True)
class Gloss:
    """An idea in English, and its words that have no English here: left out, or kept as they are."""

    english: str
    unknown: tuple[str, ...]
    keeps_unknown: bool


@dataclass(frozen=True, slots=True)
class _Cut:
    """A piece of a text without blanks: a known word, a mark, or a single character that is neither."""

    text: str
    kind: str
    english: str


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
    # Without kana, Japanese looks like Chinese.
    if language == "zh" and ("unknown" in dict(items)):
        japanese = list(_items(prompt, "ja"))
        items, language = (items, "zh") if "unknown" in dict(japanese) else (japanese, "ja")
    known = {item for item in items if item[0] in _TELLING}
    left_out = tuple(word for kind, word in items if kind == "unknown")
    # An article gives a language away, where all that follows is known.
    is_evident = language in _HEAD_LAST or (not left_out and ("skipped", "") in items)
    few = 1 if is_evident else _LEAST_HITS
    # What is not known of a text without blanks is one name as often as not.
    most = len(known) if language in _WITHOUT_BLANKS else len(known) / 2
    if len(known) < few or not any(kind == "nouns" for kind, _ in known) or len(left_out) > most:
        return None
    ordered = _head_first(items) if language in _HEAD_LAST else items
    return Gloss(_joined(ordered, language), left_out, language in _KEEPING)


def gloss_for(prompt: str, languages: Sequence[str]) -> Gloss | None:
    """Return `prompt` in English where none of `languages`, a target's, is its own; None for any other."""
    language = spoken(prompt)
    is_read = "any" in languages or language in ("en", "other", *languages)
    return None if is_read else gloss(prompt, language)


def spoken(prompt: str) -> str:
    """Return the language of `prompt` as `language_of` does, or the one whose words of things it has."""
    found = language_of(prompt)
    if found in _HEAD_LAST or found in ("ru", "it", "other"):
        return found
    words = [word.casefold() for word in re.findall(r"[^\W\d_]+", prompt)]
    scores = {
        language: sum(_found([word], language) is not None for word in words if not _is_english(word))
        for language in ("de", "fr", "es", "pt")
    }
    best = max(scores, key=lambda language: (scores[language], language == found))
    if found == "en":
        english = sum(map(_is_english, words))
        if not english:  # of three words without an English one, one is enough
            return best if scores[best] >= (1 if len(words) > _LEAST_HITS else _LEAST_HITS) else found
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
    """Yield the items of a text without blanks: a stretch of which a part is not known is not known at all.

    A torii is no bird, and Shanghai no sea.
    """
    stretch: list[_Cut] = []
    unknown = ""
    for cut in _cuts(prompt, language):
        is_border = cut.kind == "break" or _is_border(cut, stretch, language)
        if stretch and (is_border or _ends(stretch[-1], cut, language)):
            if _is_known(stretch, language):
                yield from _told(unknown)
                yield from ((each.kind, each.english) for each in stretch)
                unknown = ""
            else:
                unknown += "".join(each.text for each in stretch)
            stretch = []
        if is_border:
            yield from _told(unknown)
            unknown = ""
            yield cut.kind, cut.english
        else:
            stretch.append(cut)


def _told(unknown: str) -> Iterator[tuple[str, str]]:
    if unknown:
        yield "unknown", unknown


def _cuts(prompt: str, language: str) -> Iterator[_Cut]:
    """Cut `prompt` into the longest known words and single characters; a break stands at its end."""
    forms, _ = _table(language)
    longest = _longest(language)
    place = 0
    while place < len(prompt):
        rest = prompt[place : place + longest]
        size = next((size for size in range(len(rest), 0, -1) if rest[:size] in forms), 0)
        if size:
            yield _Cut(rest[:size], *forms[rest[:size]])
        elif rest[0] in _BREAK or rest[0].isspace():
            yield _Cut(rest[0], "break", "")
        else:
            yield _Cut(rest[0], "unknown", rest[0])
        place += size or 1
    yield _Cut("", "break", "")


@cache
def _longest(language: str) -> int:
    return max(map(len, _table(language)[0]))


def _is_border(cut: _Cut, before: Sequence[_Cut], language: str) -> bool:
    """Tell whether `cut` is a word that stands between others and is part of none."""
    if language == "zh":
        return cut.text in _BORDERS or (len(cut.text) > 1 and cut.kind == "skipped")
    # An "i" within a word in kana is no particle.
    follows = not before or before[-1].kind != "unknown" or _script(before[-1].text[-1]) != "hiragana"
    return cut.kind in ("between", "skipped") and follows


def _ends(last: _Cut, following: _Cut, language: str) -> bool:
    """Tell whether a word ends between two cuts."""
    if language == "zh":
        return last.kind == "numbers" or (len(last.text) > 1 and last.text[-1] in "的在着")
    scripts = _script(last.text[-1]), _script(following.text[0])
    return scripts[0] != scripts[1] and scripts != ("kanji", "hiragana")


def _is_known(stretch: Sequence[_Cut], language: str) -> bool:
    """Tell whether the words of a stretch are the ones that its characters say."""
    if any(cut.kind == "unknown" for cut in stretch):
        return False
    # In Chinese "above" stands behind a thing, and is part of a word before one.
    if language == "zh" and stretch[0].kind in ("between", "skipped") and len(stretch) > 1:
        return False
    # A firework is no flower and no fire.
    return not any(
        one.kind == other.kind == "nouns" and len(one.text) == len(other.text) == 1
        for one, other in pairwise(stretch)
    )


def _script(character: str) -> str:
    if "\u3041" <= character <= "\u309f":
        return "hiragana"
    return "katakana" if "\u30a0" <= character <= "\u30ff" else "kanji"


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
            return forms[word[:size]] if _is_particle(word[size:]) else None
    return None


def _is_particle(ending: str) -> bool:
    """Tell whether a Korean ending is made of particles: a frog, which begins like a dog, is none."""
    forms, _ = _table("ko")
    if not ending:
        return True
    return any(
        _is_particle(ending[size:])
        for size in range(1, len(ending) + 1)
        if ending[:size] == "들"
        or (ending[:size] != "한" and forms.get(ending[:size], ("",))[0] in ("skipped", "between"))
    )


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
    """Return the items with the subject's first, and of the words that join those that say where, before what
    they stand behind ("桜の下で" is under cherry trees)."""
    kept: list[tuple[str, str]] = []
    for item in items:
        if item[0] == "between" and item[1] in _PLACES and kept and kept[-1][0] == "nouns":
            place = len(kept) - 1
            while place and kept[place - 1][0] in ("qualities", "numbers"):
                place -= 1
            kept.insert(place, item)
        elif item[0] not in ("between", "skipped"):
            kept.append(item)
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
        behind = phrases[-1] if phrases and before in _NAMING else None
        # "Globo rojo": red is what we have no word for, too.
        if kind == "qualities" and language in _QUALITY_BEHIND and behind:
            behind.qualities.append(word)
            continue
        if kind in ("qualities", "numbers"):
            waiting.append(word)
            is_counted = is_counted or kind == "numbers"
        elif kind in ("nouns", "times", "name") or (kind == "unknown" and language in _KEEPING):
            # "Cocina" cooks in one place and is a kitchen in the other.
            if phrases and phrases[-1].name == word and not phrases[-1].qualities:
                phrases.pop()
            noun = _plural(word) if is_counted and kind == "nouns" else word
            # "Sous la neige" is in the snow, and not under it.
            if joint == " under " and word in _FALLING:
                joint = " in "
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
        "samurai": "samurai",
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

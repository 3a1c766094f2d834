"""Pieces of a very small model's text that fit its idea: nobody and nothing new, and words of pictures.

Models of a few hundred million parameters go on about anything. A clause or a term of theirs stays where it
brings in no subject of its own, speaks of what can be drawn, and has mostly words that the phrasebook knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile

from ..answers.facts.idea_tags import is_english, tags_in, unquoted
from ..answers.terms import LISTS, NOBODY, shows_people
from ..phrasebook import data
from ..phrasebook.language import language_of
from ..phrasebook.reading.subjects import read_scene
from ..phrasebook.scene import Scene, compatible, settle
from ..phrasebook.things import ABOUT, blocks_of, lines_about, tags_about
from ..phrasebook.vocabulary import attribute_words, context_words, lexicon, singular
from ..targets import Target
from ..targets.fitting import split_terms

_WORD = re.compile(r"[^\W\d_]{3,}")
_ANY_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CLAUSE = re.compile(r",\s+(?:and\s+|but\s+)?")
_FACETS = ("camera", "detail", "finish", "light", "motion", "setting", "surroundings", "tags", "unsure")
# Somebody or something that is the subject of a picture wherever it stands.
_SUBJECTS = frozenset({"person", "group", "animal", "creature", "robot", "vehicle", "food"})
_ALIVE = frozenset({"person", "group", "animal", "creature", "robot"})
_PEOPLE = frozenset({"person", "group"})
_STEM = 5
# Of a good text's words a quarter at most are unknown (the worked examples of all targets).
_UNKNOWN, _FEWEST_UNKNOWN = 0.35, 2
_FEWEST_WORDS = 2
_SHORT = 4
_NOT_DRAWN = re.compile(
    r"(?i)\b(?:moments?|beauty|beautiful|joy|peace|harmony|love|soul|sense|feeling|symbol|testament|reminder|iconic"
    r"|process|concept|idea|reality|history|culture|tradition|dreams?|memor\w+|imagination|inspiration|adventure"
    r"|journey|truth|endless|perfect\w*|masterpiece|magic(?!al)|mystery|importan\w+|significan\w+|represent\w*"
    r"|sight|wonder|experience|time and space|scent|smell|sweet|story|stories|tale|world of|place where)\b"
)
# A prompt says how it looks: no reason, no wish, no past, nothing that is not there or that nobody can name
# (so do the worked examples of all targets).
_NOT_SEEN = re.compile(
    r"(?i)\b(?:because|since|therefore|in order to|used to|if|when|will|would|could|can(?! be)|cannot|might"
    r"|may|was|were|had|did|does|never|not|nothing|anything|anyone|anybody|something|someone|somebody|everything"
    r"|everyone|everybody|you|your|things?|talk\w*|loves?|loved|wants?|wanted|seems?|temperatures?|sounds?"
    r"|extraordinary|wondrous|amazing|incredible|feats?|dreamscape|natural world)\b|n['’]t\b"
)
_OF_TEXT = re.compile(
    r"(?i)\b(?:phrases?|sentences?|paragraphs?|tags?|keywords?|typeface|spelled|alphabet|vocabulary|grammar|caption"
    r"|instructions?|descriptions?|titles?|english|pictures|images|the words|object|setting:"
    r"|image of|picture of|photo of|scene of)\b"
)

# Terms that only say where something is, or how and not what, save the image board's tags of a view.
_NO_THING = re.compile(
    r"(?i)\A(?!from (?:above|below|behind|side)\Z)(?:(?:an?|the|in|on|at|of|from|to|with|over|under"
    r"|above|below|behind|around|beside|between|facing|front|top|bottom|middle|left|right|side|background|foreground"
    r"|ground|out|up|down|and|or|more|other|one|two|wearing|red|orange|yellow|green|blue|purple|pink|brown"
    r"|black|white|gr[ae]y|gold|golden|silver|small|large|big|little|tall|long|short|old|new|dark|bright|pale"
    r"|soft)(?:\s+|\Z))+\Z"
)
# Words of our own request that come back bare, and orders.
_ECHOED = re.compile(
    r"(?i)\A\W*(?:(?:an? |the )?(?:setting|set|light(?:ing)?|materials?|view)"
    r"|(?:see|show|look|name)\b.*)?\W*\Z"
)
_SOMEBODY = re.compile(r"(?i)\b(?:he|she|him|his|her|hers)\b")
_HE = re.compile(
    r"(?i)\b(?:he|him|his|\w*(?<!wo|hu|ro)(?<!ger)m[ae]n|\d?boys?|father|grandfather|king|prince|monk|lad)\b"
)
_SHE = re.compile(
    r"(?i)\b(?:she|her|hers|wom[ae]n|\w+wom[ae]n|\d?girls?|mother|grandmother|queen|princess|nun|lady)\b"
)
_PAIRS = ((_HE, _SHE), (_SHE, _HE))
_PLACES = frozenset({"landscape", "city", "building", "interior"})
# Words that say nothing of a picture, and those of an edit that leaves the rest alone.
_PLAIN = frozenset(
    ["also", "and", "are", "but", "for", "from", "has", "have", "her", "his", "into", "its", "off", "onto",
     "out", "over", "picture", "the", "their", "them", "there", "they", "this", "that", "under", "was",
     "were", "while", "with"]
)  # fmt: skip
_TURN = re.compile(r"(?i)\b(?:not?|none|never|without|\d+)\b|n['’]t\b")
_SOME = re.compile(r"(?i)\A\d\+?(?:girl|boy)s?\Z")
_LEFT_ALONE = frozenset(
    ["all", "alone", "change", "changed", "colour", "else", "everything", "exactly", "image", "keep",
     "keeping", "leave", "make", "other", "picture", "replace", "rest", "same", "shape", "size", "stay",
     "stays", "unchanged"]
)  # fmt: skip


@lru_cache(maxsize=1)
def picture_words() -> frozenset[str]:
    """Return the beginnings, of five letters, of all words that the phrasebook says or knows."""
    said = [" ".join(words) for words in (lexicon()[0], context_words()[0], attribute_words()[0])]
    for name in _FACETS:
        for entries in data.facets(name).values():
            said += [f"{entry.phrase} {entry.prose}" for entry in entries]
    for block in (block for file in ABOUT for block in blocks_of(file)):
        said += [f"{entry.phrase} {entry.prose}" for entry in block.entries]
    return frozenset(_stem(word) for text in said for word in _WORD.findall(text))


def subjects_in(text: str, kinds: frozenset[str] = _SUBJECTS) -> list[str]:
    """Return the people, animals, vehicles and dishes that an English `text` names, each as a single one."""
    nouns = lexicon()[0]
    found = []
    for word in (word.casefold() for word in _WORD.findall(text)):
        kind, traits = nouns.get(word) or nouns.get(singular(word)) or ("", ())
        if kind in kinds and "part" not in traits and word not in ("orange", "face", "figure", "model"):
            found.append(singular(word))
    return list(dict.fromkeys(found))


def names_people(text: str) -> bool:
    """Tell whether an English `text` names somebody: also by a profession."""
    return shows_people(text) or bool(subjects_in(text, _PEOPLE))


def fits(piece: str, own: str) -> bool:
    """Tell whether a clause or a term may stand in a prompt made of `own`, the user's text."""
    if piece.casefold().strip(" .") in own.casefold():
        return True
    known = {_stem(word) for word in _WORD.findall(own)}
    new = [word for word in _WORD.findall(piece) if _stem(word) not in known]
    unknown = [word for word in new if len(word) > 3 and _stem(word) not in picture_words()]
    if len(unknown) >= _FEWEST_UNKNOWN and len(unknown) > _UNKNOWN * len(new):
        return False
    if set(subjects_in(piece)) - set(subjects_in(own)) or _ECHOED.match(piece):
        return False
    # An animal may well be "she", but not a house.
    if _SOMEBODY.search(piece) and not (
        _SOMEBODY.search(own) or subjects_in(own, _ALIVE) or shows_people(own)
    ):
        return False
    if any(other.search(piece) and one.search(own) and not other.search(own) for one, other in _PAIRS):
        return False
    return not any(
        found[0].casefold() not in own.casefold()
        for pattern in (_NOT_DRAWN, _OF_TEXT)
        for found in pattern.finditer(piece)
    )


def _is_seen(piece: str, own: str) -> bool:
    """Tell whether a clause or a term fits `own` and says how something looks."""
    return fits(piece, own) and all(word.casefold() in own.casefold() for word in _NOT_SEEN.findall(piece))


def _is_again(term: str, own: str) -> bool:
    """Tell whether `term` says once more what `own` does: “a cat” of three cats."""
    known = {_stem(word) for word in _WORD.findall(own)}
    words = {_stem(word) for word in _WORD.findall(term) if word.casefold() not in _PLAIN}
    return bool(words) and words <= known and term.casefold() not in own.casefold()


def runs(text: str) -> list[tuple[str, ...]]:
    """Return each four words in a row of which two at least are long."""
    words = [word.casefold() for word in _ANY_WORD.findall(text)]
    fours = zip(words, words[1:], words[2:], words[3:], strict=False)
    return [four for four in fours if sum(len(word) > _SHORT for word in four) > 1]


def fitting(text: str, own: str, *, is_list: bool, shown: Sequence[str] = ()) -> str:
    """Return `text` without the terms, or without the clauses and sentences, that do not fit `own`.

    Such are those that a worked example, one of `shown`, says in the same words.
    """
    copied = {run for example in shown for run in runs(example)} - {*runs(own)}

    def is_kept(piece: str) -> bool:
        return _is_seen(piece, own) and copied.isdisjoint(runs(piece))

    if is_list:
        known, places, terms = _places_in(own), set[str](), list[str]()
        own_terms = {*split_terms(own), *tags_in(own)}
        said = [
            term
            for term in split_terms(text)
            if term in own_terms or not (_NO_THING.match(term) or _is_again(term, own))
        ]
        for term in filter(is_kept, said):
            new = _places_in(term) - known
            # One more place may be where the subject is, two are elsewhere.
            if new <= places or not places:
                places |= new
                terms.append(term)
        return ", ".join(terms)
    first, *others = _SENTENCE.split(text)
    # What follows a clause that does not fit goes on about the same.
    clauses = list(takewhile(is_kept, _CLAUSE.split(first.rstrip(".!? "))))
    kept = [
        f"{', '.join(clauses)}".rstrip(" ,;:") + ".",
        *(sentence for sentence in others if all(map(is_kept, _clauses(sentence)))),
    ]
    return " ".join(sentence for sentence in kept if len(sentence.split()) >= _FEWEST_WORDS)


def unvouched(text: str, own: str, target: Target) -> list[str]:
    """Return the clauses or terms of `text` that nothing shows to fit `own`, the user's text.

    Vouched for are the user's own words, and what the phrasebook says itself where that goes with what it
    knows of the scene. Nothing vouches for a sentence of a very small model's own.
    """
    if text.strip(" .").casefold() in own.casefold():
        return []
    if not is_english(unquoted(own)) or language_of(unquoted(text)) != "en":
        return [text]
    is_list = target.form in LISTS
    scene = read_scene(own)
    known = {_stem(word) for word in _WORD.findall(own)} | {_stem(word) for word in _PLAIN}
    if target.kind == "edit":
        known |= {_stem(word) for word in _LEFT_ALONE}
    about = _phrases_about(scene)
    found = []
    pieces = split_terms(text) if is_list else _clauses(text)
    # A quotation that was begun and not ended.
    halves = [piece for piece in pieces if text.count('"') % 2 and piece.count('"') % 2]
    half = halves[-1] if halves else ""
    for piece in pieces:
        said = piece.strip(" .!?").casefold()
        is_own = all(_stem(word) in known for word in _WORD.findall(said))
        is_own = is_own and piece != half and _turns(said) <= _turns(own)
        if is_own or _counts_rightly(said, own):
            continue
        states = next(
            (
                entry
                for entry in (*_phrases().get(said, ()), *about.get(said, ()))
                if not {scene.kind, "unsure"}.isdisjoint(entry.kinds)
                and entry.not_with.isdisjoint(scene.tags)
                and compatible(entry.tags, scene)
            ),
            None,
        )
        if states is None:
            found.append(piece.strip(" .!?"))
        else:  # the next one has to go with it
            scene.tags |= states.tags
            settle(scene)
    return found


def strangest(pieces: Sequence[str], own: str) -> list[str]:
    """Return `pieces`, those first of which the most words are known neither from `own` nor from pictures.

    Of equal ones the longer come first.
    """
    known = picture_words() | {_stem(word) for word in _WORD.findall(own)}

    def strange(piece: str) -> tuple[float, int]:
        words = _WORD.findall(piece)
        odd = sum(_stem(word) not in known for word in words) + len(
            set(subjects_in(piece)) - set(subjects_in(own))
        )
        return -odd / (len(words) or 1), -len(words)

    return sorted(pieces, key=strange)


def _turns(text: str) -> set[str]:
    """Return the words and numbers of `text` that can make another thing of the same words."""
    return {found.casefold() for found in _TURN.findall(text)}


def _counts_rightly(term: str, own: str) -> bool:
    """Tell whether `term` is the tag that says whether somebody is in the picture, as `own` has it."""
    return term == NOBODY if not names_people(own) else bool(_SOME.match(term))


def vouched(text: str, own: str, target: Target) -> str:
    """Return `text` without the clauses or terms that nothing shows to fit `own`.

    Returns "" where that would cut a quotation in two.
    """
    out = set(unvouched(text, own, target))
    if not out:
        return text
    if target.form in LISTS:
        left = ", ".join(term for term in split_terms(text) if term.strip(" .!?") not in out)
        return left if left.count('"') % 2 == 0 else ""
    sentences, said = list[str](), set[str]()
    for sentence in _SENTENCE.split(text):
        kept = [clause for clause in _CLAUSE.split(sentence) if clause.strip(" .!?") not in out]
        # What is left of a later sentence may only say a word of the first once more.
        if kept and not {*map(_stem, _WORD.findall(" ".join(kept)))} <= said:
            said |= {*map(_stem, _WORD.findall(" ".join(kept)))}
            sentences.append(f"{', '.join(kept).rstrip(' ,;:.')}.")
    left = " ".join(sentences)
    return left if left.count('"') % 2 == 0 else ""


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[data.Entry]]:
    """Return the phrases of the phrasebook, between commas, each with the entries that say it."""
    found: dict[str, list[data.Entry]] = {}
    for name in _FACETS:
        for entries in data.facets(name).values():
            for entry in entries:
                for term in split_terms(entry.phrase.casefold()):
                    found.setdefault(term, []).append(entry)
    return found


def _phrases_about(scene: Scene) -> dict[str, list[data.Entry]]:
    """Return the phrases about the things of a scene, as `_phrases` does."""
    found: dict[str, list[data.Entry]] = {}
    for entry in lines_about(scene) + tags_about(scene):
        if entry.needs <= scene.tags:
            for term in split_terms(entry.phrase.casefold()):
                found.setdefault(term, []).append(entry)
    return found


def _clauses(text: str) -> list[str]:
    pieces = (clause for sentence in _SENTENCE.split(text) for clause in _CLAUSE.split(sentence))
    return [clause for clause in pieces if clause.strip(" .!?")]


def _places_in(text: str) -> set[str]:
    nouns = lexicon()[0]
    words = [singular(word.casefold()) for word in _WORD.findall(text)]
    return {word for word in words if nouns.get(word, ("",))[0] in _PLACES}


def unfit(text: str, own: str) -> str:
    """Return the first clause or term of `text` that does not fit `own`; "" where all of them do."""
    return next((clause.strip(" .!?") for clause in _clauses(text) if not fits(clause, own)), "")


def _stem(word: str) -> str:
    return singular(word.casefold())[:_STEM]

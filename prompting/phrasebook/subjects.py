"""Reader of prompts: the subject, what the prompt says of its scene, and what it has settled already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from . import data
from .language import language_of
from .negations import take_negations
from .scene import Scene, dimension, settle, split_list

# Code, references and quoted text are the user's own business; nothing is read into them.
_OPAQUE = re.compile(r'"[^"\n]*"|“[^”\n]*”|<[^<>\n]*>|__[\w\-/*]+__|\bembedding:\S+|https?://\S+')
_WORD = re.compile(r"[^\W_]+(?:['’.&/\-][^\W_]+)*", re.UNICODE)
# "dark blue" is a colour and "light wood" a material, not light.
_COLOURED = re.compile(
    r"\b(dark|bright|light|pale|deep|warm|soft|cold|hot|hard|fall|old)[\s-]+(red|blue|green|yellow|orange|purple|pink|"
    r"brown|grey|gray|black|white|gold|golden|teal|beige|blonde?|hair\w*|eye\w*|skin\w*|wood\w*|oak|fur|coat|suit|"
    r"dress|jacket|shirt|chocolate|el(?:f|ves)|lord|knight|wizard|mage|roast|rum|beer|drinks?|brew|coffee|tea|dog|"
    r"drive|town|smile|bulb|weight|year)\b"
)
_COUNTS = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "several",
        "many",
        "some",
        "few",
        "dozens",
        "both",
        "pair",
    ]
)
_IRREGULAR = {
    "wolves": "wolf", "calves": "calf", "elves": "elf", "dwarves": "dwarf", "thieves": "thief",
    "knives": "knife", "loaves": "loaf", "mice": "mouse", "geese": "goose",
    "lilies": "lily", "peonies": "peony", "oxen": "ox",
}  # fmt: skip
_FORMLESS = frozenset(
    [
        "sunset",
        "sunrise",
        "aurora",
        "sky",
        "clouds",
        "cloud",
        "landscape",
        "scenery",
        "vista",
        "nature",
        "horizon",
        "wilderness",
        "northern",
        "lights",
        "universe",
        "cosmos",
        "solar",
        "system",
        "galaxy",
        "stars",
        "milky",
        "way",
        "outer",
        "space",
        "abstract",
        "pattern",
        "texture",
        "energy",
        "time",
        "music",
        "emotion",
        "infinity",
        "chaos",
        "void",
        "dream",
        "meal",
        "breakfast",
        "dinner",
        "path",
        "trail",
        "interior",
        "countryside",
    ]
)
# Kinds that fill the frame: light may not stand "behind" them.
_SPREAD = frozenset({"landscape", "city", "interior", "abstract"})
_PEOPLE = frozenset({"person", "group"})
_THINGS = frozenset({"object", "plant", "food"})
_ALIVE = frozenset({"person", "group", "animal", "creature", "plant"})
_PLACES = frozenset({"landscape", "city", "building", "interior", "space"})


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    words: str
    kind: str
    traits: tuple[str, ...]
    plural: bool


def read_scene(prompt: str) -> Scene:
    """Return the scene that `prompt` describes."""
    scene = Scene(length=len(prompt.split()), language=language_of(_visible(prompt)))
    text = _visible(prompt)
    text = take_negations(text, scene)
    tokens = _tokens(text)
    matches = _without_media(tokens, list(_nouns(tokens)))
    scene.tags = _tags_in(tokens, matches)
    scene.covers = _covers_in(tokens)
    _name_subject(scene, text, tokens, matches)
    if any(re.fullmatch(r"\d(?:girl|boy)s?", token) for token in tokens):
        scene.tags.add("drawn")
    people = any(match.kind in _PEOPLE for match in matches)
    if not people:
        scene.tags.add("noperson")
    if "people" in scene.without:
        scene.tags.add("nopeople")
    settle(scene)
    return scene


def requested_tags(instruction: str) -> tuple[list[str], Scene]:
    """Return the tags that an instruction asks for, in order, and the rest of its content (as a scene)."""
    scene = Scene()
    text = take_negations(_visible(instruction), scene)
    tokens = _tokens(text)
    found: list[str] = []
    for tags, _ in _contexts(tokens, []):
        found += [tag for tag in tags[:1] if tag not in found]
        scene.tags.update(tags)
    scene.covers = _lengths_in(tokens)
    return found, scene


def _tokens(text: str) -> list[str]:
    return [match[0].lower().replace("’", "'").removesuffix("'s") for match in _WORD.finditer(text)]


def _visible(text: str) -> str:
    text = _OPAQUE.sub(lambda match: " text " if match[0][0] in '"“' else " ", text)
    text = re.sub(r":\d+(?:\.\d+)?(?=[)\]])", " ", text).replace("_", " ")
    return _COLOURED.sub(lambda match: " " * len(match[1]) + " " + match[2], text)


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


def _nouns(tokens: list[str]) -> Iterator[_Match]:
    lexicon, longest = _lexicon()
    place = 0
    while place < len(tokens):
        for size in range(min(longest, len(tokens) - place), 0, -1):
            words = " ".join(tokens[place : place + size])
            single = " ".join([*tokens[place : place + size - 1], singular(tokens[place + size - 1])])
            found = lexicon.get(words) or lexicon.get(single)
            if found is None:
                continue
            kind, traits = found
            counted = place > 0 and tokens[place - 1] in _COUNTS
            plural = (words not in lexicon and single in lexicon) or counted
            if place > 0 and kind not in _PLACES and tokens[place - 1] in _worked(kind):
                traits = (*traits, "crafted")
            yield _Match(place, place + size, words, kind, traits, plural)
            place += size
            break
        else:
            place += 1


def _without_media(tokens: list[str], nouns: list[_Match]) -> list[_Match]:
    """Return the nouns without those that only name a medium, such as the children of a children's book."""
    media = [
        (start, end)
        for tags, (start, end) in _contexts(tokens, [])
        if end - start > 1 and not dimension("medium").isdisjoint(tags)
    ]
    return [noun for noun in nouns if not any(start <= noun.start < end for start, end in media)]


def _contexts(tokens: list[str], nouns: list[_Match]) -> Iterator[tuple[tuple[str, ...], tuple[int, int]]]:
    words, longest = _context_words()
    # The snow of a snow leopard does not lie on the ground.
    taken = {
        place
        for noun in nouns
        if noun.kind not in _PLACES and noun.end - noun.start > 1
        for place in range(noun.start, noun.end)
    }
    place = 0
    while place < len(tokens):
        step = 1
        for size in range(min(longest, len(tokens) - place), 0, -1):
            span = tokens[place : place + size]
            tags = words.get(" ".join(span)) or words.get(" ".join([*span[:-1], singular(span[-1])]))
            if tags and not taken.issuperset(range(place, place + size)):
                yield tags, (place, place + size)
                step = size
                break
        place += step


def _tags_in(tokens: list[str], nouns: list[_Match]) -> set[str]:
    tags: set[str] = set()
    for found, _ in _contexts(tokens, nouns):
        tags.update(found)
    return tags


def _covers_in(tokens: list[str]) -> set[str]:
    joined = f" {' '.join(tokens)} "
    return {
        facet
        for facet, words in data.words_of("context")["covers"].items()
        if any(f" {word} " in joined for word in split_list(words))
    }


def _lengths_in(tokens: list[str]) -> set[str]:
    joined = f" {' '.join(tokens)} "
    return {
        name
        for name, words in data.words_of("context")["lengths"].items()
        if any(f" {word} " in joined for word in split_list(words))
    }


def _name_subject(scene: Scene, text: str, tokens: list[str], matches: list[_Match]) -> None:
    main = _main_noun(text, tokens, matches)
    if main is None:
        if "portrait" in scene.tags:
            scene.kind, scene.noun = "person", "the subject"
        return
    scene.kind, scene.plural = main.kind, main.plural
    scene.noun = "the " + re.sub(r"^\d+|^multiple ", "", main.words)
    scene.formless = main.kind in _SPREAD or main.words.split()[0] in _FORMLESS
    scene.tags.update(main.traits)
    if main.kind == "person" and main.plural and "part" not in main.traits:
        scene.kind = "group"
    if scene.kind == "group":
        scene.plural = True
    if scene.plural:
        scene.tags.add("plural")
    scene.tags.add(scene.kind)


def _main_noun(text: str, tokens: list[str], matches: list[_Match]) -> _Match | None:
    """Return the head of the first noun phrase that no preposition introduces."""
    heads: list[_Match] = []
    for match in matches:
        # "dog house": the last noun of a compound is its head; "bowl of ramen": what the bowl holds.
        if (heads and heads[-1].end == match.start and not _break_between(text, match.start)) or (
            heads and _carried(heads[-1], match, tokens)
        ):
            heads[-1] = match
        else:
            heads.append(match)
    if not heads:
        return None
    graphic = next(
        (head for head in heads if head.kind == "graphic" and not _demoted(head, text, tokens)), None
    )
    if graphic is not None and graphic is heads[0]:
        return graphic
    free = [head for head in heads if not _demoted(head, text, tokens)]
    pool = free or heads
    figures = [head for head in pool if head.kind not in _PLACES | {"abstract", "graphic"}]
    living = [head for head in figures if head.kind in {"person", "group", "animal", "creature", "robot"}]
    if living and figures[0].kind in _THINGS and _break_between(text, living[0].start - 1):
        return living[0]
    # "dark forest, glowing mushrooms": things after a place belong to it.
    if pool[0].kind == "graphic" or (figures and pool[0].kind in _PLACES and figures[0].kind in _THINGS):
        return pool[0]
    return (figures or pool)[0]


def _carried(first: _Match, second: _Match, tokens: list[str]) -> bool:
    between = tokens[first.end : second.start]
    return (
        first.words.split()[-1] in _carriers() and bool(between) and between[0] == "of" and len(between) <= 4
    )


def _demoted(match: _Match, text: str, tokens: list[str]) -> bool:
    demoting = _demoting()
    for place in range(match.start - 1, max(-1, match.start - 5), -1):
        if _break_between(text, place + 1):
            return False
        if tokens[place] in demoting:
            return True
        if tokens[place].endswith("ing") and place < match.start - 1:
            return True
    return False


def _break_between(text: str, place: int) -> bool:
    """Tell whether a comma or full stop stands before the word number `place`."""
    words = list(_WORD.finditer(text))
    if place <= 0 or place >= len(words):
        return False
    return any(mark in text[words[place - 1].end() : words[place].start()] for mark in ",.;:!?\n|")


@lru_cache(maxsize=1)
def _lexicon() -> tuple[dict[str, tuple[str, tuple[str, ...]]], int]:
    lexicon: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line in data.words_of("subjects")["nouns"].splitlines():
        head, _, words = line.partition(":")
        kind, *traits = head.split()
        for word in split_list(words):
            lexicon.setdefault(word, (kind, tuple(traits)))
    return lexicon, max(len(word.split()) for word in lexicon)


@lru_cache(maxsize=1)
def _context_words() -> tuple[dict[str, tuple[str, ...]], int]:
    found: dict[str, tuple[str, ...]] = {}
    for line in data.words_of("context")["words"].splitlines():
        head, _, words = line.partition(":")
        for phrase in split_list(words):
            key = " ".join(word.removesuffix("'s") for word in phrase.split())
            found[key] = (*found.get(key, ()), *head.split())
    return found, max(len(word.split()) for word in found)


@lru_cache(maxsize=1)
def _worked_alive() -> frozenset[str]:
    return frozenset(split_list(data.words_of("subjects")["crafted"]))


@lru_cache(maxsize=1)
def _worked_things() -> frozenset[str]:
    return frozenset(split_list(data.words_of("subjects")["crafted_things"]))


def _worked(kind: str) -> frozenset[str]:
    return _worked_alive() if kind in _ALIVE else _worked_things()


@lru_cache(maxsize=1)
def _carriers() -> frozenset[str]:
    return frozenset(split_list(data.words_of("subjects")["carriers"]))


@lru_cache(maxsize=1)
def _demoting() -> frozenset[str]:
    return frozenset(split_list(data.words_of("subjects")["demoting"]))

"""Nouns of a prompt that are in the picture, and in it as they usually are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...answers.terms import shows_people
from ..scene import Scene, Thing
from ..vocabulary import OWNS, WORD, Noun, break_between, lexicon, singular, word_list
from .certainty import entailed_by, is_read, sure_words, words_for

PEOPLE = frozenset({"person", "group"})
_PORTRAITS = frozenset({"portrait", "portraits", "photo", "photograph", "picture"})
# What somebody builds is not there yet.
_BUILDING = frozenset({"building", "builds", "build", "constructing", "erecting", "assembling"})
_BEASTS = frozenset({"animal", "creature"})
_LIVING = PEOPLE | _BEASTS | {"robot"}
GUISES = frozenset({"robot", "animal", "creature"})
PLACES = frozenset({"landscape", "city", "building", "interior", "space"})
# What the words of a prompt say of all its things, whether the subject is known or not.
NOTED = frozenset(
    {
        "literal",
        "wheeled",
        "inanimate",
        "shabby",
        "dressed",
        "inside",
        "doing",
        "manythings",
        "manyliving",
        "nobody",
        "part",
    }
)
# Where one of these was found, nothing is as it usually is.
_UNUSUAL = frozenset(
    [
        "crafted", "oddmatter", "underglass", "flatsheet", "voxel", "lowpoly", "pixel", "vector", "lineart",
        "print", "craft", "mural", "minimal", "isometric", "interiorof", "silhouette", "abstract", "graphic",
        "engraved",
    ]
)  # fmt: skip
# "A sea of clouds" is no sea.
_OF_OTHERS = re.compile(
    r"\b(?:sea|ocean|forest|mountain|river|lake|jungle|city|garden|rain|storm|blizzard|snow|island|cloud|waterfall|moon"
    r"|tower|wall|carpet|heap|town|desert|field)s?\s+of\s+(?!(?:the|a|an|flowers?|grass|wheat|corn|barley|daisies"
    r"|sunflowers|lavender|poppies|tulips|wildflowers|snow|ice|sand|night|dawn)\b)",
    re.IGNORECASE,
)
# Of somebody so small neither hair nor cloth is seen.
_FAR = re.compile(
    r"\b(?:tiny|small)\s+(?:in|on|at|against|below|beneath|figures?|people|person|silhouettes?)\b|\bfar\s+(?:away|off|below)\b"
    r"|\bin\s+the\s+(?:far\s+)?distance\b|\bdistant\b|\bdwarfed\b",
    re.IGNORECASE,
)
_PAINTED = frozenset(
    {"amphora", "vase", "urn", "stamp", "coin", "medal", "tile", "tiles", "tapestry", "fan", "carpet"}
)
# The storefront of a watchmaker shows none.
_OWNING = frozenset({"building", "interior", "object", "vehicle"})
# A map of mountains shows signs for them.
_OF_MAPS = re.compile(
    r"\b(?:(?:maps?|plans?|charts?|atlas|signs?)\s+(?:of|for|showing)|(?:cave|rock|wall|vase)\s+(?:paintings?|art)|petroglyphs?"
    r"|hieroglyphs?)\b",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(
    r"(?<!hu)(?<!ger)(?<!ro)(?<!otto)(?<!talis)(?<!snow)(?<!walk)(?:m[ae]n|girls?|boys?|folk|rider|fighter|children|people)\Z(?<!omen)(?<!amen)(?<!imen)"
)
_NAME = re.compile(r"(?<!\A)(?<![.!?]\s)\b[A-Z][a-z]")
_DEED = frozenset({"deed"})
_MADE = frozenset({"object", "vehicle", "building"})
# Right before a noun of a kind, a noun of one of these makes of it something else.
_NO_NAMES = {
    **dict.fromkeys(("plant", "animal", "creature"), _MADE),
    "building": frozenset({"food", "object"}),
    "landscape": frozenset({"object"}),
    "interior": frozenset({"object"}),
}
# Where somebody stands who looks, nothing is seen of the place: "seen from a mountain hut".
_LOOKING = frozenset(
    {"seen", "view", "viewed", "looking", "photographed", "filmed", "watched", "shot", "taken", "vista"}
)
_FEW_BEFORE, _FEW_BEHIND = 2, 4
_KEMPT = frozenset({"modern", "abandoned", "overgrown", "derelict", "minimalist"})
_DATED = frozenset({"cyberpunk", "steampunk", "futuristic", "sci-fi", "neon", "alien"}) | _KEMPT
_USUAL_MATTER = {
    "building": frozenset({"wooden", "wood", "stone"}) | _KEMPT,
    "interior": frozenset({"modern", "wooden", "neon"}),
    "city": _DATED,
    "landscape": frozenset({"overgrown", "sea", "alien", "mountain", "water", "snow", "moon"}),
    "object": frozenset(
        {"wooden", "wood", "leather", "rubber", "silk", "brass", "silver", "gold", "golden", "metal"}
    ),
    "food": frozenset({"chocolate", "hot", "fruit", "vegetable", "candy", "iced"}),
    "vehicle": frozenset({"wooden", "wood"}),
    "animal": frozenset({"flying", "golden"}),
    "creature": frozenset({"flying", "golden"}),
}


def entailed_in(shown: Sequence[Noun], tokens: Sequence[str], *, alone: bool) -> Iterator[str]:
    """Yield the image board's tags that the nouns of what is shown bring with them."""
    people = [noun for noun in shown if noun.kind in PEOPLE and "part" not in noun.traits]
    if alone and len(people) == 1 and all(noun.kind not in GUISES for noun in shown):
        yield "solo"
    for noun in shown:
        usual = lexicon()[0].get(singular(noun.words), (noun.kind,))[0]
        if _is_around(noun, tokens) or (usual in PEOPLE and noun.kind not in PEOPLE):
            continue
        yield from entailed_by(singular(noun.words), noun.kind, noun.traits)


def is_shown(noun: Noun, text: str, tokens: list[str], known: set[int]) -> bool:
    """Tell whether a noun is in the picture: no part of a compound ("satellite dish"), no likeness."""
    after = tokens[noun.end : noun.end + 1]
    is_last = (
        not after
        or break_between(text, noun.end)
        or (after[0] in words_for("plain") | word_list("demoting") and not _is_photographed(noun, after[0]))
        or _is_deed(after[0])
        or (noun.kind in PEOPLE and _is_named(noun, text))
    )
    place = noun.start - 1
    is_first = (
        place < 0
        or place in known
        or tokens[place] in words_for("plain") | words_for("turns") | word_list("demoting")
        or tokens[place].endswith(("ing", "ed", "y", "ful", "ous"))
        or break_between(text, noun.start)
    )
    if is_hybrid(noun, text, tokens) or _is_viewpoint(noun, tokens) or _is_owner(noun, text, after):
        return False
    if _is_named_for(noun, tokens):
        return False
    # A model airplane is no aircraft.
    if place >= 0 and tokens[place] in words_for("imitations") and not break_between(text, noun.start):
        return False
    if singular(noun.words) in words_for("colour_nouns") and not _is_thing(noun, text, tokens):
        return False
    # The rose of a compass rose is no flower, and a macaron tower is no building.
    if place >= 0 and not break_between(text, noun.start):
        kind = lexicon()[0].get(singular(tokens[place]), ("",))[0]
        if kind in _NO_NAMES.get(noun.kind, ()) and tokens[place] not in words_for("matter") | {"brick"}:
            return False
    before = tokens[max(0, noun.start - 3) : noun.start]
    return is_first and is_last and after != ["of"] and words_for("likening").isdisjoint(before)


def is_hybrid(noun: Noun, text: str, tokens: Sequence[str]) -> bool:
    """Tell whether an animal bears the name of another before its own: an owl bear is no bear."""
    if noun.kind not in _BEASTS or not noun.start or break_between(text, noun.start):
        return False
    kind, _ = lexicon()[0].get(singular(tokens[noun.start - 1]), ("", ()))
    return kind in _BEASTS and singular(noun.words) not in words_for("young_animals")


def _is_owner(noun: Noun, text: str, after: Sequence[str]) -> bool:
    """Tell whether a noun only says whose the next thing is: a wolf in sheep's clothing is no sheep."""
    words = [match[0] for match in WORD.finditer(text)]
    return bool(after) and bool(OWNS.search(words[noun.end - 1])) and after[0] not in _PORTRAITS


def _ends_there(place: int, text: str, tokens: Sequence[str]) -> bool:
    """Tell whether the word at `place` is no part of a compound, such as the sea of a sea monster."""
    after = tokens[place + 1 : place + 2]
    return (
        not after
        or break_between(text, place + 1)
        or after[0]
        in words_for("plain") | words_for("turns") | word_list("demoting") | words_for("place_ends")
        or _is_deed(after[0])
    )


def _is_deed(word: str) -> bool:
    """Tell whether a word is what somebody does or what was done: no wedding, and no ring."""
    is_thing = singular(word) in lexicon()[0] or singular(word) in words_for("noun_endings")
    return word.endswith(("ing", "ed")) and not is_thing


def _is_photographed(noun: Noun, word: str) -> bool:
    """Tell whether a building only says what kind of picture it is: a school portrait."""
    return noun.kind == "building" and word in _PORTRAITS


def _is_named(noun: Noun, text: str) -> bool:
    """Tell whether a name follows the noun: my grandmother Ingrid."""
    words = [match[0] for match in WORD.finditer(text)]
    return noun.end < len(words) and words[noun.end].istitle()


def note_things(
    scene: Scene,
    nouns: Sequence[Noun],
    shown: Sequence[Noun],
    text: str,
    tokens: Sequence[str],
    known: set[int],
) -> None:
    """Note in `scene` the things that are there as they usually are, and what holds of all of them."""
    scene.text = text
    if sum(noun.kind in PEOPLE | GUISES | {"creature"} for noun in nouns) > 1:
        scene.tags.add("manyliving")
    if scene.language == "en":
        deeds = dict.fromkeys(_deeds_in(nouns, shown, text, tokens))
        scene.deeds = [Thing(token, token, _DEED, plural=False) for token in deeds]
    for tag in ("dressed", "inside", "shabby"):
        if not words_for(tag).isdisjoint(tokens):
            scene.tags.add(tag)
    if any(token.endswith("ing") and token not in words_for("no_deeds") for token in tokens):
        scene.tags.add("doing")
    if not words_for("turns").isdisjoint(tokens):
        scene.tags.add("doing")
    # A close-up of hands shows no face.
    if "close" in scene.tags and any("part" in noun.traits for noun in nouns):
        scene.tags.add("part")
    if _is_nobody_there(scene, nouns, text, tokens):
        scene.tags.add("nobody")
        # A boat that races has no legs.
        if any(noun.kind == "vehicle" for noun in nouns) and all(noun.kind not in _LIVING for noun in nouns):
            scene.tags.add("wheeled")
        # Musketeers are people, though we have no word for them.
        if is_read(tokens, known) and all(noun.kind not in GUISES | {"creature"} for noun in nouns):
            scene.tags.add("inanimate")
    if _is_seen_through(nouns, tokens):
        scene.tags.add("inside")
    if (
        scene.language != "en"
        or _OF_MAPS.search(text)
        or not words_for("altered").isdisjoint(tokens)
        or not _UNUSUAL.isdisjoint(scene.tags)
        or _OF_OTHERS.search(text)
    ):
        return
    scene.tags.add("literal")
    for tag, plain in sure_words().items():
        if tag.removeprefix("sure") in scene.tags and any(
            token in plain and _ends_there(place, text, tokens) for place, token in enumerate(tokens)
        ):
            scene.tags.add(tag)
    people = any(noun.kind in PEOPLE | GUISES | {"creature"} for noun in nouns)
    words_of_text = [match[0] for match in WORD.finditer(text)]
    for noun in shown:
        before = tokens[max(0, noun.start - _FEW_BEHIND) : noun.start]
        # "A sailor's arm" shows no sailor.
        if OWNS.search(words_of_text[noun.end - 1]) and noun.end < len(tokens):
            continue
        if "crafted" in noun.traits or "part" in noun.traits or _is_of_other_matter(noun, tokens):
            continue
        if noun.words in words_for("no_things") or _is_pictured(noun, tokens):
            continue
        # A monkey mechanic has fur, and wears what monkeys do.
        if noun.kind in PEOPLE and noun.start and not break_between(text, noun.start):
            kind, _ = lexicon()[0].get(singular(tokens[noun.start - 1]), ("", ()))
            if kind in GUISES | {"creature"}:
                continue
        # From the deck nobody sees the hull.
        if noun.kind == "vehicle" and not {"deck", "aboard"}.isdisjoint(before):
            continue
        is_small = tokens[noun.start - 1 : noun.start] in (["tiny"], ["distant"], ["minuscule"])
        if noun.kind in _LIVING and (is_small or _FAR.search(text)):
            continue
        # Who is in a train sees nothing of its outside.
        if noun.kind == "vehicle" and (
            "seat" in before or any(one.kind in PEOPLE and one.start < noun.start for one in nouns)
        ):
            continue
        if not _BUILDING.isdisjoint(before):
            continue
        if noun.words in words_for("kin") and any(one.kind in GUISES | {"creature"} for one in nouns):
            continue
        words = re.sub(r"^\d+|^multiple ", "", noun.words)
        outside: set[str] = set()
        if not words_for("outside").isdisjoint(before):
            outside.add("seenoutside")
        # In a tower nobody sees its parapet.
        # Beside somebody who is named, "cathedral" alone may well be where he is.
        if noun.kind == "building" and people and not outside and "outdoors" not in scene.tags:
            outside.add("inside")
        if _is_around(noun, tokens):
            outside.add("inside")
        traits = frozenset({noun.kind, *noun.traits, *outside})
        scene.things.append(
            Thing(singular(words), f"the {_as_written(words, noun, words_of_text)}", traits, noun.plural)
        )
    if len({thing.word for thing in scene.things}) > 1:
        scene.tags.add("manythings")


def _deeds_in(
    nouns: Sequence[Noun], shown: Sequence[Noun], text: str, tokens: Sequence[str]
) -> Iterator[str]:
    """Yield the words of what goes on: running shoes run nowhere, and an orange cat is no fruit."""
    made = {noun.start for noun in nouns if noun.kind in _MADE and not break_between(text, noun.start)}
    # Nor is there coffee in a coffee shop interior.
    unseen = [
        noun for noun in nouns if noun not in shown or (noun.kind in PLACES and noun.end - noun.start > 1)
    ]
    hidden = {place for noun in unseen for place in range(noun.start, noun.end)}
    # A jumping spider need not jump.
    hidden |= {place for noun in nouns if noun.kind == "animal" for place in range(noun.start, noun.end - 1)}
    for place, token in enumerate(tokens):
        is_tool = place + 1 in made or tokens[place + 1 : place + 2] in (
            ["tray"],
            ["sheet"],
            ["pan"],
            ["pot"],
        )
        if place not in hidden and not (token.endswith("ing") and is_tool):
            yield token


def is_somebody(token: str) -> bool:
    """Tell whether a word ends as those for people do: a caveman."""
    return bool(_SOMEBODY.search(token)) and singular(token) not in lexicon()[0]


def _as_written(words: str, noun: Noun, text: Sequence[str]) -> str:
    """Return the words of a noun with the capitals that the idea gives them: a Persian cat."""
    written = {word.lower(): word for word in text[max(1, noun.start) : noun.end] if word.istitle()}
    return " ".join(written.get(word, word) for word in words.split())


def _is_nobody_there(scene: Scene, nouns: Sequence[Noun], text: str, tokens: Sequence[str]) -> bool:
    """Tell whether no word speaks of somebody, and none is a name."""
    return (
        "humanoid" not in scene.tags
        and all(noun.kind not in PEOPLE for noun in nouns)
        and words_for("somebody").isdisjoint(tokens)
        and not any(map(is_somebody, tokens))
        and not _NAME.search(text)
        and not shows_people(text)
    )


def _is_pictured(noun: Noun, tokens: Sequence[str]) -> bool:
    """Tell whether a noun is what a picture in the picture shows, or what looks at it: the camera."""
    before = tokens[max(0, noun.start - _FEW_BEHIND) : noun.start]
    if noun.words in ("camera", "lens"):
        return not {"at", "into", "to", "toward", "towards", "facing"}.isdisjoint(before)
    # The runners on an amphora are painted.
    if "with" in before and not _PAINTED.isdisjoint(before):
        return True
    return noun.start > _FEW_BEHIND and "of" in before and not words_for("pictures").isdisjoint(before)


def _is_thing(noun: Noun, text: str, tokens: Sequence[str]) -> bool:
    """Tell whether a noun that may be a colour is none: orange and teal are two."""
    colours = words_for("colours")
    near = [noun.start - 1, noun.end]
    if tokens[noun.end : noun.end + 1] == ["and"] or tokens[noun.start - 1 : noun.start] == ["and"]:
        near += [noun.start - 2, noun.end + 1]
    beside = any(0 <= place < len(tokens) and tokens[place] in colours for place in near)
    stands_alone = break_between(text, noun.start) and (
        noun.end >= len(tokens) or break_between(text, noun.end)
    )
    return noun.plural or not (beside or (stands_alone and noun.words == "orange"))


def _is_around(noun: Noun, tokens: Sequence[str]) -> bool:
    """Tell whether a noun is a building that what is shown is in."""
    near = tokens[max(0, noun.start - 3) : noun.start]
    return noun.kind == "building" and not {"in", "inside", "within", "through"}.isdisjoint(near)


def _is_named_for(noun: Noun, tokens: Sequence[str]) -> bool:
    """Tell whether somebody is named only for whose a thing is: the workshop of a violin maker."""
    before = list(tokens[max(0, noun.start - _FEW_BEHIND) : noun.start])
    if noun.kind not in PEOPLE | {"vehicle"} or "of" not in before[1:]:
        return False
    owned = before[before.index("of", 1) - 1]
    kind = lexicon()[0].get(singular(owned), ("",))[0]
    # In the library of a spaceship nothing is seen of its engines.
    owning = _OWNING if noun.kind in PEOPLE else {"interior"}
    return kind in owning and owned not in word_list("carriers") and owned not in words_for("altered")


def _is_viewpoint(noun: Noun, tokens: Sequence[str]) -> bool:
    """Tell whether a noun is where the picture is seen from."""
    before = list(tokens[max(0, noun.start - _FEW_BEHIND) : noun.start])
    if noun.kind == "vehicle" and before[-2:] in (["from", "a"], ["from", "an"], ["from", "the"]):
        return True
    if "from" not in before:
        return False
    place = noun.start - len(before) + before.index("from")
    return (
        not _LOOKING.isdisjoint(tokens[max(0, place - 2) : place])
        and {"across", "over", "beyond"}.isdisjoint(before)
        and tokens[noun.end : noun.end + 1] != ["of"]
    )


def _is_seen_through(nouns: Sequence[Noun], tokens: Sequence[str]) -> bool:
    """Tell whether the picture is seen out of a vehicle or a room."""
    through = any(noun.kind in ("vehicle", "interior") and _is_viewpoint(noun, tokens) for noun in nouns)
    return through or (
        "window" in tokens and "from" in tokens[max(0, tokens.index("window") - 3) : tokens.index("window")]
    )


def _is_of_other_matter(noun: Noun, tokens: Sequence[str]) -> bool:
    """Tell whether the word before a noun, or after its "of", makes of it something else: a paper dragon."""
    before = list(tokens[max(0, noun.start - _FEW_BEFORE) : noun.start])
    if "of" in before:
        before = before[before.index("of") + 1 :]
    after = tokens[noun.end + 1 : noun.end + 2] if tokens[noun.end : noun.end + 1] == ["of"] else []
    return not (words_for("matter") - _USUAL_MATTER.get(noun.kind, frozenset())).isdisjoint([*before, *after])

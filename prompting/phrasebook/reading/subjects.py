"""Reader of prompts: the subject, what the prompt says of its scene, and what it has settled already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from .. import data
from ..glossary import spoken
from ..language import ENGLISH
from ..scene import Scene, dimension, settle, split_list
from ..vocabulary import (
    ALIVE,
    OWNS,
    WORD,
    Noun,
    attribute_words,
    break_between,
    context_words,
    lexicon,
    singular,
    tokens_of,
    word_list,
    worked,
)
from .certainty import hints, is_certain, is_read, sure_words, words_for
from .negations import take_negations
from .shown import GUISES, NOTED, PEOPLE, PLACES, entailed_in, is_hybrid, is_shown, is_somebody, note_things
from .visible import visible

# A mountain bike before a white background stands on no mountain.
_LANDS = frozenset(
    {"mountain", "sea", "forest", "desert", "city", "field", "garden", "water", "road", "openwater"}
)
_INSIDE = frozenset({"in", "inside", "within", "into"})
_AROUND = frozenset({"in", "on", "at", "by", "near", "beside", "through", "across", "along"})
_BELOW = frozenset({"under", "beneath", "among", "between", "behind", "near", "beside", "against"})
_OUTSIDE = frozenset({"outside", "near", "behind", "beside", "before", "above", "over"})
_CABINS = frozenset({"road", "rail", "air", "spacecraft"})
# Kinds that fill the frame: light may not stand "behind" them.
_SPREAD = frozenset({"landscape", "city", "interior", "abstract"})
_THINGS = frozenset({"object", "plant", "food"})
_MADE = frozenset({"made", "carved", "built", "folded", "woven", "sculpted", "formed", "knitted", "sewn"})
_OF = frozenset({"of", "from", "out", "entirely", "only", "completely", "purely"})
# Of these a house or a boat may well be built to be used.
_COMMON_MATTER = frozenset({"wooden", "stonework", "glass", "metal"})
_MATTER = _COMMON_MATTER | {"paper", "cloth", "clayware", "bricks", "iced"}
_NAME_REACH = 4
# "A faded black and white photo of": so many words may stand before a medium.
_MEDIUM_REACH = 5
_IMAGING_REACH = 4
# A last part may name the medium in so many words: "in Egyptian mural style".
_LAST_REACH = 4
_OF_MEDIA = frozenset({"imaging", "flatart", "handmade"})
_HAD = frozenset(
    {
        "with",
        "wearing",
        "holding",
        "carrying",
        "selling",
        "reading",
        "copying",
        "his",
        "her",
        "their",
        "my",
        "its",
    }
)
_HAD_REACH = 3
_OF_STYLE = frozenset(
    {"style", "art", "aesthetic", "painting", "print", "look", "paper", "work", "book", "colors", "colours"}
)
_ARTICLES = frozenset({"a", "an", "the", "his", "her", "their", "its"})
_LYING = frozenset({"on", "atop", "upon", "in", "inside", "under", "beneath", "beside", "next"})
_SHEETS = frozenset({"poster", "logo", "flyer", "icon", "emblem", "label", "banner"})
_SERVED = [[dish, "of"] for dish in ("tin", "can", "plate", "platter", "dish", "fillet", "slice")]
_CHESS = frozenset({"chess", "chessboard"})
_SMALL_WORDS = frozenset(
    {"the", "and", "his", "her", "its", "very", "some", "many", "with", "one", "two", "three"}
)


def read_scene(prompt: str) -> Scene:
    """Return the scene that `prompt` describes."""
    scene = Scene(length=len(prompt.split()), language=spoken(visible(prompt)))
    text = visible(prompt)
    text = take_negations(text, scene)
    # "Hut" is a hat in German.
    tokens = tokens_of(text) if scene.language == "en" else []
    matches = _without_media(tokens, list(_nouns(tokens, text)))
    scene.tags = _tags_in(tokens, matches)
    scene.covers = _named_in(tokens, "covers")
    said = set(scene.tags)
    main = _main_noun(text, tokens, matches)
    _name_subject(scene, main)
    if main is not None:
        _describe_subject(scene, main, text, tokens)
    if any(re.fullmatch(r"\d(?:girl|boy)s?", token) for token in tokens):
        scene.tags.add("drawn")
    people = sum(match.kind in PEOPLE for match in matches)
    if people == 1 and scene.kind == "person" and words_for("company").isdisjoint(tokens):
        scene.tags.add("alone")
    if not people:
        scene.tags.add("noperson")
    if "people" in scene.without:
        scene.tags.add("nopeople")
    settle(scene)
    known = _known_in(tokens, matches)
    shown = [noun for noun in matches if is_shown(noun, text, tokens, known)]
    # The island of a kitchen lies in no sea.
    rooms = [noun.start for noun in matches if noun.kind == "interior"]
    shown = [noun for noun in shown if noun.kind != "landscape" or not rooms or noun.start < rooms[0]]
    scene.entailed = list(dict.fromkeys(entailed_in(shown, tokens, alone="alone" in scene.tags)))
    if "outdoors" in scene.tags:
        scene.entailed = [tag for tag in scene.entailed if tag != "indoors"]
    note_things(scene, matches, shown, text, tokens, known)
    things = sum(match.kind not in PLACES and "part" not in match.traits for match in matches)
    places = [match for match in matches if match.kind in PLACES]
    # A sea turtle above a reef is in no meadow: the one place that is named has to be the scene's.
    in_place = all(scene.tags >= (set(match.traits) & _LANDS) for match in places)
    scene.certain = (
        main is not None
        and scene.language == "en"
        and len(places) <= 1
        and not any(is_hybrid(match, text, tokens) for match in matches)
        and in_place
        and is_certain(scene, tokens, things, _known_in(tokens, matches, words_for("usual")))
    )
    # Nobody is there for sure only where every word is known and none speaks of somebody.
    told = {"alone", "nopeople", "drawn"}
    unnamed = words_for("somebody").isdisjoint(tokens) and not any(map(is_somebody, tokens))
    if main is not None and is_read(tokens, known) and unnamed:
        told |= {"noperson"} if scene.kind not in PEOPLE and "humanoid" not in scene.tags else set()
    scene.subject = scene.kind
    scene.anyway = _anyway(said, text, tokens) | (scene.tags & (told | NOTED | set(sure_words())))
    return scene


def _known_in(tokens: list[str], nouns: list[Noun], usual: frozenset[str] | None = None) -> set[int]:
    """Return the places of the tokens that belong to a word of the files.

    With `usual`, words beside the nouns count only where they bring none but those tags.
    """
    known = {place for noun in nouns for place in range(noun.start, noun.end)}
    for tags, (start, end) in _contexts(tokens, nouns):
        if usual is None or usual.issuperset(tags):
            known.update(range(start, end))
    words, longest = attribute_words()
    for place in range(len(tokens)):
        for size in range(1, longest + 1):
            tags = words.get(" ".join(tokens[place : place + size]), ())
            if tags and (usual is None or usual.issuperset(tags)):
                known.update(range(place, place + size))
    return known


def _anyway(said: set[str], text: str, tokens: list[str]) -> set[str]:
    """Return of the tags that words of the scene bring those that hold whatever its subject is, and hints."""
    # What takes the picture is named first or last; a satellite in the middle is a thing.
    last = max((place for place in range(len(tokens)) if break_between(text, place)), default=0)
    last = max(last, len(tokens) - _LAST_REACH) if last else len(tokens) - 1
    ends = set(range(min(_IMAGING_REACH, len(tokens))))
    # Chalk on hands draws nothing.
    ends |= {place for place in range(max(0, last), len(tokens)) if _closes(place, tokens)}
    # A tattoo artist is no tattoo, and who has one is not drawn with it.
    ends = {place for place in ends if not _is_of_trade(tokens[place + 1 : place + 2])}
    ends = {place for place in ends if not _is_had(place, tokens)}
    found = {
        hint
        for hint, words in hints().items()
        if any(
            _is_one_of(token, words)
            for place, token in enumerate(tokens)
            if hint not in _OF_MEDIA or place in ends
        )
    }
    apart = [
        tags
        for tags, (start, end) in _contexts(tokens, [])
        if _is_apart(start, end, text, tokens) and not _is_had(start, tokens)
    ]
    named = {tag for tags in apart for tag in tags}
    media = dimension("medium") | {"lineart", "mono", "lowpoly", "voxel"}
    # It lies on a table; where it is named first, it is the picture.
    lies = any(
        place >= _IMAGING_REACH or tokens[place + 1 : place + 2] in (["on"], ["spread"], ["lying"], ["under"])
        for place, word in enumerate(tokens)
        if word == "map"
    )
    if lies and "map of" not in " ".join(tokens):
        found -= {"flatart"} if not _is_flat(tokens) else set()
    if not _MADE.isdisjoint(tokens) and _SHEETS.isdisjoint(tokens):  # a map made of moss is no drawing
        found.discard("flatart")
    if any(token.endswith(("light", "lights", "lit")) for token in tokens):
        found.add("sourced")
    if said & dimension("medium"):
        found.add("mediumsaid")
    return (said - media) | (said & media & (named | {"mono"})) | found


def _closes(place: int, tokens: list[str]) -> bool:
    """Tell whether a word of the last part names a medium: nothing but a word of style stands behind it."""
    after = tokens[place + 1 : place + 2]
    return not after or after[0] in hints()["flatart"] or after[0] in _OF_STYLE


def _is_of_trade(after: list[str]) -> bool:
    """Tell whether the next word makes of a medium somebody's trade or the place of it."""
    return any(_is_one_of(word, word_list("trades")) for word in after)


def _is_had(place: int, tokens: list[str]) -> bool:
    """Tell whether somebody has what the word at `place` names, or makes it."""
    before = tokens[max(0, place - _HAD_REACH) : place]
    if tokens[place] == "tattoos":
        return True
    return not _HAD.isdisjoint(before) and not {"drawn", "painted", "made", "done", "in"} & set(before)


def _is_flat(tokens: list[str]) -> bool:
    """Tell whether words other than "map" say that the picture is flat."""
    return any(_is_one_of(token, hints()["flatart"]) for token in tokens if token not in ("map", "maps"))


def _is_one_of(token: str, words: frozenset[str]) -> bool:
    return token in words or singular(token) in words


def _is_apart(start: int, end: int, text: str, tokens: list[str]) -> bool:
    """Tell whether a medium is named as such: first ("oil painting of ..."), last, or between commas."""
    if start <= _MEDIUM_REACH and tokens[end : end + 1] == ["of"]:
        return True
    return end == len(tokens) or (break_between(text, end) and (not start or break_between(text, start)))


def requested_tags(instruction: str) -> tuple[list[str], Scene]:
    """Return the tags that an instruction asks for, in order, and the rest of its content (as a scene)."""
    scene = Scene()
    text = take_negations(visible(instruction), scene)
    tokens = tokens_of(text)
    said = data.words_of("context")["requested"]
    found: list[str] = []
    for tags, _ in _contexts(tokens, []):
        found += [tag for tag in tags if tag in said and tag not in found][:1]
        scene.tags.update(tags)
    scene.covers = _named_in(tokens, "lengths")
    return found, scene


def _stands_apart(place: int, size: int, text: str) -> bool:
    """Tell whether a noun is a part of a list by itself, and not the first."""
    end = place + size
    return (
        place > 0 and break_between(text, place) and (end >= len(tokens_of(text)) or break_between(text, end))
    )


def _nouns(tokens: list[str], text: str) -> Iterator[Noun]:
    nouns, longest = lexicon()
    place = 0
    while place < len(tokens):
        for size in range(min(longest, len(tokens) - place), 0, -1):
            words = " ".join(tokens[place : place + size])
            single = " ".join([*tokens[place : place + size - 1], singular(tokens[place + size - 1])])
            found = nouns.get(words) or nouns.get(single)
            if found is None:
                continue
            if (
                words == "building"
                and place
                and tokens[place + 1 : place + 2]
                and tokens[place + 1] in _ARTICLES
            ):
                continue  # two kids building a sandcastle
            before, after = (
                tokens[place - 1 : place] if place else [],
                tokens[place + size : place + size + 1],
            )
            if words == "drone" and _stands_apart(place, size, text):
                continue  # "a canyon, first light, drone"
            if _takes_picture(words, after) or (before == ["to"] and words in word_list("deeds")):
                continue
            kind, traits = found
            if kind == "person" and words in word_list("chessmen") and not _CHESS.isdisjoint(tokens):
                kind, traits = "object", ()
            if kind == "animal" and place and tokens[place - 1] in word_list("cooked"):
                kind, traits = "food", ("hot",)
            # Sardines in a tin swim nowhere.
            if kind == "animal" and tokens[max(0, place - 2) : place] in _SERVED:
                kind, traits = "food", ()
            counted = place > 0 and tokens[place - 1] in word_list("counts")
            plural = (words != single and single in nouns) or words in word_list("plurals") or counted
            if place > 0 and kind not in PLACES and tokens[place - 1] in worked(kind):
                traits = (*traits, "crafted")
            yield Noun(place, place + size, words, kind, traits, plural)
            place += size
            break
        else:
            place += 1


def _takes_picture(words: str, after: list[str]) -> bool:
    """Tell whether a noun names what takes the picture: the drone of a drone shot."""
    return words in word_list("takers") and not word_list("takings").isdisjoint(after)


def _without_media(tokens: list[str], nouns: list[Noun]) -> list[Noun]:
    """Return the nouns without those that only name a medium, such as the children of a children's book."""
    media = [
        (start, end)
        for tags, (start, end) in _contexts(tokens, [])
        if end - start > 1 and not dimension("medium").isdisjoint(tags)
    ]
    return [noun for noun in nouns if not any(start <= noun.start < end for start, end in media)]


def _contexts(tokens: list[str], nouns: list[Noun]) -> Iterator[tuple[tuple[str, ...], tuple[int, int]]]:
    words, longest = context_words()
    # The snow of a snow leopard does not lie on the ground.
    taken = {
        place
        for noun in nouns
        if noun.kind not in PLACES - {"building"} and noun.end - noun.start > 1
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


def _tags_in(tokens: list[str], nouns: list[Noun]) -> set[str]:
    """Return what the words say of the scene; the first of several places is where it is."""
    media = dimension("medium") | {"flatsheet"}
    # An architect with blueprints is not drawn on one.
    found = [
        (span[0], set(tags))
        for tags, span in _contexts(tokens, nouns)
        if media.isdisjoint(tags) or not _is_had(span[0], tokens)
    ]
    found += [(noun.start, _inside(noun, tokens)) for noun in nouns]
    tags: set[str] = set()
    places = dimension("place")
    for _, more in sorted(found, key=lambda each: each[0]):
        tags |= more - places if tags & places else more
    # A city under the sea is no place out of doors, and so is one on a space station.
    if any("underglass" in more for _, more in found):
        return (tags - places - _LANDS) | {"underglass", "indoors"}
    if "roofed" in tags:  # a staircase in a lighthouse, a market with light through the roof
        return (tags - places - _LANDS) | {"indoors"}
    for place in ("underwater", "space"):
        if any(place in more for _, more in found):
            return (tags - places) | {place}
    if "plainback" in tags:
        return (tags - places - _LANDS) | {"indoors"}
    return tags


def _inside(noun: Noun, tokens: list[str]) -> set[str]:
    """Return the place that "in an old mansion" or "inside a train" says."""
    if noun.kind == "interior":
        if "outside" in tokens[max(0, noun.start - 2) : noun.start]:
            return {"outdoors"}
        return {tag for tag in noun.traits if tag != "crafted"}
    before = tokens[max(0, noun.start - 3) : noun.start]
    if noun.kind in ("landscape", "city") and not _AROUND.isdisjoint(before):
        indoors = {"cave", "indoors"} & set(noun.traits)
        return {*noun.traits, "indoors"} if indoors else {*noun.traits, "outdoors"} - {"crafted"}
    if noun.kind == "plant" and "tree" in noun.traits and not _BELOW.isdisjoint(before):
        return {"outdoors"}
    if noun.kind == "building" and not _OUTSIDE.isdisjoint(before):
        return {"outdoors"}
    if _INSIDE.isdisjoint(before):
        return set()
    if noun.kind == "building" and "wreck" not in noun.traits:
        return {"indoors", "tentinside"} if "tentlike" in noun.traits else {"indoors"}
    if noun.kind == "vehicle" and _CABINS & set(noun.traits) and "cycle" not in noun.traits:
        return {"indoors", "vehicleinside"}
    return set()


def _named_in(tokens: list[str], table: str) -> set[str]:
    """Return the names in that table of the context of whose words one is said."""
    joined = f" {' '.join(tokens)} "
    return {
        name
        for name, words in data.words_of("context")[table].items()
        if any(f" {word} " in joined for word in split_list(words))
    }


def _name_subject(scene: Scene, main: Noun | None) -> None:
    if main is None:
        scene.formless = True
        if "portrait" in scene.tags:
            scene.kind, scene.noun, scene.formless = "person", "the subject", False
        return
    scene.kind, scene.plural = main.kind, main.plural
    scene.noun = "the " + re.sub(r"^\d+|^multiple ", "", main.words)
    scene.formless = main.kind in _SPREAD or main.words.split()[0] in word_list("formless")
    scene.tags.update(main.traits)
    if main.kind == "person" and main.plural and "part" not in main.traits:
        scene.kind = "group"
    if scene.kind == "group":
        scene.plural = True
    if scene.plural:
        scene.tags.add("plural")
    scene.tags.add(scene.kind)


def _describe_subject(scene: Scene, main: Noun, text: str, tokens: list[str]) -> None:
    """Add what is said of the subject alone: before it, in its name, and what it is made of."""
    start = main.start
    while start > max(0, main.start - _NAME_REACH) and not break_between(text, start):
        if tokens[start - 1] in word_list("demoting") or tokens[start - 1] == "of":
            break
        start -= 1
    # A giant panda is as large as pandas are.
    said = tokens[start : main.start] if main.words.startswith("giant ") else tokens[start : main.end]
    for tags in _found(said, *attribute_words()):
        scene.tags.update(tags)
    if "old" in scene.tags:  # then it is no picture of long ago
        scene.tags.discard("vintage")
    after = tokens[main.end : main.end + 2]
    if main.kind in _THINGS and not _LYING.isdisjoint(after):
        scene.tags.add("surfaced")
    matter = _matter_after(tokens[main.end : main.end + 8])
    if matter is None or (main.kind not in ALIVE and matter & _COMMON_MATTER):
        return
    scene.tags.update(
        matter, {"crafted"}, {"lifesize"} if main.kind in ("person", "creature", "robot") else ()
    )


def _matter_after(tokens: list[str]) -> set[str] | None:
    """Return the matter in "made of paper", ``oddmatter`` for one that we have no words for; None without."""
    for place, token in enumerate(tokens[:4]):
        if token in word_list("demoting") - _MADE:
            return None
        rest = tokens[place + 1 :]
        if token not in _MADE or not rest or rest[0] not in _OF:
            continue
        while rest and rest[0] in _OF:
            rest = rest[1:]
        found = {tag for tags in _found(rest[:3], *attribute_words()) for tag in tags} & _MATTER
        return found or {"oddmatter"}
    return None


def _found(tokens: list[str], words: dict[str, tuple[str, ...]], longest: int) -> Iterator[tuple[str, ...]]:
    for place in range(len(tokens)):
        for size in range(1, longest + 1):
            if tags := words.get(" ".join(tokens[place : place + size])):
                yield tags


def _main_noun(text: str, tokens: list[str], matches: list[Noun]) -> Noun | None:
    """Return the head of the first noun phrase that no preposition introduces."""
    heads: list[Noun] = []
    for match in matches:
        # "robot barista": what it is stands first, what it plays last.
        if heads and heads[-1].end == match.start and match.kind == "person" and _plays(heads[-1], match):
            heads[-1] = replace(heads[-1], end=match.end, words=f"{heads[-1].words} {match.words}")
            continue
        # "penguin family": they are what the first noun says.
        if heads and heads[-1].end == match.start and heads[-1].kind == "animal" and match.kind == "group":
            heads[-1] = replace(heads[-1], end=match.end, words=f"{heads[-1].words}s", plural=True)
            continue
        # "dog house": the last noun of a compound is its head; "bowl of ramen": what the bowl holds.
        if (heads and heads[-1].end == match.start and not break_between(text, match.start)) or (
            heads and _carried(heads[-1], match, tokens)
        ):
            heads[-1] = match
        else:
            heads.append(match)
    # "A sailor's arm" is no sailor.
    owners = {place for place, match in enumerate(WORD.finditer(text)) if OWNS.search(match[0])}
    heads = [head for head in heads if head.end - 1 not in owners or head.end == len(tokens)]
    if not heads or _unknown_before(heads[0], text, tokens):
        return None
    # A "bird feeder" is no bird.
    first = heads[0]
    if first.kind not in PLACES | PEOPLE and (
        _is_compound(first, text, tokens) or _is_qualified_by_thing(first, text, tokens)
    ):
        return None
    # A school of what we have no word for is no house.
    if tokens[heads[0].end : heads[0].end + 1] == ["of"] and heads[0].words in word_list("carriers"):
        return None
    graphic = next(
        (head for head in heads if head.kind == "graphic" and not _demoted(head, text, tokens)), None
    )
    if graphic is not None and word_list("demoting").isdisjoint(tokens[heads[0].end : graphic.start]):
        return graphic
    free = [head for head in heads if not _demoted(head, text, tokens)]
    pool = free or heads
    figures = [head for head in pool if head.kind not in PLACES | {"abstract", "graphic"}]
    living = [head for head in figures if head.kind in {"person", "group", "animal", "creature", "robot"}]
    if living and figures[0].kind in _THINGS and break_between(text, living[0].start - 1):
        return living[0]
    # "dark forest, glowing mushrooms": things after a place belong to it.
    if pool[0].kind == "graphic" or (figures and pool[0].kind in PLACES and figures[0].kind in _THINGS):
        return pool[0]
    return (figures or pool)[0]


def _plays(one: Noun, role: Noun) -> bool:
    """Tell whether `one` is an animal or machine in a person's role; a cat girl is a girl."""
    return one.kind in GUISES and role.words not in ("girl", "boy", "woman", "man", "lady", "guy")


def _unknown_before(head: Noun, text: str, tokens: list[str]) -> bool:
    """Tell whether somebody or something that we have no word for stands before the first noun: a name."""
    if not _demoted(head, text, tokens):
        return False
    known = context_words()[0], attribute_words()[0]
    front = head.start - 1
    while front >= 0 and tokens[front] not in word_list("demoting"):
        front -= 1
    return any(
        len(token) > 2
        and token.isalpha()
        and token not in word_list("demoting")
        and token not in word_list("carriers")
        and token not in _SMALL_WORDS
        and not any(token in words for words in known)
        and not token.endswith("ing")
        for token in tokens[: max(0, front)]
    )


def _is_qualified_by_thing(head: Noun, text: str, tokens: list[str]) -> bool:
    """Tell whether a thing that we do not know stands right before the noun: a carousel horse is no horse."""
    place = head.start - 1
    if place < 0 or break_between(text, head.start):
        return False
    word = tokens[place]
    return len(word) > 3 and not word.endswith(tuple(word_list("quality_endings"))) and _is_unknown(word)


def _is_unknown(word: str) -> bool:
    return (
        word.isalpha()
        and len(word) > 2
        and word not in ENGLISH
        and not any(
            word in word_list(name) for name in ("demoting", "following", "counts", "carriers", "crafted")
        )
        and not any(word in words for words in (context_words()[0], attribute_words()[0], lexicon()[0]))
    )


def _is_compound(head: Noun, text: str, tokens: list[str]) -> bool:
    """Tell whether a word that we do not know follows the noun, as the head of a compound."""
    if head.end >= len(tokens) or break_between(text, head.end):
        return False
    word = tokens[head.end]
    return not word.endswith(("ing", "ed", "ly", "s", "en")) and _is_unknown(word)


def _carried(first: Noun, second: Noun, tokens: list[str]) -> bool:
    between = tokens[first.end : second.start]
    return (
        first.words.split()[-1] in word_list("carriers")
        and bool(between)
        and between[0] == "of"
        and len(between) <= 4
    )


def _demoted(match: Noun, text: str, tokens: list[str]) -> bool:
    behind = word_list("demoting")
    for place in range(match.start - 1, max(-1, match.start - 5), -1):
        if break_between(text, place + 1):
            return False
        if tokens[place] in behind:
            return True
        if tokens[place].endswith("ing") and place < match.start - 1:
            return True
    return False

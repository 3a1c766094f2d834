"""Danbooru tags: those that an idea names, and those that are added."""

from __future__ import annotations

import re

from ..answers.facts.idea_tags import tags_in
from ..answers.terms import NOBODY, shows_people, with_count
from ..targets.fitting import split_terms
from . import data
from .chooser import Chooser
from .composing import looks_like_tags
from .reading.certainty import words_for
from .reading.negations import take_negations
from .reading.visible import without_camera
from .scene import Scene
from .things import tags_about
from .vocabulary import lexicon, singular

# Of 64 numbers in a row the two nearest lie 1/123 of the whole apart.
ENOUGH_SPREAD = 130.0
_NEGATED = re.compile(r"(?i)\A(?:no|without|not|nothing|nobody)\b(?! humans)")
_TWICE = re.compile(r"(?i)\A(1(?:girl|boy)), (?:girl|woman|boy|man)(?=,|\Z)")
_WORN = re.compile(r"(?i)\A(?:wearing|dressed in|during|it is|there is|there are)\s+")
_GROUP = re.compile(r"(?i)\A(two|three|four|2|3|4)\s+(girls|women|boys|men)\b")
_SYNTAX = re.compile(r"[\[\]{}()<>|\\\n_*—]|:(?!\s)|\bBREAK\b")
_SHOULD_SHOW = re.compile(
    r"(?i)\b(?:it|the\s+\w+|which|that)\s+(?:should|must|has\s+to|needs\s+to)\s+"
    r"(?:show|have|contain|include)\s+"
)
# "A man whose beard is a flock of starlings" names three things.
_CLAUSE = re.compile(
    r"(?i)\s+(?:whose|where|while|(?:who|which|that)\s+(?:is|are)|is|are|as|becoming|turning\s+into)\s+(?=\S)"
)
# What is left around something that is not there: "no stars in the sky", "sunglasses but no hat".
_AROUND_NOTHING = re.compile(
    r"(?i)(?:[\s,]+(?:but|and|or|though|although|yet))?\s+,\s"
    r"(?:[\s,]*\b(?:but|and|or|in|on|at|near|over|above|under|below|beside|across|by|around|behind|to|of|for|from|with|visible|anywhere)(?=\s)(?:\s+(?:him|her|it|them)(?=\s*(?:,|\Z)))?)*"
)
# "Please draw a dragon": what is wished for is the dragon.
_WISHED = re.compile(
    r"(?i)\A\W*(?:(?:please|pls|plz)\W+)?(?:draw|paint|make|create|show|generate|give|render)\s+(?:me\s+)?(?=(?:an?|the|two|three)\s)"
)
# A table laid for eight shows none of them, and the bow of a boat is no ribbon.
_WHOLE = re.compile(
    r"(?i)\b(?:(?:laid|set)\s+for\s+\w+(?:\s+(?:people|guests))?|(?:on|at)\s+(?:the|its)\s+(?:bow|stern))\b"
)
_OPENING = re.compile(r"(?i)\A[\s,]*(?:(?:in|on|at|under|inside|near)\s+(?=(?:an?|the)\s))?")
# "Caught in a net" and "driven by a panda" stay whole.
_DONE_BY = re.compile(
    r"(?i)\b(?!(?:made|carved|built|woven|folded|sculpted|covered|surrounded)\b)"
    r"(\w{2,}(?:ed|en)|stuck|caught|run(?=\s+by)|lost|lit|held|hung|worn|drawn|asleep)\s+(by|with|as|in|into|from|at|under)\s+"
    r"(?:(?:an?|the|his|her|its)\s+)?(?=\w)"
)
# "Rays of light from above" says where they come from, and not where the picture is seen from.
_LIT_FROM = re.compile(
    r"(?i)\b((?:\w+\s+of\s+)?(?:\w*light(?:s|ing)?|lit|rays?|beams?|shafts?|glow|glowing|sun|lamps?|shining|falling|"
    r"streaming|coming|pouring)(?:\s+in)?)\s+from\s+(?:an?\s+|the\s+)?"
    r"(above|below|behind|side|left|right|front|within|inside|window|doorway|skylight)\b"
)
# "Boots walks a terrier", "paint lies tilted": what is done stands in a tag of its own.
_DOES = re.compile(
    r"(?i)(?<=[a-z])\s+(?:([a-z]{2,}s)\s+(?=(?:an?|the|his|her|its|their)\s)"
    r"|(lies|sits|stands|hangs|leans|rests|kneels|sleeps|floats)\s+(?=[a-z]))"
)
# A ship at dusk leaving the harbour: the dusk leaves nothing.
_AFTER_HOUR = re.compile(
    r"(?i)\b((?:at|in)\s+(?:the\s+)?(?:dawn|dusk|night|noon|midday|midnight|sunset|sunrise|twilight|morning|evening|"
    r"afternoon|rain|snow|fog|mist|summer|winter|spring|autumn))\s+(?=[a-z]{3,}ing\b)"
)
_DANGLING = re.compile(
    r"(?i)\A(?:being|is|are)\s+|\s+(?:of|to|by|as|from|for|like|who|that|which|is|are|has|have|had|wears|among|seen|mid|with)\Z"
)
_GIRL_OR_BOY = re.compile(r"(?i)\b(?:girls?|boys?|wom[ae]n|m[ae]n|lady|ladies|guys?)\b")
# Each with the tag that is left of it where nothing else is said.
_CHESS = re.compile(r"(?i)\bchess")
_CHESSMAN = re.compile(r"(?i)\b(?:king|queen|knight|bishop)s?\b")
_PRONOUNS = {
    "she": "1girl",
    "he": "1boy",
    "it": "",
    "they": "",
    "him": "",
    "them": "",
    "i": "",
    "we": "",
    "you": "",
}
_LIFELESS = frozenset({"object", "food", "building", "city", "interior", "landscape", "plant"})
# Bees in the shape of a man are no man.
_LIKENESS = re.compile(r"(?i)\b(?:shape|form|likeness|silhouette)s?\s+of\s+(?:an?|the)\s+\w+")
_MOTHER = re.compile(r"(?i)\b([a-z]+)\s+(?:mother|father)\b")
# Who lies on her back has no back in the picture.
_LIES_ON = re.compile(
    r"(?i)\b(asleep|sleeping|lying|lies|resting|floating|rolling|sprawled)\s+on\s+(?:his|her|its|their)\s+(back|side|stomach|belly)\b"
)
_NUMBERS = {"two": "2", "three": "3", "four": "4"}


def as_tags(prompt: str, scene: Scene) -> str:
    """Return `prompt` as a list of tags: a list without its negations, and as it is what we cannot read."""
    if _SYNTAX.search(prompt) or scene.language != "en":
        return prompt
    # What is not to be there stands in the negative prompt.
    if looks_like_tags(prompt):
        return ", ".join(tag for tag in split_terms(prompt) if not _NEGATED.match(tag)) or prompt
    left = _AROUND_NOTHING.sub(", ", take_negations(without_camera(_WISHED.sub("", prompt)), Scene()))
    left = _AFTER_HOUR.sub(r"\1, ", left)
    left = _LIT_FROM.sub(lambda found: f"{found[1].replace(' ', '_')}_from_{found[2]}", left)
    left = _SHOULD_SHOW.sub(", ", _OPENING.sub("", left))
    left = _WHOLE.sub(lambda found: found[0].replace(" ", "_"), _DOES.sub(_doing, left))
    left = _LIES_ON.sub(r"\1, on_\2", left)
    left = _CLAUSE.sub(", ", _DONE_BY.sub(_done_by, left))
    tags = [_WORN.sub("", tag.replace("_", " ")) for tag in tags_in(left) if not _NEGATED.match(tag)]
    if not tags:
        return prompt
    if group := _GROUP.match(tags[0]):
        kind = "girls" if group[2].lower() in ("girls", "women") else "boys"
        tags.insert(0, f"{_NUMBERS.get(group[1].lower(), group[1])}{kind}")
    # "She is not a child" says nothing of her.
    tags = [tag for tag in tags if tag.lower() not in _PRONOUNS] or [
        _PRONOUNS.get(tag.lower(), tag) or tag for tag in tags
    ]
    tags = [_DANGLING.sub("", part) for tag in tags for part in _without_deed(tag, is_first=tag == tags[0])]
    listed = ", ".join(tags)
    counted = _CHESSMAN.sub("piece", left) if _CHESS.search(left) else left
    # The queen that a chess piece dreams of is no girl in the picture.
    if scene.kind != "unsure" or scene.subject in ("person", "group", "general") or _GIRL_OR_BOY.search(left):
        listed = _TWICE.sub(r"\1", with_count(listed, _MOTHER.sub(_of_animal, _LIKENESS.sub("", counted))))
    # Somebody whose name is not known may well be a person.
    known = scene.subject not in ("person", "group", "general", "abstract") and "noperson" in scene.tags
    # A mermaid has the tags of a girl.
    known = known and "humanoid" not in scene.tags
    return f"{NOBODY}, {listed}" if known and not shows_people(left) and NOBODY not in listed else listed


def _done_by(match: re.Match[str]) -> str:
    """Return "caught in" as one word; a kitchen ends like what is done, and is a thing."""
    is_thing = match[1].lower() in lexicon()[0] or singular(match[1].lower()) in lexicon()[0]
    # The island of a kitchen with one is no tag.
    return match[0] if is_thing and match[2].lower() != "with" else f"{match[1]}_{match[2]}_"


def _doing(match: re.Match[str]) -> str:
    """Cut a text before a deed; the plural of a thing is none."""
    word = (match[1] or match[2]).lower()
    if match[1] and (singular(word) in lexicon()[0] or word in lexicon()[0]):
        return match[0]
    # A comma more could make a list of it.
    return f"; {match[0].strip()} "


def _without_deed(tag: str, *, is_first: bool) -> list[str]:
    """Cut "roller skates carrying milkshakes" in two: who carries them stands in another tag."""
    words = tag.split()
    for place in range(1, len(words) - 1):
        if not is_first and _is_deed(words[place - 1 : place + 1]):
            return [" ".join(words[:place]), " ".join(words[place:])]
    return [tag]


def _of_animal(match: re.Match[str]) -> str:
    """Return nothing for an opossum mother, who is no girl."""
    kind = lexicon()[0].get(match[1].lower(), ("",))[0]
    return "" if kind == "animal" else match[0]


def _is_deed(words: list[str]) -> bool:
    """Tell whether the second of two words is what the first does not do itself: a suit that waits."""
    noun, deed = (word.lower() for word in words)
    if not deed.endswith("ing") or deed in words_for("no_deeds"):
        return False
    return deed in words_for("turns") or lexicon()[0].get(singular(noun), ("",))[0] in _LIFELESS


def tags_of(prompt: str, chooser: Chooser, few: int, *, with_light: bool = True) -> list[str]:
    """Return tags that the prompt lacks, in its own spelling, until it has `few` (or no more fit)."""
    present = {_tag_key(part) for part in prompt.split(",")}
    underscores = bool(re.search(r"[a-z]_[a-z]", prompt)) and not re.search(r"[a-z] [a-z]", prompt)
    facets = data.facets("tags")
    # Where sentences follow, they describe the light.
    order = [
        "medium",
        "tags",
        "light" if with_light else "tags",
        "tags",
        "tags",
        "frame",
        "tags",
        "colour",
        "tags",
        "light" if with_light else "tags",
        "frame",
    ]
    order += ["tags"] * 12
    if len(present) > 2 * few:
        order = ["frame", "light", "colour"]
    else:
        order += ["again", *["tags"] * 12, *["safe"] * 30, "size", "size"]
    if chooser.scene.language != "en":  # of which no medium and no hour is known
        order = ["foreign"] * 8
    elif chooser.scene.kind == "unsure":
        order = [*["medium"] * 5, *["thing"] * 6, *["tags"] * 5, *["things"] * 12, *["tags"] * 3]
        order += [*["safe"] * 40, "size", "size"]
    else:
        order[1:1] = ["thing", "thing", "things", "things"]
        order += ["things"] * 8
    found: list[str] = []
    for tag in chooser.scene.entailed:
        if not any(_stems(tag) == _stems(known) for known in (*present, *found)):
            found.append(tag)
    for facet in order:
        if len(present) + len(found) >= few and chooser.spread > ENOUGH_SPREAD:
            break
        if facet == "again":
            chooser.begin_again()
            continue
        if facet in ("thing", "things"):
            entry = chooser.entry("tags/things", tags_about(chooser.scene, first=facet == "thing"))
        else:
            entries = facets[facet]
            if not with_light:
                entries = tuple(entry for entry in entries if "lightdir" not in entry.tags)
            entry = chooser.entry(f"tags/{facet}", entries)
        if entry is None:
            continue
        for tag in entry.phrase.split(","):
            words = _stems(tag)
            if not any(words <= _stems(known) for known in (*present, *found)):
                found.append(tag.strip())
    return [tag.replace(" ", "_") for tag in found] if underscores else found


def _stems(tag: str) -> set[str]:
    return {word.removesuffix("s") for word in _tag_key(tag).split()}


def _tag_key(tag: str) -> str:
    tag = re.sub(r":[\d.]+", "", tag)
    return re.sub(r"[()\[\]{}\\]", "", tag).replace("_", " ").strip().lower()

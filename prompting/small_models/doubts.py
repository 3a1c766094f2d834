"""Doubts about what a small model wrote: signs that no picture of the idea will come of it.

Each is one that can be told without understanding: repetition, a story, talk, a text about text, measures,
another form than the target's, what the idea names and the text lacks. They are looked for in English alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..answers.facts.idea_tags import is_english
from ..answers.facts.kept import lettering
from ..answers.shapes.shots import without_labels
from ..answers.terms import LISTS
from ..phrasebook.language import language_of
from ..targets import Target
from ..targets.fitting import split_terms
from .mending import ALSO
from .picture_words import unfit
from .sentences import is_nothing_to_draw

# Below so many words no share of them means anything.
_FEWEST = 16
# Of the words of English prose a third and more are small ones; a row of nouns has hardly any.
_SMALL_SHARE = 0.16, 0.68
_DISTINCT = 0.5
# A word of the model's own, and one of the idea's, may stand so often in a prompt, and in such a share of it.
_OFTEN, _OFTEN_SHARE = {False: 4, True: 6}, 0.09
# So much of an idea may be said in other words.
_LOST = 0.5
_STEM = 4
_MOST_POSES, _MOST_COLOURS = 3, 2
_SHORT_PIECE, _FEWEST_PIECES, _LISTED = 3, 6, 0.7
_LONG_TERM = 7

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SMALL = frozenset([
    "a", "an", "the", "of", "in", "on", "at", "to", "by", "for", "from", "with", "without", "into", "onto",
    "over", "under", "above", "below", "behind", "beside", "between", "near", "through", "across", "around",
    "along", "against", "among", "and", "or", "but", "nor", "as", "than", "that", "which", "who", "whose",
    "while", "where", "when", "is", "are", "was", "were", "be", "been", "being", "has", "have", "had", "do",
    "does", "did", "it", "its", "he", "his", "him", "she", "her", "they", "them", "their", "this", "these",
    "those", "there", "here", "not", "no", "so", "too", "very", "just", "only", "also", "all", "both",
    "each", "some", "any", "one", "other", "another", "up", "down", "out", "off", "then", "if", "like",
])  # fmt: skip
_TWICE = re.compile(r"(?i)(?<![\w'’-])([^\W\d_]{3,})(?:\s+\1)+(?![\w'’-])")
_STORY = re.compile(
    r"(?i)\b(?:once upon|one day|yesterday|forever|the (?:story|tale) (?:goes|is|of|begins|tells)"
    r"|tell(?:s|ing)? (?:about|us|the story|a story)"
    r"|(?:he|she|they|it|who) (?:said|asked|replied|decided|reali[sz]ed|wondered|remembered|told|went|knew"
    r"|wanted|thought|felt|came|tried|began|found)|(?:said|asked|replied) (?:the|a|he|she|to))\b"
)
_PAST = re.compile(r"(?i)\b(?:was|were|had|did|went|came|said|told|took|became|began|would|could)\b")
_MOST_PAST = 2
_SPEAKER = re.compile(r"(?<![\w-])(?:I|[Mm]e|[Mm]y|[Mm]yself|[Ww]e|us|[Oo]ur)(?![\w-])")
_OF_ITSELF = re.compile(
    r"(?i)\b(?:this|the) (?:image|picture|photo|photograph|painting|scene) (?:was|needs|should|must|would"
    r"|could|will|may)\b"
    r"|\bthis is an? (?:\w+ )?(?:image|picture|photo|photograph|painting|scene)\b"
)
_ONE_PERSON = re.compile(r"(?i)\b(?:an?|the|my) (?:[\w-]+ ){0,3}?(?:man|woman|girl|boy|fisherman|grand\w+)\b")
_PEOPLE = re.compile(r"(?i)\b(?:man|men|woman|women|girls?|boys?|child|children|wife|husband|daughter|son)\b")
_ABOUT_TEXT = re.compile(
    r"(?i)\b(?:words?|sentences?|paragraphs?|fonts?|keywords?|commas?|spelled|alphabet|vocabulary|grammar)\b"
)
_QUOTED = re.compile(r"[\"“]([^\"”]{1,80})[\"”]")
_NUMBER = re.compile(r"[\d.,/:%$°x×-]*\d[\d.,/:%$°x×\"”-]*")
_USUAL_NUMBER = re.compile(
    r"(?i)\A(?:f/?\d[\d.]*|(?:1[4-9]|20)\d\d|[1-9]|\d{1,2}:\d{1,2}|35|50|85|100|\d{2,3}0)\Z"
)
_UNIT = re.compile(
    r"(?i)\A\s*-?(?:mm|k\b|kelvin|iso|megapixel|degrees?|°|p\b|d\b|fps|s\b|th\b|st\b|nd\b|rd\b)"
)
_POSE = re.compile(
    r"(?i)\A(?:standing|sitting|lying|lying down|walking|running|jumping|sleeping|kneeling|flying)\Z"
)
_COLOUR = re.compile(
    r"(?i)\A(?:red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y|golden|silver)\s+(\w+)\Z"
)
_COLOURED = re.compile(
    r"(?i)\b(red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y|golden|silver) (\w{3,})"
)
_BARE_COLOUR = re.compile(
    r"(?i)\A(?:(?:light|dark|pale) )?(?:red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y"
    r"|gold|silver|ivory)\Z"
)
_MOST_BARE = 5
_STUTTER = re.compile(r"(?i)\b([^\W\d_]+)\b(?:[\s,.;!]+\1\b){2,}")
_COLOURS = r"(?:red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y|golden|silver)\b"
_COLOUR_WORD = re.compile(rf"\b{_COLOURS}")
_IS_COLOURED = re.compile(
    r"\b(fur|hair|eyes?|skin|coat|dress|tail|face|walls?|sky|light|sea|water|sand|snow|roof|car|body)"
    rf" (?:is|are|has|with|in) ((?:[\w-]+,? ){{0,7}}?{_COLOURS}(?:(?:,| and)? {_COLOURS})*)"
)
# What an editing instruction may say in other words.
_ASKING = frozenset(
    ["make", "turn", "change", "replace", "remove", "delete", "erase", "add", "put", "set", "give", "swap",
     "take", "please", "convert", "look", "like", "into", "with", "from", "the", "colour", "color"]
)  # fmt: skip
_SUN, _MOON = re.compile(r"(?i)\bsun(?:light|ny|lit)?\b"), re.compile(r"(?i)\bmoon(?:light|lit)?\b")
_REQUEST = re.compile(r"(?:\A|[.,] )(?:[Tt]he )?(?:[Ss]etting|[Ll]ight|[Mm]aterials?|[Vv]iew) (?:is|are)\b")
_COUNT = re.compile(r"(?i)\b(?:two|three|four|five|six|seven|eight|nine)\b")
_VERB = re.compile(r"(?i)\b(?:is|are|was|were|has|have)\b")


def doubts(text: str, idea: str, target: Target, own: str = "", *, is_tiny: bool = False) -> list[str]:
    """Return what speaks against `text`, made of `idea`, each as a clause about it.

    `own` is all that the user wrote, where that is more than the idea that the text has to keep. With
    `is_tiny` the model has a few hundred million parameters and is trusted with less.
    """
    own = own or idea
    if target.shot_label:
        text = without_labels(text, target.shot_label)
    if language_of(text) != "en" or (target.kind not in ("image", "video") and not is_tiny):
        return []
    found = [*_repetitions(text, own), *_told(text, own), *_numbers(text, own), *_form(text, own, target)]
    found += _contradictions(text, own)
    if is_tiny:
        found += _of_a_tiny_model(text, idea, own, target)
    if target.kind != "edit" and (lost := lost_words(text, idea)):
        found.append(f"it lacks “{'”, “'.join(lost)}”")
    return list(dict.fromkeys(found))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _repetitions(text: str, idea: str) -> Iterator[str]:
    own = set(_words(idea))
    doubled = (
        found for found in _TWICE.findall(text) if f"{found} {found}".casefold() not in idea.casefold()
    )
    twice = next(doubled, "")
    if twice:
        yield f"it says “{twice} {twice}”"
    words = _words(text)
    if len(words) < _FEWEST:
        return
    counted = Counter(word for word in words if len(word) > 3 and word not in _SMALL)
    for word, count in counted.most_common(3):
        if count > _OFTEN[word in own] and count > _OFTEN_SHARE * len(words):
            yield f"it says “{word}” {count} times"
            return
    fours = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    again = [
        " ".join(four)
        for four, count in fours.items()
        if count > 1 and len({*four} - _SMALL) > 1 and not {*four} - _SMALL <= own
    ]
    if again and not twice:
        yield f"it says “{again[0]}” more than once"
    elif len(set(words)) < _DISTINCT * len(words):
        yield "it goes round in the same words"


def _told(text: str, idea: str) -> Iterator[str]:
    """Yield the signs of a story, of talk, and of a text about text."""
    if (story := _STORY.search(text)) and story[0].casefold() not in idea.casefold():
        yield f"it tells a story (“{story[0]}”)"
    elif len(_PAST.findall(text)) - len(_PAST.findall(idea)) > _MOST_PAST:
        yield "it tells of the past"
    if is_nothing_to_draw(text, idea):
        yield "it speaks to somebody, or of the prompt"
    elif (speaker := _SPEAKER.search(text)) and not _SPEAKER.search(idea):
        yield f"it has somebody who speaks (“{speaker[0]}”)"
    elif len(_REQUEST.findall(text)) > 1:
        yield "it answers the request point by point"
    elif found := _OF_ITSELF.search(text):
        yield f"it speaks of itself (“{found[0]}”)"
    if _ONE_PERSON.match(idea) or re.match(r"(?i)portrait of ", idea):
        known = {word.casefold() for word in _PEOPLE.findall(idea)}
        others = [word for word in _PEOPLE.findall(text) if word.casefold() not in known]
        if known and others:
            yield f"it brings in somebody else (“{others[0]}”)"
    new = [said for said in _QUOTED.findall(text) if not _holds(idea, said.strip(" ,.!?"))]
    if new:
        yield f"it has lettering that was not asked for (“{new[0]}”)"
    elif (about := _ABOUT_TEXT.search(text)) and not _ABOUT_TEXT.search(idea) and not lettering(idea):
        yield f"it speaks of text (“{about[0]}”)"


def _holds(text: str, said: str) -> bool:
    """Tell whether `text` has what is `said`, as words of their own."""
    return bool(re.search(rf"(?<!\w){re.escape(said)}(?!\w)", text, re.IGNORECASE))


def _contradictions(text: str, idea: str) -> Iterator[str]:
    """Yield what cannot be so: another colour for a thing of the idea, the sun and the moon at once."""
    wanted: dict[str, list[str]] = {}
    for colour, thing in _COLOURED.findall(idea.casefold()):
        wanted.setdefault(thing, []).append(colour)
    for colour, thing in _COLOURED.findall(text.casefold()):
        if colour not in wanted.get(thing, [colour]):
            yield f"its {thing} is {colour}, not {wanted[thing][0]}"
            break
    if _SUN.search(text) and _MOON.search(text) and not (_SUN.search(idea) or _MOON.search(idea)):
        yield "it has the sun and the moon at once"


def _of_a_tiny_model(text: str, idea: str, own: str, target: Target) -> Iterator[str]:
    """Yield what only the smallest models do: a stutter, a thing of two colours, an edit of another."""
    if (stutter := _STUTTER.search(text)) and stutter[0].casefold() not in own.casefold():
        yield f"it says “{stutter[1]}” again and again"
    coloured: dict[str, set[str]] = {}
    for thing, said in _IS_COLOURED.findall(text.casefold()):
        coloured.setdefault(thing, set()).update(_COLOUR_WORD.findall(said))
    for thing, colours in coloured.items():
        if len(colours) > 1 and not colours <= set(_words(own)):
            yield f"its {thing} has {len(colours)} colours"
            break
    if target.form not in ("prose", *LISTS) and is_english(own) and (clause := unfit(text, own)):
        yield f"it has what does not belong there (“{clause[:60]}”)"
    if target.kind == "edit" and is_english(idea):
        wanted = [
            word for word in dict.fromkeys(_words(idea)) if len(word) > _STEM - 2 and word not in _ASKING
        ]
        held = _words(text)
        gone = [word for word in wanted if not any(_akin(word, other) for other in held)]
        if gone and 2 * len(gone) >= len(wanted):
            yield f"it lacks “{'”, “'.join(gone[:3])}”"


def _numbers(text: str, idea: str) -> Iterator[str]:
    for number in _NUMBER.finditer(text):
        said = number[0].strip(".,:-/")
        if said in idea or _USUAL_NUMBER.match(said) or _UNIT.match(text[number.end() :]):
            continue
        if text[: number.start()][-1:].isalpha() or text[number.end() :][:1].isalpha():
            continue  # 1girl, f2.8
        yield f"it has numbers from nowhere (“{said}”)"
        return
    if text.count("(") != text.count(")") and idea.count("(") == idea.count(")"):
        yield "it breaks off in brackets"


def _form(text: str, idea: str, target: Target) -> Iterator[str]:
    if target.form in LISTS:
        yield from _list(split_terms(text), idea, target)
        return
    words = _words(text)
    if target.form != "prose" or len(words) < _FEWEST:
        return
    share = sum(word in _SMALL for word in words) / len(words)
    pieces = [piece.split() for piece in re.split(r"[,;.!?]\s+", text)]
    short = sum(len(piece) <= _SHORT_PIECE for piece in pieces)
    if not _SMALL_SHARE[0] <= share <= _SMALL_SHARE[1]:
        yield "it strings words together"
    elif len(pieces) >= _FEWEST_PIECES and short > _LISTED * len(pieces):
        yield "it is a list, and sentences are wanted"


def _list(terms: list[str], idea: str, target: Target) -> Iterator[str]:
    if target.form == "tags":
        long = [term for term in terms if len(term.split()) >= _LONG_TERM or (_VERB.search(term))]
        if len([term for term in long if term.casefold() not in idea.casefold()]) > 1:
            yield "it has sentences, and tags are wanted"
    if sum(bool(_BARE_COLOUR.match(term)) for term in terms) > _MOST_BARE:
        yield "it lists colours"
    counts = {count.casefold() for count in _COUNT.findall(idea)}
    if counts and (
        other := [count for count in _COUNT.findall(", ".join(terms)) if count.casefold() not in counts]
    ):
        yield f"it counts otherwise (“{other[0]}”)"
    poses = {term.casefold() for term in terms if _POSE.match(term)}
    if len(poses) > _MOST_POSES:
        yield f"its poses exclude each other (“{', '.join(sorted(poses)[:4])}”)"
    coloured: dict[str, set[str]] = {}
    for term in terms:
        if found := _COLOUR.match(term):
            coloured.setdefault(found[1].casefold(), set()).add(term.casefold())
    for thing, colours in coloured.items():
        if len(colours) > _MOST_COLOURS:
            yield f"it gives “{thing}” {len(colours)} colours"
            return


def lost_words(text: str, idea: str, share: float = _LOST) -> list[str]:
    """Return the words of an English `idea` that `text` lacks, where these are more than a `share` of it."""
    if not is_english(idea):
        return []
    held = _words(text.partition(ALSO)[0])  # what code has put in is no sign of understanding
    wanted = [word for word in dict.fromkeys(_words(idea)) if len(word) > _STEM - 2 and word not in _SMALL]
    gone = [word for word in wanted if not any(_akin(word, other) for other in held)]
    return gone[:3] if len(gone) > share * len(wanted) else []


def _akin(one: str, other: str) -> bool:
    least = min(len(one), len(other), _STEM)
    return least > _STEM - 2 and one[:least] == other[:least]

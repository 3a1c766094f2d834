"""Terms of a list of tags or phrases that are left out of what a small model wrote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ..targets.fitting import split_terms, term_key

LISTS = ("tags", "phrases")
_MOST_ALIKE = 3
# So many terms in a row with the same beginning, or the same end, are a list that runs away.
_ROTE = 4
_FEW_LEAKED = 2
# Said in turn they are one word said again: serene forest, tranquil setting, peaceful view.
_CALM = frozenset(["calm", "peaceful", "quiet", "serene", "tranquil"])
_FIRST = re.compile(r"[^\W_]+")
# Words of our own that come back as if they were to be drawn.
_ECHO = re.compile(
    r"(?i)\A(?:\d+ to \d+ |\d+ )?(?:tags|words|short phrases|tags in lower case)\Z|\Aseparated by commas\Z"
    r"|\A(?:(?:then )?looks|clothing|pose|place|light|framing|light,? (?:and )?colou?rs?)\Z"
    r"|\A(?:light,? )?colou?rs? and framing\Z"
    r"|\Ain english\b|\Akeep everything the idea|\A(?:and )?add what a picture needs|\A(?:idea|name)\b.*:"
)

NOBODY = "no humans"
_OF_AN_ANIMAL = (
    r"(?!\s+(?:elephant|bear|fox|wolf|lion|tiger|cat|dog|hen|duck|goose|swan|bird|owl|whale|cow|horse|deer|rabbit"
    r"|panda|monkey|gorilla|orca|seal|hippo|rhino|giraffe|zebra|kangaroo|koala|pig|sheep|goat)\b)"
)
_PERSON = re.compile(
    r"(?i)\b\d?(?:girls?|boys?|wom[ae]n|m[ae]n|child(?:ren)?|kids?|people|person|friends?|grand\w+"
    rf"|(?:mother|father){_OF_AN_ANIMAL}"
    r"|sisters?|brothers?|lady|couple|samurai|astronaut|ballerina|dancers?|knights?|queen|king|prince(?:ss)?|witch"
    r"|wizard|soldiers?|\w+(?:erman|ician|icians)|kinder|frau|mann|femme|homme|fille|mujer|hombre|niñ[oa]s?|pescador)\b"
    r"|\A(?:[A-Z][a-z]+ )?(?:and )?[A-Z][a-z]+ (?:in|and) |\b(?:me|myself|we|us|with my|(?-i:I))\b"
    r"|(?-i:[Pp]ortrait of [A-Z][a-z]+)"
    r"|少女|女|男|여자|남자|женщин|мужчин|девуш"
)
_ONE_GIRL = re.compile(
    rf"(?i)\b(?:girl|woman|grandmother|mother{_OF_AN_ANIMAL}|sister|lady|ballerina|queen|princess|witch|nurse)\b"
)
_ONE_BOY = re.compile(
    rf"(?i)\b(?:boy|man|grandfather|father{_OF_AN_ANIMAL}|brother|king|prince|wizard|fisherman|knight|samurai)\b"
)
# "A wizard's desk" shows no wizard, and "two samurai" are no one boy.
_OF_SOMEBODY = re.compile(r"(?i)\b\w+['’]s\b(?=\s+\w)")
_SEVERAL = re.compile(
    r"(?i)\b(?:samurai|knight|witch|wizard|king|queen|grandfather|grandmother)\s+(?:sword|helmet|armou?r|mask|hat|bee|clock|doctor|hunter|hunt|trial|house|funeral|procession|duel|battle|army|wedding|film|movie|statue|costume|school)\b|\b(?:two|three|four|five|six|several|many|[2-9])\s+(?:\w+\s+)?\w+"
)
# "A grandfather with his grandson" is no one boy.
_KIN = re.compile(
    r"(?i)\b(?:his|her|their)\s+(?:\w+\s+)?(?:(?:grand)?(?:son|daughter|child(?:ren)?|mother|father)s?|brothers?|sisters?|wife"
    r"|husband|boyfriend|girlfriend|friends?|parents|twin)\b"
)
_ONE_THING = re.compile(r"\A1((?!girl|boy|other|st\b)[a-z]+)")
_SOMEBODY = re.compile(
    r"(?i)\A(?:\w+ )?(?:man|woman|men|women|girl|boy|people|person|chef|nurse|soldier|crowd)\Z"
)
_COUNT = re.compile(r"(?i)\A(?:\d\+?(?:girl|boy|other)s?|multiple \w+|solo)\Z")


def shows_people(idea: str) -> bool:
    """Tell whether `idea` speaks of people, as far as its words are known."""
    return bool(_PERSON.search(idea))


def with_count(text: str, idea: str) -> str:
    """Return tags with who is there in front: the one girl or boy of `idea`, no ``no humans`` with people."""
    # There is a tag for one girl, none for one panda.
    terms = [_ONE_THING.sub(r"\1", term) for term in split_terms(text)]
    if shows_people(idea):
        terms = [term for term in terms if term_key(term) != NOBODY]
    left = _OF_SOMEBODY.sub("", _SEVERAL.sub("", idea))
    girl, boy = _ONE_GIRL.search(left), _ONE_BOY.search(left)
    # An old witch and a young witch are two.
    if re.search(rf"{_ONE_GIRL.pattern}\s+and\s+.*{_ONE_GIRL.pattern.removeprefix('(?i)')}", left):
        girl = None
    if bool(girl) != bool(boy) and not _KIN.search(left) and not any(_COUNT.match(term) for term in terms):
        terms = ["1girl" if girl else "1boy", *terms]
    somebody = [term for term in terms if term_key(term) != NOBODY]
    # A solo fox is an animal's, too.
    is_there = any(_COUNT.match(term) and term_key(term) != "solo" for term in somebody)
    return ", ".join(somebody if is_there or any(map(_SOMEBODY.match, somebody)) else terms)


def without_runaway(text: str) -> str:
    """Return a list up to where it goes on by rote, such as red hue, green hue, blue hue, pink hue."""
    terms = split_terms(text)
    for place in range(len(terms) - _ROTE + 1):
        run = [term_key(term).split() for term in terms[place : place + _ROTE]]
        if any(len({words[end] for words in run if len(words) > 1}) == 1 for end in (0, -1)) and all(
            len(words) > 1 for words in run
        ):
            return ", ".join(terms[: place + 2])
    return text


def without_shown(text: str, own: str, shown: Sequence[str]) -> str:
    """Return a list without the terms of a worked example in `shown` that came back, save one or two.

    What `own`, the user's text, has stays, and so do terms that several examples have.
    """
    lists = [{term_key(term) for term in split_terms(example)} for example in shown]
    said = term_key(own)
    terms = split_terms(text)
    for one in lists:
        others = {term for other in lists if other is not one for term in other}
        leaked = [term for term in terms if term_key(term) in one - others and term_key(term) not in said]
        if len(leaked) > _FEW_LEAKED:
            terms = [term for term in terms if term not in leaked]
    return ", ".join(terms)


_CLOTHES = re.compile(
    r"(?i)\b(?:shirt|blouse|sweater|hoodie|dress|skirt|pants|trousers|shorts|jeans|jacket|hat|gloves|scarf|boots|shoes"
    r"|sneakers|socks|(?:neck)?tie|cape|glasses|sunglasses|goggles|belt|swimsuit|bikini|apron)\Z"
)
_COLOURED = re.compile(
    r"(?i)\A(?:(?:light|dark|pale|bright) )?(?:red|orange|yellow|green|blue|purple|pink|brown|black|white"
    r"|gr[ae]y|golden|blonde?|silver) (fur|hair|eyes|skin|beard|feathers)\Z"
)


def without_contradictions(text: str, own: str) -> str:
    """Return tags without clothes where nobody is, and without a second colour of fur, hair, eyes or skin.

    What `own`, the user's text, names stays.
    """
    terms, said = split_terms(text), term_key(own)
    nobody = NOBODY in map(term_key, terms)
    kept, coloured = [], {found[1].casefold() for found in map(_COLOURED.match, split_terms(own)) if found}
    for term in terms:
        clothes, colour = _CLOTHES.search(term), _COLOURED.match(term)
        if term_key(term) not in said and (
            (nobody and clothes and clothes[0].casefold() not in said)
            or (colour and colour[1].casefold() in coloured)
        ):
            continue
        if colour:
            coloured.add(colour[1].casefold())
        kept.append(term)
    return ", ".join(kept)


def sifted(text: str, excluded: Sequence[str] = (), most: int | None = None) -> str:
    """Return a list without terms that repeat others, hold a word of `excluded`, or echo our request.

    Of those that begin with the same word (snow-covered trees, snow-covered hills …) the first few stay, and
    of all of them no more than `most`.
    """
    seen: set[str] = set()
    begun: Counter[str] = Counter()
    kept = []
    out = any_of(excluded)
    for term in split_terms(text):
        key = term_key(term)
        first = _FIRST.match(key)
        beginning = first[0] if first else key
        beginning = "calm" if beginning in _CALM else beginning
        is_new = bool(key) and key not in seen and begun[beginning] < _MOST_ALIKE
        if is_new and not _ECHO.search(term) and not (out and out.search(term)):
            seen.add(key)
            begun[beginning] += 1
            kept.append(term)
    return ", ".join(kept[:most])


# What is excluded by one word is shown by these, too.
_SAME = {
    "beard": ("bearded", "stubble", "facial hair"),
    "car": ("vehicle", "traffic"),
    "glasses": ("spectacle", "eyeglass"),
    "neon sign": ("neon",),
    "people": ("person", "crowd", "pedestrian", "figure", "tourist", "passer-by"),
    "plant": ("houseplant", "potted"),
    "television": ("tv", "tv set"),
    "text": ("lettering", "letter"),
}


def any_of(words: Sequence[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds any of `words` or another word for it, as one or many; None without any."""
    also = [same for word in words for same in _SAME.get(word, _SAME.get(word.removesuffix("s"), ()))]
    each = [rf"{re.escape(word.removesuffix('s'))}(?:e?s)?" for word in (*words, *also) if word]
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(each)})(?!\w)") if each else None

"""Values of small models: two joined in one, noise, echoes of the request, another script, repetitions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...llm_backends.errors import LLMError
from ..answers.values import asks_for_text
from ..phrasebook.language import language_of
from ..phrasebook.lists import values_for
from ..tasks import MOST_VALUES, VariablesTask

_ASKS_FOR_NUMBERS = re.compile(
    r"(?i)number|count|year|age|size|time|date|hour|clock|iso|aperture|shutter|focal|lens|seed|zahl|jahr|alter|nombre"
    r"|année|número|año|число|год|数|年|时|時|숫자|code|ratio|resolution|price|temperature|kelvin|version|hex"
)
_LETTER = re.compile(r"[^\W\d_]")
_SIGN = re.compile(r"[^\w\s'’\-–&,.()/]|\d|_")
# Of the letters and signs of a value, so many are letters.
_LETTERS = 0.6
_MOST_WORDS = 8
_WORDS = re.compile(r"[^\W\d_]+")
_JOINED = re.compile(r"\s*[,;/|]\s*")
_NO_VOWEL = re.compile(r"(?i)\b[bcdfghjklmnpqrstvwxz]{4,}\b")
_AGAIN = re.compile(r"(?i)(\w{2,}?)(?:\W*\1){2,}")
_ECHO = re.compile(
    r"(?i)\b(?:different values|values? for|one value|numbered|no explanations|guidance|they stand in"
    r"|not these|in english"
    r"|here (?:is|are)|a word or a few|list of values|variable|etc)\b|</?\w+>|\[/?\w+\]"
)
_SMALL = r"(?:the|an?|on|in|of|and|or|to|it|is|this|that|these|those|with|for|as|at|by)"
# Signs of no word, small words alone, and one that nothing follows.
_NOISE = re.compile(rf"(?i)[;$=<>{{}}|*#]|\A{_SMALL}(?:\W+{_SMALL})*\W*\Z|[\s,]{_SMALL}\Z")
_SCRIPTS = {
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ja": re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]"),
    "zh": re.compile(r"[\u4e00-\u9fff]"),
    "ko": re.compile(r"[\uac00-\ud7af]"),
}


def apart(values: Sequence[str], name: str) -> list[str]:
    """Return `values`, and in place of one that joins several the pieces, as in “early spring, summer”.

    That they are several is known from the phrasebook's list for `name`: “Paris, France” is one city.
    """
    try:
        known = {value.casefold() for value in values_for(VariablesTask(name, MOST_VALUES))}
    except LLMError:
        return list(values)
    found: list[str] = []
    for value in values:
        pieces = [piece.strip() for piece in _JOINED.split(value)]
        each = [piece.casefold() for piece in pieces]
        is_one = value.strip().casefold() in known or not all(
            piece in known or piece.rpartition(" ")[2] in known for piece in each
        )
        found += [value] if is_one else pieces
    return found


def is_value(value: str, name: str) -> bool:
    """Tell whether `value` may be a value of the variable `name`, as far as its letters show."""
    letters, signs = len(_LETTER.findall(value)), len(_SIGN.findall(value))
    if not _ASKS_FOR_NUMBERS.search(name) and (not letters or letters < _LETTERS * (letters + signs)):
        return False
    if not asks_for_text(name) and len(value.split()) > _MOST_WORDS:
        return False
    said, named = value.strip(" .").casefold(), name.strip().casefold()
    says_name_alone = set(_WORDS.findall(said)) == set(_WORDS.findall(named))
    if says_name_alone or f"({named})" in said or value.count("(") != value.count(")"):
        return False
    is_plain = not asks_for_text(name) and not _ASKS_FOR_NUMBERS.search(name)
    if is_plain and language_of(name) in ("en", "other") and _NOISE.search(value):
        return False
    script = _SCRIPTS.get(language_of(name))
    if script and not script.search(value):
        return False
    return not any(pattern.search(value) for pattern in (_NO_VOWEL, _AGAIN, _ECHO))


def sound(values: Sequence[str], name: str) -> list[str]:
    """Return those of `values` that are some, without those that differ in digits and signs alone."""
    kept: dict[str, str] = {}
    for value in (value.strip(" ,;、；，") for value in values):
        if is_value(value, name):
            same = value if _ASKS_FOR_NUMBERS.search(name) else " ".join(_WORDS.findall(value.casefold()))
            kept.setdefault(same, value)
    return list(kept.values())

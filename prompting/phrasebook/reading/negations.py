"""Negations in a prompt: what it says is not in the scene."""

from __future__ import annotations

import re

from .. import data
from ..scene import Scene

_NEGATED = re.compile(
    r"\b(?:with\s+no|no|nothing(?!\s+(?:but|else|more|less)\b)|without(?:\s+any)?|free\s+of|not\s+any"
    r"|(?:is\s+|are\s+)?not\s+(?:wearing|holding|carrying|having|showing)|(?:is|are)n['’]t\s+(?:wearing|holding|carrying)"
    r"|do(?:es)?(?:n['’]t|\s+not)\s+(?:wear|have|hold|carry|show|include|add|draw|paint|use|put(?:\s+in)?|mention|want)"
    # "Not a dog, a wolf", "NOT smiling"; but not "why not a dragon" and "whether or not a storm comes".
    r"|(?<!\bor\s)(?<!\bif\s)(?<!\bwhy\s)(?<!\btoo\s)not(?=\s+an?\s)(?:\s+a(?=\s+single\s)\s+single)?"
    r"|(?:(?:is|are)\s+)?(?:not(?=\s+[a-z]+ing\s*(?:[,.;!?\n]|$|\band\b))|(?-i:NOT)(?=\s+(?-i:[a-z]+)\s*(?:[,.;!?\n]|$))))"
    r"\s+(?:(?:an?|any|the|his|her|their)\s+)?"
    r"((?:[^\W\d_][\w'-]*)(?:\s+[^\W\d_][\w'-]*){0,2}?)"
    r"(?=\s*(?:[,.;:!?()\[\]\n]|$)|\s+(?:and|or|but|in|on|at|with|of|to|for|from|visible|please|is|are|the|just|only|"
    r"anywhere|around|behind|near|over|above|under|below|beside|across|by|standing|walking|running|sitting|lying|sleeping|jumping|swimming|dancing|playing)\b"
    # "Without armour drinking tea"; but a big building is what is not there.
    r"|\s+(?!(?!\w+\s+(?:an?|the|his|her|their|its)\b)(?:building|ring|earring|clothing|ceiling|wing|string|thing|king|lightning|painting|railing|wedding|bedding"
    r"|piercing|stuffing|lighting|writing|lettering|crossing|opening|covering|spring|evening|morning)s?\b)[a-z]{3,}ing\b)",
    re.IGNORECASE,
)
_AND_NOT = re.compile(
    r"\s*(?:,\s*)?\b(?:(?:or|nor|and\s+no)\s+(?=[\w'-]+\s+(?:in|on|at|near|under|by)\s)|(?:or|nor|and\s+no|and)\s+)"
    r"([^\W\d_][\w'-]*)(?=\s*(?:[,.;:!?)\n]|$)|\s+(?:in|on|at|near|under|by)\s)",
    re.IGNORECASE,
)
_NO_THING = frozenset(
    [
        "longer",
        "more",
        "less",
        "matter",
        "doubt",
        "time",
        "way",
        "end",
        "idea",
        "need",
        "other",
        "reason",
        "problem",
        "sense",
        "further",
        "change",
        "changes",
    ]
)
_NOBODY = re.compile(
    # Where nobody looks at somebody, there may be many.
    r"\b(?:(?:nobody|no[\s-]one)(?!\s+(?:else\s+)?[a-z]+(?:s|ed|ing)\b)|no\s+humans?|unpeopled|uninhabited)\b",
    re.IGNORECASE,
)

_LOOKS_AWAY = re.compile(
    r"\b(?:is\s+|are\s+)?not\s+(?:looking\s+(?:at|into|towards?)|facing)\s+(?:the\s+)?(?:camera|viewer)\b",
    re.IGNORECASE,
)


def take_negations(text: str, scene: Scene) -> str:
    """Return `text` without what it says is not there, and note that in ``scene.without``."""

    def note(words: str) -> bool:
        words = words.strip().lower()
        if not words or words.split()[0] in _NO_THING:
            return False
        if words not in scene.without:
            scene.without.append(words)
        return True

    def replace(match: re.Match[str]) -> str:
        return " , " if note(match[1]) else match[0]

    if _NOBODY.search(text):
        text = _NOBODY.sub(" , ", text)
        scene.without.append("people")
    if _LOOKS_AWAY.search(text):
        text = _LOOKS_AWAY.sub(" , ", text)
        scene.without.append("looking at viewer")
    while True:
        match = _NEGATED.search(text)
        if match is None or not note(match[1]):
            return _NEGATED.sub(replace, text)
        rest = text[match.end() :]
        more = _AND_NOT.match(rest)
        if more is not None and note(more[1]):
            rest = rest[more.end() :]
        text = f"{text[: match.start()]} , {rest}"


def say_instead(text: str) -> str:
    """Return `text` with "nothing blurry" said by what is there instead, where we have words for that."""
    instead = data.words_of("context")["instead"]
    quality = "|".join(map(re.escape, instead))
    return re.sub(
        rf"(?i)\bnothing\s+({quality})(?=\s*(?:[,.;!?\n]|$))",
        lambda found: str(instead[found[1].lower()]),
        text,
    )

"""Recognition of a prompt's language, as far as the phrasebook needs it."""

from __future__ import annotations

import re

from . import data

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
ENGLISH = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "with",
        "and",
        "in",
        "on",
        "at",
        "to",
        "from",
        "by",
        "is",
        "are",
        "for",
        "over",
        "under",
        "near",
        "into",
        "through",
        "his",
        "her",
        "its",
        "their",
        "no",
    ]
)


_ITALIAN = frozenset(["che", "gli", "della", "dello", "degli", "nella", "nello", "sulla", "sullo", "di"])


def language_of(text: str) -> str:
    """Return the language of `text`: ``en`` unless another is evident, ``other`` for one we cannot write."""
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return "other" if text.strip() else "en"
    latin = sum(char < "ɐ" for char in letters)
    if latin * 2 < len(letters):
        for code, about in data.words_of("languages")["languages"].items():
            if script := about.get("script"):
                inside = sum(script[0] <= char <= script[2] for char in letters)
                # Kana settle it for Japanese, whatever the share of Chinese characters.
                if inside * 2 > len(letters) or (code == "ja" and inside):
                    return str(code)
        return "other"
    # Each once: "no plants, no people" is no Portuguese.
    tokens = {match[0].lower() for match in _WORD.finditer(text)}
    english = sum(token in ENGLISH for token in tokens)
    best, hits = "en", 0
    for code, about in data.words_of("languages")["languages"].items():
        if hints := about.get("hints"):
            known = frozenset(hints.split())
            score = sum(token in known for token in tokens)
            if score > hits:
                best, hits = str(code), score
    # Italian has many a word of Spanish.
    if hits and best in ("es", "pt", "fr") and not _ITALIAN.isdisjoint(tokens):
        return "it"
    if hits >= 2 and hits > english:
        return best
    # "La mariée jette": one word and an accent, with no word of English.
    if hits and not english and any("ß" <= char < "ɐ" for char in text.lower()):
        return best
    return "en"

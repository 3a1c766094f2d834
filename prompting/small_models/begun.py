"""The first words of an answer: what an English idea says, in the target's form.

A small model keeps to what it is seen to have written already: the subject, the numbers, the names. Else it
drops them, or takes a name alone for a question about somebody's life.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..answers.facts.kept import lettering
from ..answers.terms import NOBODY, shows_people, with_count
from ..phrasebook.language import language_of
from ..targets import Target
from ..targets.fitting import split_terms, term_key

# Of the longest prompt, what the idea may take of it; the rest is for what it leaves open.
_SHARE = 0.75
_LONGEST_TAG = 6
_FOREIGN = re.compile(
    r"(?i)[äöüßñãõ]|\b(?:der|die|das|ein|eine|und|mit|auf|le|la|les|un|une|dans|el|los|una|con|por|um|uma)\b"
)
_WISH = re.compile(
    r"(?i)\A\W*(?:i|we|you|please|make|create|draw|paint|show|generate|give|write|imagine|let['’]?s|can|could|there"
    r"|need|want|what|how|a (?:picture|prompt))\b"
)
_SYNTAX = re.compile(r"[\[\]{}()<>|\\\n?]")
# Between the things that an idea names: where one of these stands, one tag ends and another begins.
_BETWEEN = re.compile(
    r"(?i)[,.;:]\s+|\s+(?:and|with|in front of|on top of|in|on|at|under|behind|above|below|beside|near"
    r"|next to|along|over|through|across|into|by|from|that says|reading(?=\s*\Z)|saying|titled|for|who|that"
    r"|which"
    r"|(?=made of\s)|(?=[a-z]{2,}ing\s+(?:an?|the|his|her|its|their|my|in|on|at|under|into|along|to)\s)"
    r"|(?=(?:playing|reading|holding|wearing|riding|eating|drinking|laughing|sitting|standing)\b))(?:\s+|\b|\Z)"
)
_MEDIUM_OF = re.compile(
    r"(?i)\b(portrait|painting|sketch|drawing|photo|photograph|snapshot|render|icon|illustration)\s+of\s+"
)
_SMALL = re.compile(
    r"(?i)(?<![\w-])(?:an?|the|my|our|his|her|its|their|your|is|are|it|should|would|could|and|with(?!out))(?![\w-])\s*"
)
_ARTICLE = re.compile(r"(?i)\A(?:an?|the|my|our)\s+")
_LETTERS = re.compile(r"[^\W\d_]{2,}")


def is_english(text: str) -> bool:
    """Tell whether `text` is in English, as far as its words and letters show."""
    return language_of(text) == "en" and not _FOREIGN.search(text)


def begun(idea: str, target: Target) -> str:
    """Return the first words of an answer for `idea`; "" where they cannot be told."""
    if target.kind not in ("image", "video"):
        return ""
    if target.form != "tags":
        # Behind a comma it goes on; without one it may well stop there.
        said = caption(idea, target)
        return f"{said}," if re.search(r"[\w\"”]\Z", said) else said
    if not (tags := tags_in(idea)):
        return ""
    listed = with_count(", ".join(tags[: target.words[1] // 2 if target.words else None]), idea)
    listed = re.sub(r"(?i)\A(1(girl|boy)), \2(?=,|\Z)", r"\1", listed)
    if not shows_people(idea) and NOBODY not in listed:
        listed = f"{NOBODY}, {listed}"
    return f"{listed},"


def caption(idea: str, target: Target) -> str:
    """Return the `idea` as the beginning of a paragraph, or of a line of phrases; "" where it is none."""
    words, is_list = idea.split(), _is_list(idea)
    if target.form not in ("prose", "phrases") or (
        is_list and target.form == "prose" and idea.count(",") > 2
    ):
        return ""
    if not words or _WISH.match(idea) or _SYNTAX.search(idea) or not is_english(_unquoted(idea)):
        return ""
    if target.words and len(words) > target.words[1] * _SHARE:
        return ""
    text = idea.strip(" ,;:") if re.search(r"[.!]\s", idea) else idea.strip(" ,;:.!")
    return text if is_list and target.form == "phrases" else f"{text[0].upper()}{text[1:]}"


def tags_in(idea: str) -> list[str]:
    """Return the things that an English `idea` names as tags, in its order; none for any other."""
    if not is_english(_unquoted(idea)):
        return []
    if _is_list(idea):
        return [_ARTICLE.sub("", term) for term in split_terms(idea)]
    tags: list[str] = []
    for place, piece in enumerate(re.split(r"(\"[^\"]*\"|“[^”]*”)", idea)):
        if place % 2:
            tags.append(piece)
            continue
        for part in _BETWEEN.split(_MEDIUM_OF.sub(r"\1, ", piece)):
            words = _SMALL.sub("", part.strip(" ,.;:!?\n")).split()
            for start in range(0, len(words), _LONGEST_TAG):
                tag = " ".join(words[start : start + _LONGEST_TAG])
                if any(map(str.isalnum, tag)) and not _WISH.match(tag):
                    tags.append(tag)
    return list({term_key(tag): tag for tag in tags}.values())


def missing(tags: Sequence[str], text: str) -> list[str]:
    """Return those of `tags` of which `text` lacks a word."""
    held = [word.casefold() for word in _LETTERS.findall(text)]
    return [tag for tag in tags if any(not any(_akin(word, other) for other in held) for word in _said(tag))]


def _said(tag: str) -> list[str]:
    """Return the words of `tag` that mean something: the long ones, or all where it has none."""
    words = [word.casefold() for word in _LETTERS.findall(tag)]
    return [word for word in words if len(word) > 3] or words


def _akin(one: str, other: str) -> bool:
    least = min(len(one), len(other), 5)
    return one[:least] == other[:least] and (least > 3 or one == other)


def _unquoted(idea: str) -> str:
    for said in lettering(idea):
        idea = idea.replace(said, "")
    return idea


def _is_list(idea: str) -> bool:
    """Tell whether `idea` is a list of short pieces rather than running text."""
    parts = [part.split() for part in split_terms(idea)]
    return len(parts) >= 3 and sum(map(len, parts)) <= 3 * len(parts)

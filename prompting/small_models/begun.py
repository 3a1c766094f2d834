"""The first words of an answer: what an English idea says, in the target's form.

A small model keeps to what it is seen to have written already: the subject, the numbers, the names. Else it
drops them, or takes a name alone for a question about somebody's life.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..answers.facts.idea_tags import WISH, is_english, is_list, tags_in, unquoted
from ..answers.terms import NOBODY, with_count
from ..targets import Target
from .picture_words import names_people

# Of the longest prompt, what the idea may take of it; the rest is for what it leaves open.
_SHARE = 0.75
_SYNTAX = re.compile(r"[\[\]{}()<>|\\\n?]")
_LETTERS = re.compile(r"[^\W\d_]{2,}")


def begun(idea: str, target: Target) -> str:
    """Return the first words of an answer for `idea`; "" where they cannot be told."""
    if target.kind not in ("image", "video"):
        return ""
    if target.form != "tags":
        # Behind a comma it goes on; without one it may well stop there.
        said = caption(idea, target)
        goes_on = not (target.keep_detailed and target.words is None)
        return f"{said}," if goes_on and re.search(r"[\w\"”]\Z", said) else said
    if not (tags := tags_in(idea)):
        return ""
    listed = with_count(", ".join(tags[: target.words[1] // 2 if target.words else None]), idea)
    listed = re.sub(r"(?i)\A(1(girl|boy)), \2(?=,|\Z)", r"\1", listed)
    if not names_people(idea) and NOBODY not in listed:
        listed = f"{NOBODY}, {listed}"
    return f"{listed},"


def caption(idea: str, target: Target) -> str:
    """Return the `idea` as the beginning of a paragraph, or of a line of phrases; "" where it is none."""
    words, listed = idea.split(), is_list(idea)
    if target.form not in ("prose", "phrases") or (listed and target.form == "prose" and idea.count(",") > 2):
        return ""
    if not words or WISH.match(idea) or _SYNTAX.search(idea) or not is_english(unquoted(idea)):
        return ""
    if target.words and len(words) > target.words[1] * _SHARE:
        return ""
    text = idea.strip(" ,;:") if re.search(r"[.!]\s", idea) else idea.strip(" ,;:.!")
    return text if listed and target.form == "phrases" else f"{text[0].upper()}{text[1:]}"


def stated(idea: str, target: Target) -> str:
    """Return the `idea` as a sentence, or as terms, that others can follow; "" where it cannot be one."""
    if said := caption(idea, target):
        return said if said[-1:] in ".!" or target.form == "phrases" else f"{said}."
    if target.form != "prose" or not is_list(idea) or _SYNTAX.search(idea) or not is_english(unquoted(idea)):
        return ""
    said = idea.strip(" ,;:.")
    return f"{said[:1].upper()}{said[1:]}."


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

"""Mending of a small model's answer by code: it leaves out, puts in, and fills up.

What is nothing to draw goes, what the idea names comes in, and a prompt that is too short is completed
from the phrasebook.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from ..answers.facts.idea_tags import is_english, tags_in
from ..answers.facts.kept import brought_in, lost_facts
from ..answers.limits import Fault, size_of
from ..answers.restore import without_weights
from ..answers.shapes.shots import labelled
from ..answers.terms import (
    LISTS,
    NOBODY,
    sifted,
    with_count,
    without_contradictions,
    without_runaway,
    without_shown,
)
from ..phrasebook.language import language_of
from ..phrasebook.reading.negations import take_negations
from ..phrasebook.scene import Scene
from ..phrasebook.vocabulary import lexicon, singular
from ..targets import Target
from ..targets.fitting import split_terms
from ..tasks import EnhanceTask
from .begun import caption, missing, stated
from .picture_words import fitting, vouched
from .sentences import SENTENCE, drawable, first_paragraph, whole_terms

_LONGEST_TERM = {"tags": 6, "phrases": 30}
# Of an idea that is only to be corrected: how much longer or shorter it may be, and how many words may go.
_MOST, _LEAST, _GONE = 2, 0.5, 0.2
# How alike a word and its correction are.
_ALIKE = 0.65
# How many words it may have gained, and from how many letters a word says something.
_ADDED, _LEAST_LETTERS = 0.25, 3
# A round of the phrasebook's is about a dozen tags.
_ROUNDS = 4
# Where a target wants an idea much as it is: how many times its words, and a few more.
_AS_LONG, _FEW_MORE = 2, 5
# Of a target's range of tags, as much as is kept.
_ENOUGH = 1 / 3
ALSO = "Also in the picture:"
_NEGATIVE = "\nNegative: "
# Pieces of a sentence that say nothing on their own.
_NO_THING = re.compile(
    r"(?i)(?:coming|going|being|having|showing|getting|making)\Z|(?:from|to|of|with|by|into|at)\s"
)


def tidied(
    text: str, task: EnhanceTask, idea: str, excluded: Sequence[str], own: str, *, is_tiny: bool = False
) -> str:
    """Return an answer to `task` without what is nothing to draw, and with all that `idea` names.

    `idea` is the task's, without what it excludes; `own` is all that the user wrote. Text that nothing would
    be left of stays. Of what a tiny model wrote only that stays which fits the idea.
    """
    target = task.target
    most = target.words[1] if target.words else most_words(target, idea)
    shown = examples = [example.prompt for example in target.examples]
    if target.form == "any":
        return text if "\n" in own.strip() else first_paragraph(text)
    if target.form in LISTS:
        left = whole_terms(without_weights(text), own, _LONGEST_TERM[target.form])
        left = without_runaway(without_shown(left, own, shown))
        if target.form == "tags":
            left = sifted(without_contradictions(left, own), excluded, enough_tags(target, idea))
        else:
            left = sifted(left, excluded)
        left = _within(left, most) if target.form == "phrases" and most else left
    elif target.form == "prose":
        latin = set(target.languages) <= {"en", "de", "fr", "es"}
        pieces: list[str] = []
        size = 0
        for label, said in labelled(without_weights(text), target.shot_label):
            room = None if most is None else max(1, most - size)
            kept = drawable(said, own, room, shown=shown, excluded=excluded, latin=latin)
            kept = f"{kept}." if kept[-1:].isalnum() else kept
            if kept and (not pieces or room is None or size_of(target, kept) <= room):
                pieces.append(f"{label} {kept}".strip())
                size += size_of(target, pieces[-1])
            shown = [*shown, kept]
        left = " ".join(pieces)
    else:
        return text
    says_nothing = not any(map(str.isalpha, own))
    if is_tiny and (says_nothing or is_english(own)) and language_of(left) == "en":
        left = fitting(left, own, is_list=target.form in LISTS, shown=examples)
        text = idea
    if not task.instruction.strip():
        left = _whole(left or "", idea, target)
    if target.form == "tags":
        left = with_count(left, idea)
    return left or text


def most_words(target: Target, idea: str) -> int | None:
    """Return how long a prompt may be for a target that wants an idea much as it is; None for any other."""
    is_alike = target.keep_detailed and target.words is None and target.form != "any"
    return _AS_LONG * size_of(target, idea) + _FEW_MORE if is_alike else None


def enough_tags(target: Target, idea: str) -> int | None:
    """Return how many tags are kept of a list: a small model that goes on strays; None without a limit."""
    if target.words is None:
        return None
    least, most = target.words
    return min(most, max(round(least + (most - least) * _ENOUGH), len(tags_in(idea)) + least // 2))


def _within(text: str, most: int) -> str:
    """Return the first terms of a list, as many as have `most` words."""
    kept: list[str] = []
    for term in split_terms(text):
        if kept and len(" ".join([*kept, term]).split()) > most:
            break
        kept.append(term)
    return ", ".join(kept)


def _whole(text: str, idea: str, target: Target) -> str:
    """Return `text` with what an English `idea` names and it lacks."""
    if target.kind not in ("image", "video") or not is_english(idea):
        return text
    lost = missing(tags_in(idea), text)
    if not lost and not lost_facts(idea, text):
        return text
    if target.form == "tags":
        terms = split_terms(text)
        front = terms[:1] if terms and (terms[0] == NOBODY or terms[0][:1].isdigit()) else []
        return sifted(", ".join([*front, *(lost or tags_in(idea)), *terms[len(front) :]]))
    if said := caption(idea, target):
        joint = ", " if target.form == "phrases" else "" if said[-1:] in ".!?" else "."
        return f"{said}{joint.rstrip()} {text}".strip()
    lost = [term for term in lost if not _NO_THING.match(term)]
    if not lost or not text:
        return text
    return f"{text}, {', '.join(lost)}" if target.form == "phrases" else f"{text} {ALSO} {', '.join(lost)}."


def sure(text: str, idea: str, own: str, target: Target) -> str:
    """Return `text` without what nothing shows to fit `own`, all that the user wrote.

    Where that lacks what the `idea` names, the idea itself stands for it.
    """
    left = vouched(text, own, target) or text
    if left == text or not is_english(idea) or not missing(tags_in(idea), left):
        return left
    return stated(idea, target) or left


def filled(text: str, task: EnhanceTask, idea: str) -> str:
    """Return a prompt that is too short with what the phrasebook says of light, place and framing.

    Where nothing is left of the answer, the whole prompt is the phrasebook's.
    """
    from ..phrasebook import write

    target = task.target
    if language_of(text or idea) != "en" or not set(target.languages) & {"en", "any"}:
        return text
    if not text.strip():
        # What moves in a picture, or changes in one, nobody can make up without seeing it.
        return write(task).partition(_NEGATIVE)[0] if target.kind in ("image", "video") else ""
    written = text
    unwanted = Scene()
    take_negations(f"{idea}. {task.instruction}", unwanted)
    excluding = ", ".join(f"no {words}" for words in unwanted.without)
    # A second round of sentences knows nothing of the framing in the first.
    for round_ in range(_ROUNDS if target.form == "tags" else 1):
        more = replace(task, prompt=written, instruction=excluding, parts=(), seed=task.seed + round_)
        written = write(more).partition(_NEGATIVE)[0]
        if not target.words or size_of(target, written) >= target.words[0]:
            break
    written = _shortened(written, text, target)
    if target.words and size_of(target, written) > target.words[1] * 1.2:
        return text
    return text if brought_in(idea, written) and not brought_in(idea, text) else written


def _shortened(written: str, text: str, target: Target) -> str:
    """Return `written`, which begins with `text`, without the last sentences that are too many."""
    if target.form not in ("prose", "instruction") or target.words is None or not written.startswith(text):
        return written
    more = SENTENCE.split(written[len(text) :].removeprefix(".").strip())
    text = f"{text}." if written.startswith(f"{text}.") else text
    while len(more) > 1 and size_of(target, " ".join((text, *more))) > target.words[1]:
        more.pop()
    return " ".join((text, *more))


def strays(text: str, idea: str, target: Target, *, is_tiny: bool = False) -> Fault | None:
    """Return a fault where an idea that was only to be corrected became something else.

    A tiny model may correct words, and neither leave one out nor add one.
    """
    size, given = size_of(target, text), size_of(target, idea)
    language, other = language_of(idea), language_of(text)
    if size > _MOST * given + 5 or size < _LEAST * given:
        return Fault("strayed", f"{size} words instead of {given}")
    if "other" not in (language, other) and language != other:
        return Fault("strayed", "another language")
    words = [word for word in idea.split() if any(map(str.isalpha, word))]
    said = text.casefold().split()
    gone = [word for word in missing(words, text) if not _is_corrected(word, said, is_tiny=is_tiny)]
    if len(gone) > (0 if is_tiny else _GONE * len(words)):
        return Fault("strayed", f"without “{' '.join(gone[:4])}”")
    own = [word for word in idea.casefold().split() if len(word) >= _LEAST_LETTERS]
    added = missing([word for word in text.split() if len(word) >= _LEAST_LETTERS], idea)
    new = [word for word in added if not get_close_matches(_bare(word), own)]
    if "other" not in (language, other) and len(new) > (0 if is_tiny else max(1, _ADDED * len(own))):
        return Fault("strayed", f"with “{' '.join(new[:4])}”")
    return None


def _is_corrected(word: str, said: Sequence[str], *, is_tiny: bool) -> bool:
    """Tell whether `word` of an idea stands in another spelling among the words `said`.

    By a tiny model a word that is right stays but for its ending, as a car is no cat, and a short one may go.
    """
    word = _bare(word)
    if not is_tiny:
        return bool(get_close_matches(word, said))
    if len(word) < _LEAST_LETTERS:
        return word != "no"
    if any(
        len(other) >= _LEAST_LETTERS and (word.startswith(other) or other.startswith(word)) for other in said
    ):
        return True
    return singular(word) not in lexicon()[0] and bool(get_close_matches(word, said, cutoff=_ALIKE))


def _bare(word: str) -> str:
    return word.casefold().strip('.,;:!?"”“')

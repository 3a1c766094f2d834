"""Sentences that are left out of what a small model wrote: talk, echoes, repetitions, another script."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..answers.talk import ADDRESSES, is_remark
from ..answers.terms import any_of
from ..targets.fitting import split_terms

SENTENCE = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"”’)]))\s+(?=[^\s])")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FINAL = re.compile(r"[.!?…][\"”’)]*\Z")
# Words of ours that come back, and words about the prompt, which are nothing to be drawn.
ECHO = re.compile(
    r"(?i)\b(?:idea(?: for a \w+)?:|instruction:|keep exactly|keep everything the idea|what a picture needs"
    r"|one paragraph of|one paragraph,|plain sentences|setting, light, materials|short (?:phrases|series)"
    r"|separated by commas|\d+ to \d+ (?:words|tags)|(?:in|an) english (?:sentence|paragraph)"
    r"|answer with the prompt|lean towards|negative(?: prompt)?:|what must not be there"
    r"|the idea (?:names|is)|is the idea"
    r"|(?:image|picture)s? needs?|materials,? (?:and )?views?|materials (?:are|for)|for (?:example|instance)"
    r"|in lower case|keep all of it|between each line"
    r"|as an ai|prompts?\b|the (?:first|second|third) (?:word|sentence|line)\b"
    r"|note:|language model|image (?:model|generator))|</?prompt"
)
_LIFE = re.compile(
    r"(?i)\b(?:was|were) born\b|\b(?:i|you|we) (?:can|could|will|would|should|must|need|have|may|want)\b"
    r"|\A(?:write|remember|note|make sure|use|describe|create|draw|add|please|do not|don['’]t"
    r"|here(?:['’]s| is| are))\b"
)
_TAG = re.compile(r"</?[A-Za-z!-][^<>\n]{0,60}>?")
_NOT_LATIN = re.compile(r"[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
# A word of an idea that was not translated; lettering in quotes is none.
_LEFT_WORD = re.compile(rf"\A[^\"“]*{_NOT_LATIN.pattern}")
_LABEL = re.compile(
    r"(?i)\A(?:looks|clothing|setting|light(?:ing)?|materials?|view|colou?rs?|framing|style|mood|medium|background|foreground"
    r"|composition|subject|pose|place|camera|tags)\s*:\s*"
)
# Our own closing line comes back as labels of what follows it.
_INNER_LABEL = re.compile(r"(?i)(?<=[,;] )(?:setting|light(?:ing)?|materials?|view):\s+")
# Of a sentence's words, three in a row each: so many that stood before make it a repetition.
_REPEATED = 0.5
# Fewer words are no sentence any more.
_FEWEST = 3
# A sentence of so many words with so few different ones goes round.
_MANY, _DISTINCT = 16, 0.5


def is_nothing_to_draw(text: str, own: str) -> bool:
    """Tell whether a sentence, or a term of a list, talks to somebody or is of our own request.

    `own` is the user's text, whose words are no talk.
    """
    return any(
        found[0].casefold() not in own.casefold()
        for pattern in (ECHO, _LIFE, ADDRESSES)
        if (found := pattern.search(text))
    ) or (is_remark(text, single=True) and text.strip().casefold() not in own.casefold())


def drawable(
    text: str,
    own: str,
    most: int | None = None,
    *,
    shown: Sequence[str] = (),
    excluded: Sequence[str] = (),
    latin: bool = True,
) -> str:
    """Return a paragraph without the sentences that are nothing to draw, up to `most` words.

    Those that repeat others, or one of the worked examples that were `shown`, go too, and so does an
    unfinished one at the end, where others stay. Of a sentence that shows what is `excluded` the rest stays.
    With `latin` the target reads no other script.
    """
    kept: list[str] = []
    seen = {three for example in shown for three in _threes(_words(example))}
    size = 0
    out = any_of(excluded)
    text = text if _INNER_LABEL.search(own) else _INNER_LABEL.sub("", text)
    for sentence in SENTENCE.split(first_paragraph(_TAG.sub(" ", text) if "<" not in own else text)):
        sentence = _without_clauses(" ".join(sentence.split()), out)
        if latin and leaves_words(text, own):
            sentence = _without_clauses(sentence, _LEFT_WORD)
        words = _words(sentence)
        threes = _threes(words)
        is_old = bool(threes) and len(threes & seen) >= _REPEATED * len(threes)
        goes_round = len(words) >= _MANY and len(set(words)) < _DISTINCT * len(words)
        foreign = (
            latin and len(_NOT_LATIN.findall(sentence)) * 4 > len(sentence) and not _NOT_LATIN.search(own)
        )
        if not words or is_old or goes_round or foreign or is_nothing_to_draw(sentence, own):
            continue
        if most is not None and kept and size + len(words) > most:
            break
        seen |= threes
        size += len(words)
        kept.append(sentence)
    if len(kept) > 1 and not _FINAL.search(kept[-1]):
        kept.pop()
    return " ".join(kept)


def leaves_words(text: str, own: str) -> bool:
    """Tell whether `text`, in Latin letters, has a word of `own`, in others, that was not translated."""
    return _NOT_LATIN.search(text) is not None and _is_latin(text) and not _is_latin(own)


def _is_latin(text: str) -> bool:
    return len(_NOT_LATIN.findall(text)) * 4 < len(text)


def _without_clauses(sentence: str, out: re.Pattern[str] | None) -> str:
    """Return `sentence` without its clauses that `out` finds; "" where that leaves no sentence."""
    if out is None or not out.search(sentence):
        return sentence
    left = ", ".join(clause for clause in sentence.split(", ") if not out.search(clause)).rstrip(".!?")
    return f"{left}." if len(left.split()) > _FEWEST and not out.search(left) else ""


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _threes(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[place : place + 3]) for place in range(len(words) - 2)}


def first_paragraph(text: str) -> str:
    """Return the first line that has the length of a sentence, with a shorter one before it."""
    said = ""
    for line in filter(str.strip, text.splitlines()):
        said = f"{said} {line.strip()}".strip()
        if len(said.split()) > 7:
            break
    return said


def whole_terms(text: str, own: str, most_words: int) -> str:
    """Return a list without the terms that are nothing to draw, or longer than `most_words`."""
    terms = []
    parts = [part for term in split_terms(first_paragraph(text)) for part in SENTENCE.split(term)]
    mixes = leaves_words(text, own)
    for term in (part.strip(" .") if len(parts) > 1 else part for part in parts):
        term = _LABEL.sub("", term)
        is_own = term.casefold() in own.casefold()
        if (not is_own and _NOT_LATIN.search(term) and not _NOT_LATIN.search(own)) or (
            mixes and _LEFT_WORD.search(term)
        ):
            continue
        if is_own or (len(term.split()) <= most_words and not is_nothing_to_draw(term, own)):
            terms.append(term)
    return ", ".join(terms)

"""Labels and headings in an answer, recognised by shape and by the words of `vocabulary`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from . import vocabulary as words

Kind = Literal[
    "prompt", "result", "alternative", "negative", "avoid", "notes", "echo", "plan", "title", "role"
]

# Words in a label; a longer run before a colon is a sentence.
_MOST_WORDS = 8
_MARKER = r"[ \t>]*(?:(?:[-*•–+]|\(?\d{1,2}[.)]|\(\d{1,2}\)|[a-zA-Z]\))[ \t]+|\(\d{1,2}\)[ \t]*)?"
_LINE = re.compile(
    rf"""(?x) \A {_MARKER} (?P<open>(?:[^\w\n:："“'`]|_){{0,8}}) (?P<label>[^\W_][^\n:：]{{0,80}}?)
    (?P<close>[\s*_\]】》)）]*) (?P<colon>[:：]) (?P<rest>[^\n]*) \Z"""
)
_DASHED = re.compile(
    rf"\A{_MARKER}[*_]*(?P<label>\w[\w ]{{2,40}}?)[*_]*\s+(?:[-–—]+|[-=]+>|[→➡➔⇒])\s+(?P<rest>\S[^\n]*)\Z"
)
_BRACKETED = re.compile(
    r"\A[ \t>]*(?P<open>[\[【《])(?P<label>[^\[\]【】《》\n]{2,40})[\]】》][:：]?(?P<rest>[^\n]*)\Z"
)
_HEADING = re.compile(
    r"\A[ \t>]*(?P<open>#{1,6}[ \t]+|[^\w\s\"“']{0,4}[ \t]*(?:\*\*|__))(?P<label>[^\n]{1,90}?)(?:\*\*"
    r"|__|#)*[:：]?(?:\*\*|__)?[ \t]*\Z"
)
_TITLED = re.compile(r"\A(?P<label>\w+\s+\w{1,5})\s*[-–—|]\s*\S.*\Z")
# Labels that name what a picture may show, and what tells that they do.
_SUBJECTS = (
    "model", "assistant", "bot", "ai", "answer", "text", "caption", "translation", "version", "response",
    "result", "scene", "suggestion", "instruction", "instructions", "proposal", "update",
)  # fmt: skip
_ARTICLE = re.compile(r"(?:an?|the|one|two|three)\s")
_LETTERING = re.compile(
    r"[\"“«„][^\"”»“\n]{1,60}[\"”»“],?\s+(?:in|on|above|under|below|over|written|painted|at|with|as|across)\b"
)
_NEXT_LABEL = re.compile(r"[.;]\s+[A-Z]\w+(?:\s\w+)?:\s+\w")
_ARGUMENT = re.compile(r"\s*[(（\[【][^()（）\[\]【】]*[)）\]】]\s*\Z")
_VARIATION = re.compile(r"(?i)\A(?:this is )?(?:the )?variation \d+(?: of \d+)?\Z")
_OTHERS = (
    "short",
    "long",
    "shorter",
    "longer",
    "alternative",
    "alternate",
    "first",
    "second",
    "third",
    "concise",
    "condensed",
    "compact",
    "simple",
    "minimal",
    "another",
)
_NUMBERED_HEADING = re.compile(
    r"\A\s*(?:#{1,6}\s*|\*\*)\d{1,2}[.):]\s+(?P<label>[^*\n]{1,40}?)(?:\*\*)?[:：]?(?:\*\*)?\s*\Z"
)
_OR = re.compile(
    r"(?i)\A[\s*_#(-]*(?:or|oder|ou|or alternatively|alternatively|或者?|または|또는)[\s*_#):-]*\Z"
)
_OR_LEADS = re.compile(
    r"(?i)\A[\s*_#(-]*(?:(?:or|alternatively|oder|ou|oppure|или|或者?|または|또는)(?:\b|[,，、 ])"
    r"[^\n:：]{0,70}|for an?\s[^\n:：]{0,30}"
    r"\b(?:version|variation|take|look|alternative|mood|style|vibe|feel)\b[^\n:：]{0,20})"
    r"[:：][\s*_]*\Z"
)
_IMAGINE = re.compile(r"(?i)\A\s*/?imagine\s+prompt\s*:\s*")


@dataclass(frozen=True, slots=True)
class Label:
    """Label at the head of a line; `rest` is what follows on the line. `text` is the label alone.

    `heading` tells that the label has the line to itself, by markup rather than a colon.
    """

    kind: Kind
    text: str
    rest: str
    heading: bool = False

    @property
    def is_final(self) -> bool:
        return self.text.lower().startswith(
            ("final", "最终", "最終", "최종", "endgültig", "финальн", "итогов")
        )


def label_of(line: str) -> Label | None:
    """Return the label that `line` begins with, None where it has none that is known."""
    if found := _IMAGINE.match(line):
        return Label("prompt", "prompt", line[found.end() :])
    if _OR.match(line) or _OR_LEADS.match(line):
        return Label("alternative", "or", "", True)
    if numbered := _NUMBERED_HEADING.match(line):
        return Label("alternative", numbered["label"], "", True)
    is_heading = line.lstrip().startswith("#") and len(line.split()) <= _MOST_WORDS
    for shape in (_HEADING, _LINE) if is_heading else (_LINE, _BRACKETED, _HEADING, _DASHED):
        found = shape.match(line)
        if found is None:
            continue
        label = found["label"].strip(" *_")
        closing = (found.groupdict().get("close") or "").strip()[:1]
        if closing in (")", "）") and ("(" in label or "（" in label):
            label += closing
        kind = kind_of(label)
        rest = found.groupdict().get("rest") or ""
        if kind is None and shape is _HEADING and ":" in label:
            kind, rest = kind_of(label.partition(":")[0].strip()), label.partition(":")[2]
            if kind in ("prompt", "result", "title", "alternative"):
                return Label(kind, label, "", True)
        if kind is None or (shape is _DASHED and kind not in ("prompt", "negative", "alternative")):
            continue
        if shape is _BRACKETED and kind not in ("prompt", "negative", "result"):
            continue
        return Label(
            kind, label, _undecorated(rest, found["open"] if shape is not _DASHED else ""), shape is _HEADING
        )
    return None


def is_part_of_picture(label: Label, idea: str) -> bool:
    """Tell whether a label is the subject that a picture begins with: “Model: a tall woman in red”.

    `idea` is the user's own text in lower case.
    """
    if label.heading or label.kind not in ("result", "role") or not label.rest:
        return False
    return (
        (
            len(label.text) > 2
            and label.text.isalpha()
            and re.search(rf"\b{re.escape(label.text.lower())}\b", idea) is not None
        )
        or (label.text.lower() in _SUBJECTS and _ARTICLE.match(label.rest) is not None)
        or _LETTERING.match(label.rest) is not None
        or _NEXT_LABEL.search(label.rest) is not None
    )


def _undecorated(rest: str, opened: str) -> str:
    """Return what follows a label, without the rest of the markup that began before it."""
    rest = rest.strip()
    if "*" in opened or "_" in opened:
        rest = re.sub(r"\A[*_]+(?=\s|\w|\"|“|\Z)", "", rest)
    for opening, closing in (("[", "]"), ("(", ")"), ("【", "】")):
        if opened.strip().startswith(opening) and rest.endswith(closing) and opening not in rest:
            rest = rest[:-1]
    return rest.strip()


def kind_of(label: str) -> Kind | None:
    """Return what a label announces, None for any other words."""
    if _VARIATION.match(label):
        return "alternative"
    bare = _ARGUMENT.sub("", label) or label
    if (titled := _TITLED.match(bare)) and _is_alternative(words.words_of(titled["label"])):
        return "alternative"
    said = words.words_of(bare)
    if not 0 < len(said) <= _MOST_WORDS:
        return None
    if words.negative_words.in_(said) and words.negative_label_words.cover(said):
        return "negative"
    if words.avoid_words.in_(said) and words.avoid_label_words.cover(said):
        return "avoid"
    if " ".join(said) in ("do not include", "don t include", "without", "not wanted"):
        return "avoid"
    if _is_alternative(said):
        return "alternative"
    if words.title_words.cover(said):
        return "title"
    if words.echo_words.in_(said) and words.echo_label_words.cover(said):
        return "echo"
    if words.role_words.cover(said) and len(said) == 1:
        return "role"
    if words.plan_words.in_(said) and words.plan_words.cover(said):
        return "plan"
    if words.is_numbered_scene(said):
        return None
    if said in (
        ["form"],
        ["length"],
        ["language"],
        ["instruction", "for", "the", "prompt"],
        ["keep", "exactly"],
    ):
        return "echo"
    if words.label_words.cover(said):
        if words.prompt_words.in_(said):
            return "prompt"
        if words.result_words.in_(said):
            return "result"
        return None
    if words.prompt_words.in_(said) and len(said) <= 4 and not bare.isascii():
        return "prompt"
    if words.notes_words.in_(said) and words.notes_label_words.cover(said):
        return "notes"
    return None


def _is_alternative(said: list[str]) -> bool:
    if said in (["alternatively"], ["alternative"], ["or"], ["oder"], ["ou"], ["或者"]):
        return True
    if said[0] in _OTHERS and said[-1] in (
        "version", "prompt", "option", "variation", "take",
    ):  # fmt: skip
        return True
    if len(said) == 1 and words.spoken_words.has(said[0]):
        return True
    if len(said) == 2 and words.alternative_words.has(said[0]):
        return said[1].isdigit() or re.fullmatch(r"[a-e一二三四五]|i{1,3}|one|two|three", said[1]) is not None
    return (
        len(said) == 1
        and re.fullmatch(r"(?:选项|选择|方案|版本|提示词|パターン|案|バージョン)[\d一二三四五a-e]+", said[0])
        is not None
    )

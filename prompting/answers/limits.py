"""Limits of a target that an answer is checked for: its length and language, loops, an idea unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..phrasebook.language import language_of
from ..targets import Target
from ..targets.fitting import split_terms
from .anchors import MARK
from .shapes.shape import prose_of

FaultKind = Literal[
    "long",
    "short",
    "thin",
    "strayed",
    "nonsense",
    "language",
    "loop",
    "unchanged",
    "lost",
    "excluded",
    "shape",
]

# An answer may pass the length that was asked for by so much, and its idea by so much.
LENGTH_SLACK, _SLACK_ON_IDEA = 1.5, 1.2
# A text encoder that reads so few tokens at once reads longer prompts in pieces; others cut them off.
_READ_IN_PIECES = 77
_WORDS_A_TOKEN = 0.75
# Below this a language is anybody's guess, and so is what has been made of an idea that is long already.
_FEWEST_WORDS, _DETAILED_WORDS = 6, 60
# Less of an idea, in words, has lost something of it.
_SHARE_OF_IDEA = 0.8
_NEARLY = 0.75
# Kinds that can be filled up where they say less than the target wants.
_FULL = ("image", "video", "image_to_video", "edit")
_FEWEST_PHRASES = 3

_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]{1,2}|(?:(?![\u2e80-\u9fff\uac00-\ud7af])[\w'’-])+")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|「[^」]*」|\{[^{}]*\}|\[[^\[\]]*\]|__\w+__|<[^<>]*>")
_LOOP = re.compile(r"(?<!\w)(\w.{0,200}?)(?:[\s,.;:!?，。、]+\1(?!\w)){2,}", re.I | re.S)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")
_CLAUSE = re.compile(r"(?<=[,;，、；])\s*")
_BLANK = re.compile(r"(?<=\s)")
# Forms whose text has a structure that no cut leaves whole.
_WHOLE = ("json", "sections", "any")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an answer: what was `found`, and what is `wanted`, "" where the kind says it.

    `weight` counts the things that are wrong.
    """

    kind: FaultKind
    found: str = ""
    wanted: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a target; `count_tokens` counts as its text encoder does, None where none is at hand."""

    target: Target
    count_tokens: Callable[[str], int] | None = None

    def faults(self, text: str, idea: str, *, has_instruction: bool = False) -> tuple[Fault, ...]:
        """Return the faults of `text`, made of `idea`; with `has_instruction` something was to change."""
        found = (
            self._length(text, idea) or self._shortness(text, idea),
            self._language(prose_of(text, self.target)),
            self._loop(prose_of(text, self.target), idea),
            self._unchanged(text, idea, has_instruction),
        )
        return tuple(fault for fault in found if fault)

    def trimmed(self, text: str, idea: str) -> str:
        """Return `text` without its loops, and cut at a sensible place where it is too long."""
        if self.target.form in _WHOLE:
            return text
        while (loop := _loop_in(text, idea)) is not None:
            text = text[: loop.end(1)] + text[loop.end() :]
        most = self._goal(text, idea)
        return text if most is None else _cut(self.target, text, most)

    def remedy(self, fault: Fault) -> str:
        """Return the end of a sentence on what `trimmed` does about a fault."""
        if fault.kind == "nonsense":
            return "run again with another seed, or choose a larger model or the phrasebook"
        if fault.kind not in ("long", "loop") or self.target.form in _WHOLE:
            return "it stands as it was written"
        return "the repetitions were taken out" if fault.kind == "loop" else "it was shortened"

    def sentence(self, fault: Fault, remedy: str) -> str:
        """Return the sentence for the user: the fault, and what was done about it."""
        label = self.target.label
        what = {
            "long": f"The answer is too long for {label} ({fault.found}; {fault.wanted} are wanted)",
            "short": f"The answer is shorter than the idea ({fault.found}; {fault.wanted} are wanted)",
            "thin": f"The answer is short for {label} ({fault.found}; {fault.wanted} are wanted)",
            "nonsense": f"The answer may be of no use ({fault.found})",
            "strayed": f"The answer strayed from the idea ({fault.found})",
            "lost": f"The answer leaves out {fault.found}",
            "excluded": f"The answer shows what must not be there ({fault.found})",
            "language": f"The answer is in a language that {label} does not read ({fault.found})",
            "loop": f"The answer goes round in a loop (“{fault.found}”)",
            "unchanged": "The model handed the idea back unchanged",
            "shape": f"The answer is not in the form that {label} wants ({fault.found})",
        }[fault.kind]
        return f"{what}: {remedy}."

    # -- length

    def _length(self, text: str, idea: str) -> Fault | None:
        target = self.target
        size, unit = size_of(target, text), "tags" if target.form == "tags" else "words"
        wanted = f"{target.words[0]} to {target.words[1]} {unit}" if target.words else ""
        if (most := self._most(idea)) is not None and size > most:
            return Fault("long", f"{size} {unit}", wanted or f"at most {most} {unit}")
        if self.count_tokens is None or (limit := self._token_limit(idea)) is None:
            return None
        tokens = self.count_tokens(text)
        wanted = wanted or f"at most {target.limit_tokens} tokens"
        return Fault("long", f"{tokens} tokens", wanted) if tokens > limit else None

    def _shortness(self, text: str, idea: str) -> Fault | None:
        """Return a fault where the answer is shorter than the idea, and than what the target wants."""
        target = self.target
        size, unit = size_of(target, text), "tags" if target.form == "tags" else "words"
        if target.words is None or target.kind == "edit" or target.form in ("any", "instruction"):
            return None
        given = size_of(target, idea)
        if given < _FEWEST_WORDS or size >= min(given * _SHARE_OF_IDEA, target.words[0]):
            return None
        return Fault("short", f"{size} {unit}", f"{target.words[0]} to {target.words[1]} {unit}")

    def thinness(self, text: str) -> Fault | None:
        """Return a fault where the answer is shorter than the target wants."""
        target = self.target
        if target.words is None or target.kind not in _FULL or target.form in _WHOLE:
            return None
        if target.kind in ("edit", "image_to_video") and language_of(text) != "en":
            return None  # nothing fills it up, and what changes can be said in few words
        size, unit = size_of(target, text), "tags" if target.form == "tags" else "words"
        is_list = target.form != "phrases" or len(split_terms(text)) >= _FEWEST_PHRASES
        if size >= target.words[0] and is_list:
            return None
        return Fault("thin", f"{size} {unit}", f"{target.words[0]} to {target.words[1]} {unit}")

    def is_nearly_long(self, text: str) -> bool:
        """Tell whether the answer lacks so little of its length that this is not worth a word."""
        words = self.target.words
        return words is not None and size_of(self.target, text) >= words[0] * _NEARLY

    def _most(self, idea: str) -> int | None:
        """Return how many words (or tags) an answer may have."""
        target = self.target
        if target.words is None or target.form in _WHOLE:
            return None
        most = round(target.words[1] * LENGTH_SLACK)
        if target.limit_tokens and target.limit_tokens > _READ_IN_PIECES and target.form != "tags":
            most = min(most, max(target.words[1], int(target.limit_tokens * _WORDS_A_TOKEN)))
        return max(most, round(size_of(target, idea) * _SLACK_ON_IDEA))

    def _token_limit(self, idea: str) -> int | None:
        limit = self.target.limit_tokens
        if limit is None or self.count_tokens is None:
            return None
        slack = LENGTH_SLACK if limit <= _READ_IN_PIECES else 1
        return max(round(limit * slack), round(self.count_tokens(idea) * _SLACK_ON_IDEA))

    def _goal(self, text: str, idea: str) -> int | None:
        """Return the size to cut `text` to, None where it is not too long."""
        size, most = size_of(self.target, text), self._most(idea)
        goals = []
        if most is not None and self.target.words and size > most:
            goals.append(max(self.target.words[1], size_of(self.target, idea)))
        if self.count_tokens is not None and (limit := self._token_limit(idea)) is not None:
            tokens = self.count_tokens(text)
            if tokens > limit:
                goals.append(max(1, size * limit // tokens))
        return min(goals, default=None)

    # -- the others

    def _language(self, text: str) -> Fault | None:
        languages = self.target.languages
        said = _QUOTED.sub(" ", re.sub(MARK, " ", text))
        if "any" in languages or self.target.form == "json" or len(_WORD.findall(said)) < _FEWEST_WORDS:
            return None
        language = language_of(said)
        if language in languages or (language == "other" and not _is_foreign(said, languages)):
            return None
        return Fault("language", language, languages[0])

    def _loop(self, text: str, idea: str) -> Fault | None:
        loop = None if self.target.form in ("json", "any") else _loop_in(text, idea)
        return Fault("loop", " ".join(loop[0].split())[:60]) if loop else None

    def _unchanged(self, text: str, idea: str, has_instruction: bool) -> Fault | None:
        target = self.target
        if not idea or _bare(text) != _bare(idea):
            return None
        is_left_alone = target.form in ("any", "instruction") or target.kind == "edit"
        is_detailed = len(idea.split()) > _DETAILED_WORDS or (
            target.words is not None and size_of(target, idea) * 2 > sum(target.words)
        )
        return None if (is_left_alone or is_detailed) and not has_instruction else Fault("unchanged")


def size_of(target: Target, text: str) -> int:
    """Return how many tags `text` has where the target wants tags, else how many words."""
    return len(split_terms(text)) if target.form == "tags" else len(_WORD.findall(text))


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _is_foreign(text: str, languages: tuple[str, ...]) -> bool:
    """Tell whether `text` is in a script that none of `languages`, all of them Latin, is written in."""
    letters = [character for character in text if character.isalpha()]
    latin = sum(character < "ɐ" for character in letters)
    return latin * 2 < len(letters) and not {"zh", "ja", "ko", "ru"} & set(languages)


def _loop_in(text: str, idea: str) -> re.Match[str] | None:
    """Return the first loop in `text`, without the words that go round in `idea` itself."""
    for loop in _LOOP.finditer(text):
        again, is_word = loop[1], len(loop[1].split()) == 1
        said = re.findall(rf"(?<!\w){re.escape(again)}(?!\w)", loop[0], re.I)
        # "very, very, very" and "ha ha ha" are somebody's words; three equal tags are not.
        if is_word and "," not in loop[0] and len(said) < 4:
            continue
        if not again.strip().isdigit() and " ".join(loop[0].casefold().split()) not in " ".join(
            idea.casefold().split()
        ):
            return loop
    return None


def _cut(target: Target, text: str, most: int) -> str:
    """Cut `text` to `most` words or tags: behind a sentence, else a clause, else a word."""
    levels = [_CLAUSE, _BLANK] if target.form in ("tags", "phrases") else [_SENTENCE, _CLAUSE, _BLANK]
    for level in levels:
        ends = [found.start() for found in level.finditer(text)] + [len(text)]
        whole = [
            end for end in ends if text[:end].count('"') % 2 == 0 and size_of(target, text[:end]) <= most
        ]
        # A first sentence that is short leaves a prompt of nothing.
        if whole and (size_of(target, text[: whole[-1]]) * 2 >= most or level is levels[-1]):
            cut = text[: whole[-1]].rstrip(" ,;:，、；-–—")
            is_prose = level is not _SENTENCE and target.form not in ("tags", "phrases")
            return f"{cut}." if is_prose and cut[-1:].isalnum() and cut.isascii() else cut
    return text

"""Rules that a prompt is scored by, each with its source; `score` applies them to one answer.

A rule gives True, False, or None where it does not apply. The words that an idea's answer must have are in
prompt_ideas.yaml and were written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

# What each rule goes by.
SOURCES = {
    "answered": "an error, a refusal or nothing is no prompt",
    "no loop": "prompting/answers/limits.py; here: 1 to 12 words three times in a row",
    "no talk": "all authors' enhancers ask for the prompt alone",
    "no echo": "our message is no prompt: its labels and closing line must not come back",
    "form": "the target's `form`: sentences, comma-separated phrases, lower-case tags",
    "language": "the target's `languages`",
    "length": "the target's `words`; an idea that is longer may stay as long",
    "enhanced": "an enhancer that hands the idea back has done nothing (targets of the form `any` excepted)",
    "facts": "the share of subjects, counts, colours, names, lettering kept (prompt_ideas.yaml)",
    "excluded": "what the idea excludes is not in the prompt, save behind a negation",
    "no inventions": "weights, <tags>, embeddings that the idea has not",
    "variations differ": "of the words of any two variations of an idea, no more than 70 % are in both",
    "no leak": "four words in a row of a worked example that the idea has not",
}
UNUSABLE = ("answered", "no loop", "no talk", "no echo", "form", "language")

_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’-][^\W_]+)*")
_LOOP = re.compile(r"(?is)(?<!\w)((?:\w[\w'’-]*)(?:[\s,.;:]+\w[\w'’-]*){0,11})(?:[\s,.;:!?]+\1(?!\w)){2,}")
_TALK = re.compile(
    r"(?i)\b(?:here(?:'s| is) (?:the|a|your)|sure[,!]|certainly[,!]|i(?:'m| am) (?:sorry|unable)"
    r"|i can(?:no|')t|as an ai|the prompt (?:should|is|would)|this prompt|image model|let me know|note:"
    r"|hope this|was born in)"
)
_ECHO = re.compile(
    r"(?i)\b(?:idea(?: for a \w+)?:|wish:|instruction:|keep exactly|keep everything|one paragraph of"
    r"|plain sentences"
    r"|separated by commas|\d+ to \d+ (?:words|tags)|describe only what can|what the picture needs"
    r"|answer with the prompt|negative:)|</?prompt>"
)
_WEIGHT = re.compile(r"\([^()]*:\s*-?\d[\d.]*\s*\)")
_TAG = re.compile(r"<[^<>\n]{1,60}>|\bembedding:\S+")
_SCRIPTS = {
    "ja": r"[\u3040-\u30ff\u4e00-\u9fff]",
    "zh": r"[\u4e00-\u9fff]",
    "ko": r"[\uac00-\ud7af]",
    "ru": r"[\u0400-\u04ff]",
}
_FOREIGN = re.compile(
    r"(?i)(?<!\w)(?:der|die|das|und|ein|eine|mit|auf|le|la|les|et|un|une|sur|dans|el|los|las|una|con|um|uma|os|do|da)(?!\w)"
)


def score(
    idea: Mapping[str, Any], target: Any, prompt: str, negative: str, examples: Sequence[str]
) -> dict[str, bool | float | None]:
    """Score `prompt`, made of `idea` for `target`; an empty one is an answer that did not come."""
    if not prompt.strip():
        return dict.fromkeys(SOURCES, None) | {"answered": False, "facts": 0.0}
    own = str(idea["idea"])
    body = _without_additions(prompt, target)
    return {
        "answered": True,
        "no loop": not _loops(body, own),
        "no talk": not (_TALK.search(body) and not _TALK.search(own)),
        "no echo": not (_ECHO.search(body) and not _ECHO.search(own)),
        "form": _form(body, target, own),
        "language": _language(body, target, idea),
        "length": _length(body, target, own),
        "enhanced": None
        if target.form == "any"
        else _bare(body) != _bare(own) and len(_words(body)) > len(_words(own)) * 0.8,
        "facts": _facts(body, idea),
        "excluded": _excluded(body, negative, target, idea),
        "no inventions": not (_new(_WEIGHT, body, own) or _new(_TAG, body, own)),
        "variations differ": None,
        "no leak": not _leaks(body, own, examples),
    }


def differ(prompts: Sequence[str]) -> bool | None:
    """Tell whether the variations of one idea differ; None for a single one."""
    said = [set(_words(prompt)) for prompt in prompts if prompt]
    if len(said) < 2:
        return None
    return all(len(one & other) <= 0.7 * len(one | other) for one, other in combinations(said, 2))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _bare(text: str) -> str:
    return "".join(_words(text))


def _without_additions(prompt: str, target: Any) -> str:
    """Leave out what code adds to every prompt."""
    for addition in (target.prefix, target.suffix):
        prompt = prompt.replace(addition, "") if addition else prompt
    return prompt.strip(" ,")


def _loops(text: str, own: str) -> bool:
    if any(found[0].casefold() not in own.casefold() for found in _LOOP.finditer(text)):
        return True
    words = _words(text)
    return len(words) > 60 and len(set(words)) < len(words) * 0.3


def _form(text: str, target: Any, own: str) -> bool | None:
    sentences = len(re.findall(r"[.!?。](?:\s|$)", text))
    commas = len(re.findall(r"[,，、]", text))
    if target.form == "prose":
        return sentences >= 1 and "\n" not in text.strip() and commas < len(_words(text)) * 0.25
    if target.form == "phrases":
        return commas >= 2 and "\n" not in text.strip()
    if target.form == "tags":
        terms = [term.strip() for term in text.split(",") if term.strip()]
        plain = [term for term in terms if term not in own]
        long = sum(len(_words(term)) > 6 for term in plain)
        return len(terms) >= 5 and long <= 1 and text.count(". ") == 0
    return None if target.form != "any" else "\n" not in text.strip() or "\n" in own.strip()


def _language(text: str, target: Any, idea: Mapping[str, Any]) -> bool | None:
    of_idea = str(idea.get("language", "en"))
    said = text
    for piece in (*idea.get("quoted", ()), *idea.get("exact", ())):
        said = said.replace(piece, "")
    if "any" in target.languages:
        script = _SCRIPTS.get(of_idea)
        if script:
            return bool(re.search(script, said))
        return of_idea == "en" or bool(_FOREIGN.search(said))
    if of_idea in target.languages:
        return True
    return (
        not any(re.search(script, said) for script in _SCRIPTS.values()) and len(_FOREIGN.findall(said)) < 3
    )


def _length(text: str, target: Any, own: str) -> bool | None:
    size = _size(text, target)
    if target.words is None:
        return 0.5 * _size(own, target) <= size <= 2 * _size(own, target) + 5
    return target.words[0] <= size <= max(target.words[1], round(_size(own, target) * 1.2))


def _size(text: str, target: Any) -> int:
    return len([t for t in text.split(",") if t.strip()]) if target.form == "tags" else len(_words(text))


def _has(text: str, word: str) -> bool:
    if re.search(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]", word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()) is not None


def _facts(text: str, idea: Mapping[str, Any]) -> float:
    asked = [list(words) for words in idea.get("keep", ())]
    asked += [list(map(str, idea[key])) for key in ("count", "count2", "count3") if key in idea]
    asked += [str(colour).split("|") for colour in idea.get("colours", ())]
    found = [any(_has(text, word) for word in words) for words in asked]
    found += [piece in text for piece in idea.get("quoted", ())]
    found += [piece.casefold() in text.casefold() for piece in idea.get("exact", ())]
    return sum(found) / len(found)


def _excluded(text: str, negative: str, target: Any, idea: Mapping[str, Any]) -> bool | None:
    if "not" not in idea:
        return None
    for word in map(str, idea["not"]):
        for place in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text.casefold()):
            before = text[: place.start()].casefold()[-40:]
            if not re.search(r"\b(?:no|not|without|free of|nor|or)\b[^.]*$", before):
                return False
    return True


def _new(pattern: re.Pattern[str], text: str, own: str) -> bool:
    return any(found[0] not in own for found in pattern.finditer(text))


def _leaks(text: str, own: str, examples: Sequence[str]) -> bool:
    words, known = _words(text), " ".join(_words(own))
    theirs = {run for example in examples for run in _runs(_words(example))}
    return any(run in theirs and run not in known for run in _runs(words))


def _runs(words: Sequence[str]) -> list[str]:
    """Return each four words in a row, save those of small words alone (in front of a)."""
    fours = [words[start : start + 4] for start in range(len(words) - 3)]
    return [" ".join(four) for four in fours if sum(len(word) > 4 for word in four) > 1]

"""Editing instructions: the user's own, and what is to stay as it is."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

from .. import data
from ..chooser import Chooser
from ..composing import continues
from ..scene import Scene

if TYPE_CHECKING:
    from ...tasks import EnhanceTask

_LABELLED = "Target Image Description"


def write(task: EnhanceTask, point: int) -> str:
    """Write the instruction with a sentence on what stays and, where there is room, one on how it is done."""
    prompt = task.prompt.strip()
    if task.instruction.strip():
        prompt = f"{continues(prompt, sentence=True)}{task.instruction.strip()}".strip()
    about = data.words_of("edits")
    edit = _kind_of(task.prompt if task.prompt.strip() else task.instruction)
    chooser = Chooser(Scene(), point)
    opener, closer = chooser.one(_items(about["openers"])), chooser.one(_items(about["closers"]))
    things = _items(edit["keep"])
    # Three of them in the order of the file, where the more telling ones come first.
    choices = list(combinations(things, 3))
    kept = choices[chooser.index([len(choices) - place for place in range(len(choices))])]
    stays = f"{opener} {kept[0]}, {kept[1]} and {kept[2]} {closer}."
    then = f"{chooser.one(_items(edit['then']))}."
    if any(_LABELLED in rule for rule in task.target.rules):
        return (
            f"Editing Instruction: {continues(prompt, sentence=True).strip()} {_LABELLED}: "
            f"The same image after this change, with {kept[0]}, {kept[1]} and {kept[2]} {closer}. {then}"
        )
    return f"{continues(prompt, sentence=True)}{stays} {then}"


def _kind_of(instruction: str) -> dict[str, Any]:
    edits: dict[str, dict[str, Any]] = data.words_of("edits")["edits"]
    text = f" {' '.join(re.findall(r'[a-z0-9]+', instruction.lower()))} "
    for name, words in _words().items():
        if any(f" {word} " in text for word in words):
            return edits[name]
    return edits["other"]


@lru_cache(maxsize=1)
def _words() -> dict[str, list[str]]:
    return {
        name: [word.strip().replace("-", " ") for word in edit["words"].split(",") if word.strip()]
        for name, edit in data.words_of("edits")["edits"].items()
    }


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(";")]

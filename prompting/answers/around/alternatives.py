"""Several versions of a prompt in one answer: in a list, between drawn lines. The first of them counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .. import vocabulary as words
from ..envelope import peel
from .negative import RULE

_NUMBERED = re.compile(
    r"\A\s*(?:(?:\*\*)?\(?(\d{1,2})[.):](?:\*\*)?|\*\*\(?[a-eA-E][.):]?\*\*[.:]?|\(?[a-eA-E]\)"
    r"|[-*•])\s+(?:\*\*[^*\n]{1,40}?\*\*\s*)?(?P<text>\S.*)\Z"
)
_SEQUENCE = re.compile(r"(?i)\W*(?:shot|scene|cut|then|next|finally|wide|close|panel|frame|step|the same)")
# Words of an announcement that name what follows as versions of one thing.
_VERSIONS = re.compile(
    r"(?i)\b(?:variations?|versions?|options?|alternatives?|variants?|takes|prompts|ideas|suggestions"
    r"|varianten|versionen|optionen|variantes|versiones|opciones|versões|opções|versioni|varianti|opzioni"
    r"|вариант\w*|верси\w*|wersj\w+|wariant\w*|seçenek\w*)\b|(?:[几幾两兩三四五2-9]\s*[个個种種]|バリエーション|パターン|버전|가지)"
)
_SAME_START = 2
_LONG_ITEM = 6
_FEWEST_WORDS = 4


def names_several(said: str) -> bool:
    """Tell whether an announcement promises several versions: “Here are three variations:”."""
    return _VERSIONS.search(said) is not None


def first_alternative(text: str, announced: bool, several: bool = False) -> str:
    """Return the first of several versions of the prompt that stand in a list; any other list stays.

    `announced` tells that talk stood before the list, `several` that it promised several versions.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    items = [_NUMBERED.match(line) for line in lines]
    if len(lines) < 2 or not all(items):
        return text
    texts = [item["text"] for item in items if item]
    starts = {" ".join(peel(item).lower().split()[:_SAME_START]) for item in texts}
    is_long = all(len(item.split()) >= _LONG_ITEM for item in texts)
    are_prompts = all(len(item.split()) >= _FEWEST_WORDS or words.is_unspaced(item) for item in texts)
    apart = len(re.split(r"\n[ \t]*\n", text.strip())) == len(lines)
    if (
        len(starts) == 1
        or (several and are_prompts)
        or (apart and is_long and not _is_sequence(texts))
        or (announced and are_prompts and not _is_sequence(texts))
    ):
        return texts[0]
    named = all("**" in line for line in lines) and is_long
    return texts[0] if named else text


def first_between_rules(blocks: list[str], idea: str) -> list[str]:
    """Return the blocks before the first drawn line where further versions of the prompt follow it.

    What is much shorter than the text behind it is its title, and scenes of a film belong together.
    """
    if RULE.search(idea) or "---" in idea:
        return blocks
    groups: list[list[str]] = [[]]
    for block in blocks:
        if RULE.match(block):
            groups.append([])
        else:
            groups[-1].append(block)
    groups = [group for group in groups if group]
    if len(groups) < 2 or any(_is_sequence(group[:1]) for group in groups):
        return blocks
    sizes = [len(" ".join(group).split()) for group in groups]
    return groups[0] if sizes[0] >= _LONG_ITEM and 2 * sizes[0] >= max(sizes) else blocks


def _is_sequence(texts: Sequence[str]) -> bool:
    return any(_SEQUENCE.match(item) for item in texts)

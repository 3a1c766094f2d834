"""Parts of a piece of music that a very small model filled in: those that are of the idea stay.

A model of a few hundred million parameters writes of something else, copies the worked example, or names a
pace that the idea has not. The phrasebook's parts are the idea's own words, and what goes with them.
"""

from __future__ import annotations

import re

from ..answers.facts.idea_tags import is_english
from ..answers.shapes import lyrics, sections
from ..tasks import EnhanceTask
from .doubts import lost_words
from .picture_words import runs

# So much of an idea may be said in other words.
_LOST = 1 / 3
_SECTION = re.compile(
    r"(?im)^\s*\[(?:(?:pre|post|final|last)[- ]?)?(?:verse|chorus|bridge|intro|outro|hook|refrain)\b"
)
# Nobody sings these.
_NOT_SUNG = re.compile(r"[{}<>|=:\d]")
_NO_TEXT = re.compile(r"[{}<>]")
_FEWEST_LINES = 4


def sure_parts(text: str, task: EnhanceTask) -> tuple[str, list[str]]:
    """Return `text` with parts of the phrasebook's for those that are not of the idea, and their names."""
    from ..phrasebook import write

    target = task.target
    if target.kind != "audio" or not target.parts:
        return text, []
    texts = sections.read(text, target.parts)
    others = sections.read(write(task), target.parts)
    main, sung = sections.main_of(target.parts), sections.lyrics_of(target.parts)
    names = [part.name for part in target.parts if part.name not in (main, sung)]
    said = texts.get(main, "")
    copied = {run for example in target.examples for run in runs(example.prompt)} - {*runs(task.prompt)}
    if not is_english(task.prompt):
        # What the phrasebook says of an idea that it cannot read may be against it.
        others[main] = task.prompt
    if (
        lost_words(said, task.prompt, _LOST)
        or _NO_TEXT.search(said)
        or others[main] == task.prompt
        or not copied.isdisjoint(runs(said))
    ):
        names.insert(0, main)
    if sung and not _is_song(texts.get(sung, "")) and not sections.own_parts(task.prompt, target.parts):
        names.append(sung)
    texts |= {name: others[name] for name in names if name in others}
    return sections.joined(texts, target.parts), names


def _is_song(text: str) -> bool:
    """Tell whether `text` can be lyrics: lines in sections, or none for a piece without a voice."""
    lines = [line for line in text.splitlines() if line.strip() and not lyrics.TAG.match(line)]
    if text.strip() == lyrics.INSTRUMENTAL:
        return True
    return (
        bool(_SECTION.search(text)) and len(lines) >= _FEWEST_LINES and not any(map(_NOT_SUNG.search, lines))
    )

"""Choice of the facets of a prompt, joined to the user's words as sentences or as a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import data
from .chooser import Chooser
from .data import Entry
from .scene import Scene
from .things import lines_about

_FILES = {
    "opening": "detail",
    "detail": "detail",
    "light": "light",
    "shadow": "light",
    "setting": "setting",
    "air": "setting",
    "composition": "camera",
    "lens": "camera",
    "film": "camera",
    "palette": "finish",
    "mood": "finish",
    "medium": "finish",
    "motion": "motion",
    "camera_move": "motion",
    "static_camera": "motion",
    "sound": "motion",
    "pace": "motion",
}
MOTION = ("motion", "camera_move", "static_camera", "sound")
# The order in which prose mentions things; lists follow the order of choosing.
_PROSE_ORDER = (
    "opening", "motion", "thing", "things", "detail", "setting", "air", "light", "shadow", "composition",
    "lens", "film",
    "camera_move", "static_camera", "pace", "palette", "medium", "mood", "sound",
)  # fmt: skip
_LIGHT_FIRST = sorted(_PROSE_ORDER, key=lambda facet: facet in ("detail", "air"))
_FINAL = ".!?…。！？"
_OPEN_END = re.compile(r"[\w\"'”’)\]}%°*>»]$")


@dataclass(slots=True)
class PromptPlan:
    """Facets in the order in which they are chosen, until `words` are written, or `most` facets.

    Choosing goes on beyond that, within `room`, until the outcome could have been one of `spread` others.
    """

    facets: tuple[str, ...]
    words: int
    room: int = 999
    most: int = 99
    spread: float = 1.0
    by_phrase: bool = False


@dataclass(slots=True)
class Composition:
    """Chosen lines, each with its facet."""

    lines: list[tuple[str, Entry]] = field(default_factory=list)

    def of(self, facet: str) -> list[Entry]:
        return [entry for name, entry in self.lines if name == facet]

    def in_order(self, facets: Sequence[str]) -> list[tuple[str, Entry]]:
        return sorted(self.lines, key=lambda line: facets.index(line[0]) if line[0] in facets else 99)

    def in_prose_order(self, kind: str = "") -> list[tuple[str, Entry]]:
        """Return the lines in the order of running text; of an unknown subject the light comes first."""
        order = _LIGHT_FIRST if kind == "unsure" else _PROSE_ORDER
        return sorted(self.lines, key=lambda line: order.index(line[0]))


def facet_entries(facet: str, scene: Scene) -> tuple[Entry, ...]:
    """Return all lines of a facet: of ``thing`` those about the first thing, of ``things`` about all."""
    if facet in ("thing", "things"):
        return lines_about(scene, first=facet == "thing")
    if scene.kind != "unsure":
        return data.facets(_FILES[facet])[facet]
    around = data.facets("surroundings").get(facet, ())
    return data.facets(_FILES[facet])[facet] + around + data.facets("unsure").get(facet, ())


def write_facets(plan: PromptPlan, chooser: Chooser, requested: Sequence[str] = ()) -> Composition:
    """Choose lines by `plan`; each of `requested` gets a line of its own where one fits."""
    written = Composition()
    count = 0

    def size(entry: Entry) -> int:
        return len((entry.phrase if plan.by_phrase else entry.prose).split())

    for tag in requested:
        for facet in ("light", "palette", "mood", "medium", "composition", "air", "setting"):
            if facet in plan.facets or (
                facet in ("light", "palette", "composition") and "motion" not in plan.facets
            ):
                entry = chooser.entry(facet, facet_entries(facet, chooser.scene), tag)
                if entry is not None:
                    written.lines.append((facet, entry))
                    count += size(entry)
                    break
    taken = [facet for facet, _ in written.lines]
    for facet in plan.facets:
        if facet in taken:
            taken.remove(facet)
            continue
        enough = count >= plan.words or len(written.lines) >= plan.most
        full = count >= plan.room and chooser.spread >= plan.spread
        if full or (enough and (chooser.spread >= plan.spread or facet == "medium")):
            break
        if facet == "shadow" and "light" not in chooser.scene.tags and "light" not in chooser.scene.covers:
            continue
        entries = facet_entries(facet, chooser.scene)
        if chooser.spread >= plan.spread:
            entries = tuple(entry for entry in entries if count + size(entry) <= plan.room)
        # Enough is written: a line without a rival would tell this text from no other.
        few = 2 if enough and facet != "medium" else 1
        entry = chooser.entry("things" if facet == "thing" else facet, entries, few=few)
        if entry is None:
            continue
        written.lines.append((facet, entry))
        count += size(entry)
    return written


def join_prose(text: str, written: Composition, scene: Scene, *, attach: bool) -> str:
    """Write one paragraph: `text`, an opening attached to it where grammar allows, then sentences."""
    in_prose_order = written.in_prose_order(scene.kind)
    openings = [entry for facet, entry in in_prose_order if facet == "opening"]
    sentences = [entry.prose for facet, entry in in_prose_order if facet != "opening"]
    if openings and attach and can_attach(text):
        text = f"{text}, {_named(openings[0].prose, scene)}"
    elif openings:
        sentences.insert(0, _as_sentence(openings[0].phrase))
    if not sentences:
        return text
    tail = " ".join(_named(sentence, scene) for sentence in sentences)
    return f"{continues(text, sentence=True)}{tail}" if text else tail


def join_phrases(text: str, phrases: Sequence[str], joiner: str = ", ") -> str:
    """Write `text` and then `phrases`, separated by commas."""
    phrases = [phrase for phrase in phrases if phrase]
    text = text.rstrip()
    if not phrases:
        return text
    if not text:
        return joiner.join(phrases)
    if text[-1] in ",，、;；:|":
        gap = "" if text[-1] in "，、；" else " "
    elif text[-1] in _FINAL:
        gap = "" if text[-1] in "。！？" else " "
    else:
        gap = joiner
    return f"{text}{gap}{joiner.join(phrases)}"


def can_attach(text: str) -> bool:
    """Tell whether ``, its coat dusted with snow`` may follow `text`, which must be no list."""
    return bool(_OPEN_END.search(text)) and not re.search(r"[\n,;]", text) and not _unclosed(text)


def continues(text: str, *, sentence: bool) -> str:
    """Return `text` in a form that a sentence can follow."""
    text = text.rstrip()
    if not text:
        return ""
    if not sentence or text[-1] in _FINAL or not _OPEN_END.search(text):
        return f"{text} "
    if re.search(r"[.!?…][\"'”’)\]]$", text) and not _unclosed(text):
        return f"{text} "
    return f"{text}. "


def looks_like_tags(text: str) -> bool:
    """Tell whether a prompt is a list of short parts rather than running text."""
    parts = [part.split() for part in text.split(",") if part.strip()]
    return len(parts) >= 3 and sum(map(len, parts)) <= 3.2 * len(parts) and not re.search(r"[.!?]\s+\w", text)


def _unclosed(text: str) -> bool:
    return text.count("(") != text.count(")") or text.count('"') % 2 == 1


def _as_sentence(phrase: str) -> str:
    return f"{phrase[:1].upper()}{phrase[1:]}."


def _named(text: str, scene: Scene) -> str:
    return text.replace("{s}", scene.noun).replace("{S}", scene.noun[:1].upper() + scene.noun[1:])

"""The shape that a target wants of a prompt: what code puts right of it, and what is wrong with the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from ...briefs.references import unnamed
from ...targets import Target
from ...tasks import EnhanceTask
from . import by_schema, lyrics, sections, shots

MUTE = "no words for the voice that the idea names"
_TAG_LIST = re.compile(r"\A((?:[^,.!?\n]{1,60},\s*){3,})(?=\S)")


def has_shape(target: Target) -> bool:
    """Tell whether a prompt for `target` is more than one text of any kind."""
    return bool(target.parts or target.schema or target.shot_label or target.references)


def mended(text: str, task: EnhanceTask, own: str = "") -> str:
    """Return `text` in the shape of the task's target as far as code can bring it there.

    `own` is the user's text, of which nothing is changed.
    """
    target = task.target
    if target.schema:
        return by_schema.fitted(text, by_schema.schema_of(target.schema)) or text
    if target.parts:
        texts = sections.mended(sections.read(text, target.parts), target.parts, own)
        if sung := sections.lyrics_of(target.parts):
            if theirs := sections.own_parts(task.prompt, target.parts).get(sung):
                texts[sung] = lyrics.tidy(lyrics.with_own(texts.get(sung, ""), theirs), own)
            elif lyrics.is_sung(_wish(task)) is False:
                texts[sung] = lyrics.INSTRUMENTAL
        first, main = target.parts[0].name, sections.main_of(target.parts)
        if first in texts:
            texts[first] = _with_names(texts[first], "\n".join(texts.values()), task)
        if main in texts:
            texts[main] = _with_shots(texts[main], task)
        return sections.joined(texts, target.parts)
    return _with_shots(_with_names(text, text, task), task)


def forced(text: str, task: EnhanceTask) -> str:
    """Return `text` as JSON where its target wants that and `text` is none that could be mended."""
    if not task.target.schema:
        return text
    schema = by_schema.schema_of(task.target.schema)
    return by_schema.made_of(text, schema) if by_schema.wrong(text, schema) else text


def wrong(text: str, task: EnhanceTask) -> str:
    """Return what is wrong with the shape of `text` in a few words; "" where nothing is."""
    target = task.target
    if target.schema:
        return by_schema.wrong(text, by_schema.schema_of(target.schema)).rstrip(".")
    texts = sections.read(text, target.parts) if target.parts else {}
    if target.parts and (found := sections.wrong(texts, target.parts)):
        return found
    if _is_mute(texts, task):
        return MUTE
    if not target.shot_label:
        return ""
    shown = texts[sections.main_of(target.parts)] if target.parts else text
    return shots.wrong(shown, target.shot_label, target.shots[1], task.brief.duration)


def lacks_words(text: str, task: EnhanceTask) -> bool:
    """Tell whether nothing is sung in a piece of which the user names a voice."""
    parts = task.target.parts
    return bool(parts) and _is_mute(sections.read(text, parts), task)


def with_words_of(text: str, other: str, target: Target) -> str:
    """Return `text` with the lyrics of `other`."""
    sung = sections.lyrics_of(target.parts)
    texts = sections.read(text, target.parts)
    return sections.joined(texts | {sung: sections.read(other, target.parts)[sung]}, target.parts)


def with_edges(target: Target, text: str, duration: float) -> Target:
    """Return `target` with the length and the last shot of `text` in its prefix, where that has them."""
    if "{" not in target.prefix:
        return target
    last = len(shots.shots_in(text, target.shot_label)) if target.shot_label else 1
    seconds = duration or (target.seconds[0] if target.seconds else 5)
    prefix = target.prefix.replace("{seconds}", f"{seconds:.2f}").replace("{shots}", str(last or 1))
    return replace(target, prefix=prefix)


def parts_of(text: str, target: Target | None = None) -> dict[str, str]:
    """Return the parts of a finished prompt by their names: of JSON its fields, of tags and prose the two.

    A prompt of one piece is the part ``prompt``.
    """
    text = text.strip()
    if text.startswith("{"):
        try:
            said = json.loads(text, strict=False)
        except ValueError:
            said = None
        if isinstance(said, dict) and said:
            return {str(name): _said(value) for name, value in said.items()}
    if target is not None and target.parts and (found := sections.read(text, target.parts)):
        return found
    if (target is None or target.form == "tags_and_prose") and (listed := _TAG_LIST.match(text)):
        prose = text[listed.end() :].strip()
        if re.search(r"\w{2,} \w+ \w+.*[.!?]", prose):
            return {"tags": listed[1].strip().rstrip(","), "prose": prose}
    return {"prompt": text}


def prose_of(text: str, target: Target) -> str:
    """Return the parts of `text` that are prose, all of it where there are none: lyrics have other rules."""
    if not target.parts:
        return text
    texts = sections.read(text, target.parts)
    return (
        "\n".join(texts.get(part.name, "") for part in target.parts if part.holds in ("prose", "shots"))
        or text
    )


def _is_mute(texts: Mapping[str, str], task: EnhanceTask) -> bool:
    said = texts.get(sections.lyrics_of(task.target.parts))
    return said == lyrics.INSTRUMENTAL and bool(lyrics.is_sung(_wish(task)))


def _wish(task: EnhanceTask) -> str:
    return f"{task.prompt}\n{task.instruction}"


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _with_names(text: str, whole: str, task: EnhanceTask) -> str:
    missing = unnamed(task.target, task.brief.references, whole)
    if not missing:
        return text
    ended = text.rstrip()
    return f"{ended}{'' if ended[-1:] in '.!?' else '.'} {' '.join(missing)}"


def _with_shots(text: str, task: EnhanceTask) -> str:
    target = task.target
    if not target.shot_label or not text.strip():
        return text
    return shots.mended(text, target.shot_label, target.shots[1], task.brief.duration)

"""Prompts of several parts, each behind its name: how they are read, joined and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...targets.shape import Part
from ..envelope import json_in
from ..talk import is_remark
from . import lyrics
from .by_schema import bare_name

_AROUND = r"[\s*_#>-]{0,6}"


def read(text: str, parts: Sequence[Part]) -> dict[str, str]:
    """Return the texts of `parts` in `text` by their names; what has no name counts as the main part."""
    if text.lstrip().startswith("{") and isinstance(said := json_in(text), dict):
        known = {bare_name(part.name): part.name for part in parts}
        found = {
            known[key]: _as_text(value) for name, value in said.items() if (key := bare_name(name)) in known
        }
        if found:
            return found
    marks = list(_pattern(parts).finditer(text))
    found = {}
    before = text[: marks[0].start()] if marks else text
    for mark, end in zip(marks, [*(mark.start() for mark in marks[1:]), len(text)], strict=False):
        name = next(
            part.name for part in parts if bare_name(part.name) == bare_name(mark["name"] or mark["tag"])
        )
        said = re.sub(r"</\w+>\s*\Z", "", text[mark.end() : end].strip()).strip()
        if said and name not in found:
            found[name] = said.strip("*").strip()
    if before.strip() and (main := main_of(parts)) not in found:
        first, sung = _before_lyrics(before.strip(), parts, found)
        if first:
            found[main] = first
        found.update(sung)
    return {part.name: found[part.name] for part in parts if part.name in found}


def own_parts(text: str, parts: Sequence[Part]) -> dict[str, str]:
    """Return the parts that an idea has: lyrics under section tags, and in a whole prompt the others."""
    before, sung = lyrics.own_lyrics(text)
    name = lyrics_of(parts)
    if not sung or not name:
        return {}
    found = read(text, parts) if names_in(text, parts) else {}
    if lyrics.own_lyrics(found.get(name, ""))[1]:
        return found
    return {main_of(parts): before, name: sung} if before else {name: sung}


def main_of(parts: Sequence[Part]) -> str:
    """Return the name of the part that says what happens."""
    return next((part.name for part in parts if part.holds == "shots"), parts[0].name)


def lyrics_of(parts: Sequence[Part]) -> str:
    """Return the name of the part that is sung, "" where there is none."""
    return next((part.name for part in parts if part.holds == "lyrics"), "")


def named_parts(text: str, parts: Sequence[Part]) -> str:
    """Return an answer from its first named part on, without talk around; "" where fewer than two are named.

    The names of parts, such as “summary”, are labels of remarks in other answers.
    """
    marks = list(_pattern(parts).finditer(text))
    if len(marks) < min(2, len(parts)):
        return ""
    blocks = re.split(r"\n[ \t]*\n", text[marks[0].start() :].replace("```", ""))
    while len(blocks) > 1 and not _pattern(parts).match(blocks[-1]) and is_remark(blocks[-1]):
        blocks.pop()
    return "\n\n".join(blocks).strip()


def names_in(text: str, parts: Sequence[Part]) -> int:
    """Return how many of `parts` are named in `text`, at the beginning of a line."""
    return len({bare_name(mark["name"] or mark["tag"]) for mark in _pattern(parts).finditer(text)})


def schema_of(parts: Sequence[Part]) -> dict[str, Any]:
    """Return the JSON schema of an object that has a text for each part."""
    texts = {
        part.name: {"type": "string", "enum": list(part.options)} if part.options else {"type": "string"}
        for part in parts
    }
    return {
        "type": "object",
        "properties": texts,
        "required": list(texts),
        "additionalProperties": False,
    }


def is_json(text: str, parts: Sequence[Part]) -> bool:
    """Tell whether an answer gives the parts as one JSON object."""
    said = json_in(text) if "{" in text else None
    return isinstance(said, dict) and bool(
        {bare_name(part.name) for part in parts} & set(map(bare_name, said))
    )


def joined(texts: Mapping[str, str], parts: Sequence[Part]) -> str:
    """Return the parts as one text, each behind its name, with a blank line between two."""
    pieces = []
    for part in parts:
        if said := texts.get(part.name, ""):
            gap = "\n" if part.holds == "lyrics" or "\n" in said else " "
            pieces.append(f"{part.name}:{gap}{said}")
    return "\n\n".join(pieces)


def as_json(texts: Mapping[str, str]) -> str:
    """Return the parts as one JSON object, the form that small models keep to."""
    return json.dumps(texts, ensure_ascii=False)


def mended(texts: Mapping[str, str], parts: Sequence[Part], own: str = "") -> dict[str, str]:
    """Return the parts with what code can put right: lyrics, numbers, choices, parts that may be left out."""
    found = {}
    for part in parts:
        said = texts.get(part.name, "").strip() or part.fallback
        if part.holds == "lyrics" and said:
            said = lyrics.tidy(said, own)
        elif part.holds == "number":
            said = _number(said, part)
        elif part.holds == "choice":
            # Of a time signature such as 3/4 the first number is the choice.
            wanted = {bare_name(said), said.partition("/")[0].strip().casefold()}
            said = next((one for one in part.options if bare_name(one) in wanted), "") or part.fallback
        if said:
            found[part.name] = said
    return found


def wrong(texts: Mapping[str, str], parts: Sequence[Part]) -> str:
    """Return what is wrong with the parts in a few words; "" where nothing is."""
    missing = [part.name for part in parts if not texts.get(part.name)]
    if missing:
        return f"no {' and no '.join(missing)}"
    for part in parts:
        said = texts[part.name]
        if part.holds == "lyrics" and (found := lyrics.wrong(said)):
            return found
        labels = [label for label in part.labels if not re.search(rf"(?mi)^\W*{re.escape(label)}\W", said)]
        if labels:
            return f"no {' and no '.join(labels)} in {part.name}"
    return ""


def _pattern(parts: Sequence[Part]) -> re.Pattern[str]:
    names = "|".join(re.sub(r"[\W_]+", r"[\\s_-]*", re.escape(part.name)) for part in parts)
    return re.compile(rf"(?im)^{_AROUND}(?P<name>{names}){_AROUND}[:：]\**[ \t]*|^\s*<(?P<tag>{names})>")


def _before_lyrics(text: str, parts: Sequence[Part], found: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Cut a text without names where its first section tag stands: behind it are the lyrics."""
    sung = lyrics_of(parts)
    if not sung or sung in found:
        return text, {}
    lines = text.splitlines()
    place = lyrics.first_section(lines)
    if place is None:
        return text, {}
    return "\n".join(lines[:place]).strip(), {sung: "\n".join(lines[place:])}


def _number(said: str, part: Part) -> str:
    number = re.search(r"\d{1,6}", said)
    if number is None:
        return part.fallback
    least, most = part.range or (0, 10**6)
    return str(min(most, max(least, int(number[0]))))


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(map(_as_text, value))
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_as_text(part)}" for name, part in value.items())
    return str(value)

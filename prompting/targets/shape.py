"""Fields of a target that say what a prompt consists of: parts, shots, a schema, names of pictures."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal, get_args

from .checks import Wrong, check_name, check_range, check_text, check_texts

Content = Literal["prose", "shots", "lyrics", "number", "choice"]
CONTENTS: tuple[Content, ...] = get_args(Content)
STATES = ("duration", "aspect")
SHOT_PLACES = ("n", "from", "to", "at")

_PART_FIELDS = {"name", "about", "holds", "labels", "range", "options", "or"}
_PART_NAME = re.compile(r"[A-Za-z][\w ]{0,39}")
_MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class Part:
    """One of the texts that a prompt consists of.

    `holds` says what is in it; the part with ``shots`` is the main one, else the first. A ``number`` lies
    within `range`, a ``choice`` is one of `options`. `fallback` stands where a model writes none; where it is
    empty, the part must be written. Its text has a line that begins with each of `labels`.
    """

    name: str
    about: str = ""
    holds: Content = "prose"
    labels: tuple[str, ...] = ()
    range: tuple[int, int] | None = None
    options: tuple[str, ...] = ()
    fallback: str = ""


def check_parts(value: object) -> tuple[Part, ...]:
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= _MOST_PARTS:
        raise Wrong(f"must be a list of 1 to {_MOST_PARTS} parts")
    parts = tuple(map(_part, items))
    names = [part.name.casefold() for part in parts]
    if len(set(names)) < len(names):
        raise Wrong("has two parts of the same name")
    return parts


def _part(item: object) -> Part:
    if isinstance(item, str):
        item = {"name": item}
    if not isinstance(item, dict) or not {"name"} <= set(item) <= _PART_FIELDS:
        raise Wrong(
            "must be a list of entries with the fields name, about, holds, labels, range, options and or"
        )
    name, holds = check_name(item["name"]), item.get("holds", "prose")
    if not _PART_NAME.fullmatch(name):
        raise Wrong(f'has a part "{name[:40]}"; a name is letters, digits, blanks and underscores')
    if holds not in CONTENTS:
        raise Wrong(f"has a part that holds {str(holds)[:20]}; it must be one of {', '.join(CONTENTS)}")
    options = item.get("options") or []
    if not isinstance(options, list) or (holds == "choice") != bool(options):
        raise Wrong("has a part that holds a choice without options, or options without a choice")
    limits = item.get("range")
    return Part(
        name,
        " ".join(check_text(item.get("about", "")).split()),
        holds,
        check_texts(item.get("labels") or []),
        None if limits is None else check_range("a part", "[30, 300]")(limits),
        tuple(check_name(option) for option in options),
        " ".join(check_text(item.get("or", "")).split()),
    )


def check_shot(value: object) -> str:
    text = check_text(value).strip()
    places = re.findall(r"\{(\w*)\}", text)
    if set(places) - set(SHOT_PLACES) or "n" not in places or len(set(places)) < len(places):
        raise Wrong("must name the number of a shot as {n}, and may name its times as {from}, {to} or {at}")
    return text


def check_reference(value: object) -> str:
    text = check_text(value).strip()
    if re.findall(r"\{(\w*)\}", text) not in (["n"], ["n0"]):
        raise Wrong("must name the number of an image as {n}, or as {n0} where the first one is number 0")
    return text


def check_states(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not set(map(str, items)) <= set(STATES):
        raise Wrong(f"must be a list of {', '.join(STATES)}")
    return tuple(map(str, items))


def check_schema(value: object) -> str:
    if not isinstance(value, dict) or value.get("type") != "object":
        raise Wrong('must be a JSON schema whose "type" is object')
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        raise Wrong("must be plain JSON") from None

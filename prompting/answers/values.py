"""Reader for the list of values in an answer that was asked for as JSON, whatever the model made of that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from .clean import unquote
from .protect import TAKEN_OUT

_NUMBERING = re.compile(r"^\s*(?:[-*•–]\s+|\(?\d{1,3}[.):]\s+)")
# In characters: about two hundred words. Anything longer is talk.
_LONGEST_VALUE = 1500


def read_values(text: str) -> tuple[list[str], str]:
    """Return (values, warning) from an answer: JSON as asked, JSON amid talk, mended JSON, or lines.

    The values are tidied but not yet made distinct; the warning is empty unless something was mended.
    """
    for candidate in (text, _outermost(text, "{", "}"), _outermost(text, "[", "]")):
        if candidate:
            try:
                return _tidied(json.loads(candidate)), ""
            except (ValueError, RecursionError):
                continue
    start = min((place for place in (text.find("{"), text.find("[")) if place >= 0), default=-1)
    if start >= 0:
        mended = _mend(text[start:])
        if mended:
            return mended, "The answer was not proper JSON and was mended."
    lines = [line.strip().rstrip(",") for line in text.splitlines()]
    lines = [line for line in lines if line and not line.endswith((":", "[", "{"))]
    if len(lines) == 1 and lines[0].count(",") >= 2:
        lines = lines[0].split(",")
    return _tidied(lines), "The answer was no JSON and was read line by line."


def _mend(text: str) -> list[str]:
    try:
        from json_repair import loads
    except ImportError:
        return []
    try:
        return _tidied(loads(text))
    except (ValueError, RecursionError):
        return []


def _outermost(text: str, opening: str, closing: str) -> str:
    start, end = text.find(opening), text.rfind(closing)
    return text[start : end + 1] if 0 <= start < end else ""


def _tidied(answer: object) -> list[str]:
    tidy = (_tidy(item) for item in _items(answer))
    return [value for value in tidy if value]


def _items(answer: object) -> Iterable[object]:
    """Return the list in an answer: the answer itself, its list under ``values``, or the only list it has."""
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        named = answer.get("values")
        if isinstance(named, list):
            return named
        return lists[0] if lists else answer.values()
    return answer if isinstance(answer, list) else [answer]


def _tidy(item: object) -> str:
    """Return one value as plain text on one line; for an object its longest text."""
    if isinstance(item, dict):
        item = max((value for value in item.values() if isinstance(value, str)), key=len, default="")
    if not isinstance(item, (str, int, float)) or isinstance(item, bool):
        return ""
    value = " ".join(TAKEN_OUT.sub("", str(item)).split())
    value = unquote(_NUMBERING.sub("", value).strip(" ,")).strip(" ,")
    return value if len(value) <= _LONGEST_VALUE and any(c.isalnum() for c in value) else ""

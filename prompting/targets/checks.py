"""Checks of single values in a target's file, and the errors that tell what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ...safe_yaml import UnreadableYaml


class BrokenTarget(UnreadableYaml):
    """Error for a file that is YAML but not a target. The text names file, line and field."""


class Wrong(ValueError):
    """Reason why a value does not fit its field, as the end of a sentence."""


def line_of(path: Path, field: str) -> int | None:
    """Return the line (from 1) on which a field of `path` begins, for error messages."""
    try:
        text = path.read_bytes()[: 256 * 1024].decode("utf-8-sig", errors="replace")
    except OSError:
        return None
    pattern = re.compile(rf"""["']?{re.escape(field)}["']?\s*:""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def kind_of(value: object) -> str:
    if isinstance(value, dict):
        return "fields"
    if isinstance(value, list):
        return "a list"
    return f'only "{str(value)[:40]}"'


def check_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Wrong(f"must be text, not {_named(value)}")
    text = str(value)
    if len(text) > 8000:
        raise Wrong("is longer than 8000 characters")
    return text


def check_name(value: object) -> str:
    text = " ".join(check_text(value).split())
    if not text or len(text) > 80:
        raise Wrong("must be a name of 1 to 80 characters")
    return text


def check_texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if len(items) > 200:
        raise Wrong("has more than 200 entries")
    texts = []
    for number, item in enumerate(items, 1):
        if isinstance(item, dict):
            raise Wrong(f"has an entry {number} that YAML reads as a mapping; put it in quotes")
        text = " ".join(check_text(item).split())
        if text:
            texts.append(text)
    return tuple(texts)


def check_flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("yes", "on", "no", "off"):
        return value.lower() in ("yes", "on")
    raise Wrong("must be true or false")


def check_choice(options: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in options:
            raise Wrong(f"must be one of {', '.join(options)}, not {_named(value)}")
        return str(value)

    return check


def check_some(options: tuple[str, ...]) -> Callable[[object], tuple[str, ...]]:
    def check(value: object) -> tuple[str, ...]:
        texts = check_texts(value)
        for text in texts:
            if text not in options:
                raise Wrong(f"must contain only {', '.join(options)}, not {_named(text)}")
        return texts

    return check


def check_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise Wrong(f"must be a whole number above 0, not {_named(value)}")
    return value


def check_range(what: str, example: str) -> Callable[[object], tuple[int, int]]:
    """Return the check of a pair of numbers, the smaller one first."""

    def check(value: object) -> tuple[int, int]:
        if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d{1,6})\s*[-–]\s*(\d{1,6})\s*", value)):
            value = [int(found[1]), int(found[2])]
        if not isinstance(value, list) or len(value) != 2:
            raise Wrong(f"must be the minimum and maximum number of {what}, such as {example}")
        fewest, most = (check_count(item) for item in value)
        if fewest > most:
            raise Wrong(f"must have the smaller number first, such as [{most}, {fewest}]")
        return fewest, most

    return check


def check_languages(value: object) -> tuple[str, ...]:
    codes = tuple(code.lower() for code in check_texts(value))
    for code in codes:
        if not re.fullmatch(r"any|[a-z]{2,3}(-[a-z]{2,4})?", code):
            raise Wrong(f'must contain language codes such as en or zh, or any, not "{code[:20]}"')
    if not codes:
        raise Wrong("must name at least one language, such as [en]")
    return codes


def _named(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "nothing" if value is None else f'"{str(value)[:40]}"'

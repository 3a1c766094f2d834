"""Briefs as users write them: options of a command, fields of a call, columns of a file."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from ..tasks import ASPECTS, LANGUAGES, LONGEST_SECONDS, MOST_REFERENCES, Brief
from .references import read_jobs, referred_to

OPEN_VALUES = ("", "auto")
_ASPECT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*[:/x×]\s*(\d{1,4}(?:\.\d{1,3})?)")
_SECONDS = re.compile(r"([\d.,]{1,9})\s*(?:s|sec|seconds)?", re.IGNORECASE)


class UnreadableBrief(ValueError):
    """Error for a value that is none of its kind. The text is one sentence that says what is."""


def read_brief(duration: Any = 0, aspect: Any = "", language: Any = "", reference_roles: Any = "") -> Brief:
    """Return the brief that these values make; 0, "" and ``auto`` leave a thing open.

    `reference_roles` has a line, or an entry, for each picture. Raises `UnreadableBrief`.
    """
    return Brief(_duration(duration), _aspect(aspect), _language(language), _references(reference_roles))


def _duration(value: Any) -> float:
    said = unicodedata.normalize("NFKC", str(value)).strip()
    if value is None or said.casefold() in OPEN_VALUES:
        return 0.0
    found = _SECONDS.fullmatch(said)
    try:
        seconds = float(found[1].replace(",", ".")) if found else math.nan
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise UnreadableBrief(
            f"The duration {_shown(value)} is not a number of seconds up to {LONGEST_SECONDS:g}; "
            "write one such as 8."
        )
    return seconds


def _aspect(value: Any) -> str:
    # Chinese and Japanese keyboards write a wide colon and wide digits.
    said = unicodedata.normalize("NFKC", str(value or "")).strip()
    if said.casefold() in OPEN_VALUES:
        return ""
    found = _ASPECT.fullmatch(said)
    if found is None or not (float(found[1]) and float(found[2])):
        raise UnreadableBrief(
            f"The aspect {_shown(value)} is not a ratio of width and height; write one such as "
            f"{ASPECTS[-4]} or {ASPECTS[0]}."
        )
    return f"{found[1]}:{found[2]}"


def _language(value: Any) -> str:
    said = str(value or "").strip().casefold()
    if said in OPEN_VALUES:
        return ""
    by_name = {name.casefold(): code for code, name in LANGUAGES.items()}
    code = said if said in LANGUAGES else by_name.get(said)
    if code is None:
        raise UnreadableBrief(
            f"The language {_shown(value)} is unknown here; choose one of {', '.join(LANGUAGES)}."
        )
    return code


def _references(value: Any) -> tuple[Any, ...]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    text = "\n".join(map(str, value)) if is_list else str(value or "")
    count = referred_to(text)
    if count > MOST_REFERENCES:
        raise UnreadableBrief(f"The reference roles are for {count} images; {MOST_REFERENCES} are the most.")
    return read_jobs(text, count)


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return f'"{text if len(text) <= 40 else text[:40] + "…"}"'

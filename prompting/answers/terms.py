"""Terms of a list of tags or phrases that are left out of what a small model wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..targets.fitting import split_terms, term_key

LISTS = ("tags", "phrases")
# Words of our own that come back as if they were to be drawn.
_ECHO = re.compile(
    r"(?i)\A(?:\d+ to \d+ |\d+ )?(?:tags|words|short phrases|tags in lower case)\Z|\Aseparated by commas\Z"
    r"|\Ain english\Z|\Akeep everything the idea names\Z"
    r"|\A(?:and )?add what a picture needs\Z|\A(?:idea|name):"
)


def sifted(text: str, excluded: Sequence[str] = ()) -> str:
    """Return a list without terms that repeat others, hold a word of `excluded`, or echo our request."""
    seen: set[str] = set()
    kept = []
    out = _any_of(excluded)
    for term in split_terms(text):
        key = term_key(term)
        if key and key not in seen and not _ECHO.search(term) and not (out and out.search(term)):
            seen.add(key)
            kept.append(term)
    return ", ".join(kept)


def _any_of(words: Sequence[str]) -> re.Pattern[str] | None:
    each = [rf"{re.escape(word.removesuffix('s'))}(?:e?s)?" for word in words if word]
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(each)})(?!\w)") if each else None

"""Escapes, and the weights before values."""

from __future__ import annotations

import re

TAGS = r"<(?:[\w ./\-]{1,80}:)?(?:\[[^\[\]<>\n]{1,80}\])+>"
"""Pattern of Umi's ``<[tag]>``."""

WEIGHT = re.compile(r"\s*(?P<weight>\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*::")

_NEEDS_ESCAPE = re.compile(rf"[{{}}|]|_(?=_)|(?<=_)_|(?<=\\)_|(?={TAGS})<")


def split_weight(value: str) -> tuple[float, str]:
    """Return weight and text of a library value: ``0.5::fox`` is (0.5, "fox"), ``fox`` is (1.0, "fox")."""
    found = WEIGHT.match(value)
    if not found:
        return 1.0, value
    return float(found["weight"]), value[found.end() :].strip()


def literal(text: str) -> str:
    """Escape `text` so that, put into a template, it comes out as it is."""
    return _NEEDS_ESCAPE.sub(r"\\\g<0>", text)


def literal_value(text: str) -> str:
    """Escape `text` for a line of a library file, as is done with what a model wrote."""
    return ("1::" if WEIGHT.match(text) else "") + literal(text)

"""The spelling of tags in a target's manner."""

from __future__ import annotations

import re

from ..targets import Target

# Faces such as ^_^, and the tags that models were trained on with their underscores.
_KEPT = re.compile(r"(?!.*[^\W\d_]{2}).*|(?:score|source|rating|style_cluster)_.*", re.S)


def spelled(name: str, target: Target, *, is_artist: bool = False) -> str:
    """Return a board's `name` as the target wants it in a prompt."""
    text = name if target.underscores or _KEPT.fullmatch(name) else name.replace("_", " ")
    if target.weights:  # a bare bracket would be read as a weight
        text = re.sub(r"([()])", r"\\\1", text)
    return f"{target.artist_mark}{text}" if is_artist else text

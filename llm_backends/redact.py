"""Redaction of keys in every text that a person or a log gets to see."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .types import REDACTED, Secret

# Shapes of keys that providers echo in their error bodies. A shape here costs nothing when it is wrong.
_SHAPES = re.compile(
    r"""(?x)
    \b(?:sk|pk|rk|gsk|xai|hf|r8|co|key|ghp|tgp|csk|nvapi)[-_][A-Za-z0-9_\-]{12,}   # prefixed tokens
    | \bAIza[A-Za-z0-9_\-]{20,}                                                # Google
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                                             # AWS
    | (?<=Bearer\s)[A-Za-z0-9._~+/\-]{8,}=*
    | (?<=[?&]key=)[^&\s"']+
    """
)
_SHORTEST = 6


def scrub(text: str, secrets: Iterable[Secret | None] = ()) -> str:
    """Replace the given secrets, and all that looks like a key, in `text` by ``***``."""
    for secret in secrets:
        value = secret.reveal() if secret is not None else ""
        if len(value) >= _SHORTEST:
            text = text.replace(value, REDACTED)
    return _SHAPES.sub(REDACTED, text)

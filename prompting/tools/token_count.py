"""prompt.token_count: how long a prompt is for the image model that reads it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ...llm_backends.accounting.estimate import tokens_of
from ...llm_backends.tools import registry
from .target_tools import TARGET, find

# Models that read 75 tokens read with CLIP; longer prompts are cut into pieces of as many.
CLIP_LIMIT = 77
# Weights and their brackets never reach the tokenizer.
_WEIGHTS = re.compile(r":\d+(?:\.\d+)?(?=\))|(?<!\\)[()]")
_PIECES = re.compile(r"[A-Za-z]+|[0-9]|[^\sA-Za-z0-9]")
# Common words are one token for CLIP; from about so many letters on they are two and more.
_LETTERS_A_TOKEN = 9


def register(targets_folder: Callable[[], Path | None], count_clip: Callable[[str], int | None]) -> None:
    registry.register(
        "prompt.token_count",
        "Counts the tokens of a prompt, and says whether they are within the limit of an image model. "
        "`is_estimate` tells that no tokenizer was at hand, so that the count is a rough one.",
        {
            "type": "object",
            "properties": {"text": {"type": "string", "maxLength": 50_000}, "target": TARGET},
            "required": ["text"],
        },
        partial(_count, targets_folder, count_clip),
        replace=True,
    )


def _count(
    targets_folder: Callable[[], Path | None],
    count_clip: Callable[[str], int | None],
    text: str,
    target: str = "",
) -> dict[str, Any]:
    limit = find(target, targets_folder()).limit_tokens if target.strip() else None
    reads_with_clip = limit is not None and limit <= CLIP_LIMIT
    counted = count_clip(text) if reads_with_clip else None
    tokens = counted if counted is not None else estimate_clip(text) if reads_with_clip else tokens_of(text)
    answer = {"tokens": tokens, "is_estimate": counted is None, "words": len(text.split())}
    if limit is None:
        return answer
    return {**answer, "limit": limit, "fits": tokens <= limit}


def estimate_clip(text: str) -> int:
    """Estimate how many tokens CLIP makes of `text`: one for a common word, a digit and a sign."""
    pieces = _PIECES.findall(_WEIGHTS.sub("", text))
    return sum(math.ceil(len(piece) / _LETTERS_A_TOKEN) if piece.isascii() else 2 for piece in pieces)

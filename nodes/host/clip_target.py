"""Recognition of the image model that a prompt is for, and its count of tokens, from a wired text encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...config.settings.home import targets_folder
from ...prompting import targets

# Tokens that CLIP reads at once, start and end included.
_PIECE = 77


def target_of_clip(clip: Any) -> targets.Target | None:
    """Return the target of ComfyUI's `clip` object, None where there is none or its model is not known."""
    if clip is None:
        return None
    encoder = getattr(clip, "cond_stage_model", None)
    tokenizer = getattr(clip, "tokenizer", None)
    if encoder is None:
        return None
    return targets.for_encoder(_path(encoder), _path(tokenizer), targets_folder())


def token_counter(clip: Any, limit: int | None) -> Callable[[str], int] | None:
    """Return what counts the tokens of a text as ComfyUI's `clip` does, None where it cannot be told.

    Of several tokenizers CLIP's is meant where `limit` tokens are one piece for it, else the one that reads
    most. One that fails counts 0: no run of the host's ends for that.
    """
    readers = [
        reader
        for reader in getattr(getattr(clip, "tokenizer", None), "__dict__", {}).values()
        if callable(getattr(reader, "tokenizer", None))
        and isinstance(getattr(reader, "max_length", None), int)
    ]
    if limit is None or not readers:
        return None
    read = (max if limit > _PIECE else min)(readers, key=lambda reader: reader.max_length).tokenizer

    def count(text: str) -> int:
        try:
            return len(read(text)["input_ids"]) - len(read("")["input_ids"])
        except (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError):
            return 0

    return count


def _path(thing: Any) -> str:
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}" if thing is not None else ""

"""Recognition of the image model that a prompt is for, and its count of tokens, from a wired text encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...config.settings.home import targets_folder
from ...prompting import targets

# Tokens that CLIP reads at once, start and end included.
_PIECE = 77


# Loaders lie behind LoRAs and the like.
_DEEPEST = 50


def target_of_clip(clip: Any, checkpoint: str = "") -> targets.Target | None:
    """Return the target of ComfyUI's `clip` object, None where there is none or its model is not known.

    `checkpoint` is the file that it comes from, whose name tells apart models with the same text encoder.
    """
    if clip is None:
        return None
    encoder = getattr(clip, "cond_stage_model", None)
    tokenizer = getattr(clip, "tokenizer", None)
    if encoder is None:
        return None
    return targets.for_encoder(_path(encoder), _path(tokenizer), targets_folder(), checkpoint)


def checkpoint_behind(prompt: Mapping[str, Any] | None, node_id: str | None) -> str:
    """Return the checkpoint's file that the `clip` of a node comes from, "" where none is named.

    `prompt` is the graph in the host's API format.
    """
    for _ in range(_DEEPEST):
        node = (prompt or {}).get(str(node_id)) or {}
        inputs = node.get("inputs") or {}
        name, link = inputs.get("ckpt_name"), inputs.get("clip")
        if isinstance(name, str):
            return name
        if not isinstance(link, list) or not link:
            return ""
        node_id = link[0]
    return ""


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

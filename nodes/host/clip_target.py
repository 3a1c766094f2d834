"""Recognition of the image model that a prompt is for, from a wired text encoder."""

from __future__ import annotations

from typing import Any

from ...config.settings.home import targets_folder
from ...prompting import targets


def target_of_clip(clip: Any) -> targets.Target | None:
    """Return the target of ComfyUI's `clip` object, None where there is none or its model is not known."""
    if clip is None:
        return None
    encoder = getattr(clip, "cond_stage_model", None)
    tokenizer = getattr(clip, "tokenizer", None)
    if encoder is None:
        return None
    return targets.for_encoder(_path(encoder), _path(tokenizer), targets_folder())


def _path(thing: Any) -> str:
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}" if thing is not None else ""

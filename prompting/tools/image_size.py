"""image.size: width and height for an aspect ratio, in the steps that the image model takes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ...llm_backends.tools import registry
from .target_tools import TARGET, find

MEGAPIXEL = 1024 * 1024
_RATIO = re.compile(r"\s*(\d{1,5}(?:\.\d{1,5})?)\s*(?:[:x×/]\s*(\d{1,5}(?:\.\d{1,5})?)\s*)?")
_MOST_STRETCHED = 8.0

# (beginning of the target's id, megapixels that the model was trained at, step in pixels).
_USUAL = (
    ("sd15", 0.25, 64),
    ("sdxl", 1.0, 64),
    ("pony", 1.0, 64),
    ("illustrious", 1.0, 64),
    ("noobai", 1.0, 64),
    ("animagine", 1.0, 64),
    ("qwen_image_edit", 1.0, 16),
    ("qwen_image", 1.68, 16),
    ("hunyuan_image_2_1", 4.0, 32),
    ("hunyuan_video", 0.88, 16),
    ("sana", 1.0, 32),
    ("wan_2_1", 0.38, 16),
    ("wan_2_2", 0.88, 16),
    ("ltx_video", 0.375, 32),
    ("ltx_2", 0.88, 32),
)
_OTHERS = (1.0, 16)


def register(targets_folder: Callable[[], Path | None]) -> None:
    registry.register(
        "image.size",
        "Gives width and height in pixels for an aspect ratio, as the image model was trained, in the steps "
        "that it takes.",
        {
            "type": "object",
            "properties": {
                "ratio": {
                    "type": "string",
                    "maxLength": 40,
                    "description": "Width to height, such as 16:9 or 1.5.",
                },
                "target": TARGET,
                "megapixels": {
                    "type": "number",
                    "minimum": 0.05,
                    "maximum": 64,
                    "description": "In place of what the model was trained at; one is 1024 by 1024.",
                },
                "step": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 256,
                    "description": "Both sides become multiples of this, in place of the model's own step.",
                },
            },
            "required": ["ratio"],
        },
        partial(_size, targets_folder),
        replace=True,
    )


def _size(
    targets_folder: Callable[[], Path | None],
    ratio: str,
    target: str = "",
    megapixels: float | None = None,
    step: int | None = None,
) -> dict[str, Any]:
    known = find(target, targets_folder()).id if target.strip() else ""
    usual_area, usual_step = next((row[1:] for row in _USUAL if known.startswith(row[0])), _OTHERS)
    step = step or usual_step
    width, height = fit(_read(ratio), (megapixels or usual_area) * MEGAPIXEL, step)
    area = round(width * height / MEGAPIXEL, 2)
    return {"width": width, "height": height, "megapixels": area, "step": step}


def fit(ratio: float, area: float, step: int) -> tuple[int, int]:
    """Return the sides, multiples of `step`, for about `area` pixels and about `ratio` width to height."""
    width = math.sqrt(area * ratio)
    return max(1, round(width / step)) * step, max(1, round(width / ratio / step)) * step


def _read(text: str) -> float:
    match = _RATIO.fullmatch(text)
    width, height = (float(match[1]), float(match[2] or 1)) if match else (0.0, 0.0)
    if not width or not height or not 1 / _MOST_STRETCHED <= width / height <= _MOST_STRETCHED:
        raise ValueError(
            f"{text[:40]!r} is no ratio of width to height between 1:8 and 8:1. Write it as in 16:9."
        )
    return width / height

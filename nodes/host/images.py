"""Conversion of the host's picture tensors to the JPEGs that a vision model is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...llm_backends.errors import BadRequest
from ...llm_backends.images import LONGEST_SIDE, MOST_PIXELS, encode_picture, picture_library
from ...llm_backends.types import Image

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def frames_in(batches: Sequence[Any]) -> list[Any]:
    """Return every picture of `batches` (tensors of shape (batch, height, width, channels)), in order."""
    return [frame for batch in batches if batch is not None for frame in batch]


def encode_pictures(batches: Sequence[Any], count: int) -> list[Image]:
    """Encode one JPEG for each of `count` ideas; return none where no picture is wired.

    `batches` are as in `frames_in`. The last picture serves all further ideas. Raises `errors.BadRequest`
    for batches with nothing in them.
    """
    wired = [batch for batch in batches if batch is not None]
    frames = frames_in(wired)[:count]
    if not frames:
        if wired:
            raise BadRequest(
                "The connected image input holds no image.", hint="Check the node that it comes from."
            )
        return []
    encoded = [encode_frame(frame) for frame in frames]
    return encoded + [encoded[-1]] * (count - len(encoded))


def encode_frame(frame: Any, longest_side: int = LONGEST_SIDE) -> Image:
    """Encode `frame` (height, width, channels; values from 0 to 1, NaN counts as 0) as a JPEG.

    Raises `errors.BadRequest` for one that is not a picture or is too large.
    """
    shape = tuple(int(side) for side in frame.shape)
    if len(shape) != 3 or shape[2] not in _MODES or not shape[0] or not shape[1]:
        raise BadRequest(
            f"The connected input has the shape {shape}, which is not an image.",
            hint="Check the node that it comes from.",
        )
    if shape[0] * shape[1] > MOST_PIXELS:
        raise BadRequest(
            f"The connected image has {shape[1]:,} × {shape[0]:,} pixels; language models accept up to "
            f"{MOST_PIXELS // 1_000_000} million.",
            hint="Scale it down first.",
        )
    library = picture_library()
    pixels = frame.nan_to_num(0.0).clamp(0, 1).mul(255).round().byte().cpu().numpy().tobytes()
    return encode_picture(library.frombytes(_MODES[shape[2]], (shape[1], shape[0]), pixels), longest_side)

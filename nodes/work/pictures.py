"""From the host's picture tensors to what a model that sees is sent."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from ...llm_backends.types import Image

LONGEST_SIDE = 1024
_QUALITY = 90


def encode_pictures(batches: Sequence[Any], count: int) -> list[Image]:
    """One JPEG for each of `count` ideas, none where no picture is wired.

    `batches` are tensors of shape (batch, height, width, channels), values 0 to 1. The last picture
    serves all further ideas.
    """
    frames = [frame for batch in batches if batch is not None for frame in batch][:count]
    if not frames:
        return []
    encoded = [_encode(frame) for frame in frames]
    return encoded + [encoded[-1]] * (count - len(encoded))


def _encode(frame: Any) -> Image:
    from PIL import Image as Picture

    pixels = (frame[..., :3].clamp(0, 1) * 255).round().byte().cpu().numpy()
    picture = Picture.fromarray(pixels)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = BytesIO()
    picture.save(data, format="JPEG", quality=_QUALITY)
    return Image("image/jpeg", data.getvalue())

"""Frames of video files for vision models, read with PyAV where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import BadRequest, DependencyMissing
from .host import program
from .images import MOST_PIXELS, encode_picture
from .types import Image


def read_frames(file: Path, most: int, longest_side: int) -> list[Image]:
    """Return up to `most` frames of the video `file`, evenly spread, at most `longest_side` pixels long.

    Raises `errors.BadRequest` for a file that is no video or damaged, and `errors.DependencyMissing` without
    PyAV.
    """
    library = _library()
    try:
        with library.open(str(file)) as container:
            frames = _spread(container, container.streams.video[0], most)
            pictures = [frame.to_image() for frame in frames]
    except BadRequest:
        raise
    except Exception:  # noqa: BLE001 - a decoder says "no video" in a dozen ways
        pictures = []
    if not pictures:
        raise BadRequest("The video file is damaged or of an unknown format.", hint="Save it as an MP4 file.")
    return [encode_picture(picture, longest_side) for picture in pictures]


def _spread(container: Any, stream: Any, most: int) -> list[Any]:
    """Return the frames nearest to `most` moments from the first to the last, each once and in order."""
    if stream.width * stream.height > MOST_PIXELS:
        raise BadRequest(
            f"The video has frames of {stream.width:,} × {stream.height:,} pixels; the limit is "
            f"{MOST_PIXELS // 1_000_000} million pixels.",
            hint="Scale it down first.",
        )
    base = float(stream.time_base)
    seconds = stream.duration * base if stream.duration else (container.duration or 0) / 1_000_000
    first = (stream.start_time or 0) * base
    chosen: list[Any] = []
    wanted = [first + seconds * place / most for place in range(most)] if seconds else [first]
    for frame in container.decode(stream):
        if len(chosen) < len(wanted) and (frame.time is None or frame.time >= wanted[len(chosen)] - 1e-6):
            chosen.append(frame)
        if len(chosen) == len(wanted):
            break
    return chosen


def _library() -> Any:
    try:
        import av
    except ImportError:
        raise DependencyMissing(
            "Videos need the Python package av, which is not installed.",
            hint=f"Run `pip install av` in {program()}'s Python environment.",
        ) from None
    return av

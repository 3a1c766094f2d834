"""Pictures for vision models: checked, scaled once, encoded once.

Nothing is decoded before its size is known, and every picture is sent as a plain JPEG without camera
metadata.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

from .errors import BadRequest, DependencyMissing
from .host import program
from .types import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

LONGEST_SIDE = 1024
MOST_BYTES = 20 * 2**20
MOST_PIXELS = 64_000_000
# Below this some models have not one patch to look at; a wider one is stretched, which costs a line nothing.
SMALLEST_SIDE = 32

# The modes in which a picture without holes is scaled and encoded, those that are not named in RGB.
_KEPT_MODES = {"1": "L", "L": "L", "YCbCr": "YCbCr"}

# By name, because some of the library's other readers start programs (Ghostscript for EPS).
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_WANTED = "Send a JPEG, PNG, WebP, GIF, BMP or TIFF file"
_QUALITY = 90
# A file that may go out as it came has no more than this, and none of these: a phone notes where it was.
_KEPT_BYTES = 2 * 2**20
_NOTES = frozenset({"exif", "xmp", "comment", "photoshop"})
_LARGEST_16_BIT = 65535
# Above this, Pillow decodes a JPEG at a part of its size, which costs less than FFmpeg's way does.
_MOST_BY_FFMPEG = 3
_ORIENTATION = 0x0112
_LARGEST_BLOCK = 24 * 2**20
# The scaler of each thread, whose filters serve for all pictures of one size.
_kept = threading.local()


def read_picture(data: bytes, longest_side: int = LONGEST_SIDE) -> Image:
    """Read the picture in the file `data` (an animation's first frame), at most `longest_side` pixels long.

    It is upright, on white where it was transparent. A JPEG that is so already stays as it is. Raises
    `errors.BadRequest` with the limit for a file that is no picture, damaged or too large, and
    `errors.DependencyMissing` without Pillow.
    """
    library = picture_library()
    if not data:
        raise BadRequest("The image file is empty.", hint=f"{_WANTED}.")
    if len(data) > MOST_BYTES:
        raise BadRequest(
            f"The image file has {len(data):,} bytes; the limit is {MOST_BYTES:,}.",
            hint="Scale it down, or save it as a JPEG.",
        )
    picture = _opened(library, data)
    try:
        is_fit = _is_fit(picture, data, longest_side)
        if not is_fit and (scaled := _scaled_by_ffmpeg(picture, data, longest_side)):
            return encode_picture(scaled, longest_side)
        # One that goes out as it came is decoded at an eighth of its size, which shows damage as well.
        picture.draft(None, (1, 1) if is_fit else (longest_side, longest_side))
        picture.load()
    except Exception:  # noqa: BLE001 - whatever a decoder may make of a broken file
        raise BadRequest(
            "The image file is damaged or incomplete.", hint="Save or upload it again."
        ) from None
    return Image("image/jpeg", data) if is_fit else encode_picture(_upright(picture), longest_side)


def encode_picture(picture: Pixels, longest_side: int = LONGEST_SIDE) -> Image:
    """Encode Pillow's `picture` of any mode as a JPEG of that size at most, on white where transparent."""
    library = picture_library()
    plain = _eight_bits(picture)
    has_holes = plain.mode in ("RGBA", "LA", "PA") or "transparency" in plain.info
    mode = "RGBA" if has_holes else _KEPT_MODES.get(plain.mode, "RGB")
    plain = plain if plain.mode == mode else plain.convert(mode)
    size = _size(plain.size, longest_side)
    if size != plain.size:
        # Two thirds of the time that Lanczos takes for a picture of two megapixels.
        plain = plain.resize(size, library.Resampling.HAMMING, reducing_gap=2.0)
    if has_holes:
        ground = library.new("RGB", plain.size, "white")
        ground.paste(plain, mask=plain.getchannel("A"))
        plain = ground
    file = BytesIO()
    plain.save(file, format="JPEG", quality=_QUALITY)
    return Image("image/jpeg", file.getvalue())


def pixels_of(image: Image) -> Pixels:
    """Decode `image` in the mode RGB, no larger than pictures are sent: for a model in this process.

    Raises `errors.BadRequest`.
    """
    library = picture_library()
    picture = _opened(library, image.data)
    try:
        size = _size(picture.size, LONGEST_SIDE)
        plain = picture.convert("RGB")
        return plain if size == plain.size else plain.resize(size, library.Resampling.HAMMING)
    except Exception:  # noqa: BLE001 - as in `read_picture`
        raise BadRequest("The image file is damaged or incomplete.") from None


def picture_library() -> Any:
    """The module ``PIL.Image``. Raises `errors.DependencyMissing` where it is not installed."""
    try:
        import PIL.Image
    except ImportError:
        raise DependencyMissing(
            "Images need the Python package Pillow, which is not installed.",
            hint=f"Run `pip install pillow` in {program()}'s Python environment.",
        ) from None
    return PIL.Image


@functools.cache
def av_library() -> Any:
    """The module ``av``, None where it is not installed."""
    try:
        import av
    except ImportError:
        return None
    # Linux' malloc would give the memory of each picture back and take it anew, page by page, which costs as
    # much as the decoding does, until it has seen a block of this size go.
    bytearray(_LARGEST_BLOCK)
    return av


def _opened(library: Any, data: bytes) -> Pixels:
    """Open the picture by its header, and refuse too large a one before it is decoded."""
    library.init()
    known = [name for name in _FORMATS if name in library.OPEN]
    try:
        with warnings.catch_warnings():
            # Our own limit is lower, and its sentence says enough.
            warnings.simplefilter("ignore", library.DecompressionBombWarning)
            picture = library.open(BytesIO(data), formats=known)
        width, height = picture.size
    except library.DecompressionBombError:
        raise _too_large("The image is far larger than the limit") from None
    except Exception:  # noqa: BLE001 - the library says "no picture" in a dozen ways
        raise BadRequest("The file is not an image that can be read.", hint=f"{_WANTED}.") from None
    if width * height > MOST_PIXELS:
        raise _too_large(f"The image has {width:,} × {height:,} pixels")
    return picture


def _scaled_by_ffmpeg(picture: Pixels, data: bytes, longest_side: int) -> Pixels | None:
    """Decode the JPEG in `data`, opened as `picture`, and scale it in its own planes.

    With PyAV, which every ComfyUI has, that takes half of the time and is nearer to a Lanczos filter than
    Pillow's way. None where it is not installed, where Pillow's way is faster, and for a picture or a fault
    that is left to Pillow.
    """
    library = av_library()
    is_larger = longest_side < max(picture.size) < _MOST_BY_FFMPEG * longest_side
    if library is None or not is_larger or (picture.format, picture.mode) != ("JPEG", "RGB"):
        return None
    try:
        if picture.getexif().get(_ORIENTATION, 1) != 1:
            return None
        decoder = library.CodecContext.create("mjpeg", "r")
        decoder.thread_count = 1
        # FFmpeg would paint over what is damaged.
        decoder.options = {"err_detect": "explode"}
        (frame,) = decoder.decode(library.Packet(data))
        if (frame.width, frame.height) != picture.size or not frame.format.name.startswith("yuv"):
            return None
        size = _size(picture.size, longest_side)
        planes = _rescaled(frame, size).planes
    except Exception:  # noqa: BLE001 - as in `read_picture`
        return None
    pillow = picture_library()
    # The frame's own memory; `merge` copies it.
    bands = [
        pillow.frombuffer("L", size, memoryview(plane), "raw", "L", plane.line_size, 1) for plane in planes
    ]
    return pillow.merge("YCbCr", bands)


def _rescaled(frame: Any, size: tuple[int, int]) -> Any:
    if not hasattr(_kept, "scaler"):
        from av.video.reformatter import VideoReformatter

        _kept.scaler = VideoReformatter()
    how = {"format": "yuvj444p", "interpolation": "BICUBIC"}
    try:
        # Else newer releases of PyAV begin a thread for each processor, for every picture.
        return _kept.scaler.reformat(frame, *size, **how, threads=1)
    except TypeError:  # an older one
        return _kept.scaler.reformat(frame, *size, **how)


def _too_large(what: str) -> BadRequest:
    return BadRequest(
        f"{what}; the limit is {MOST_PIXELS // 1_000_000} million pixels.", hint="Scale it down first."
    )


def _is_fit(picture: Pixels, data: bytes, longest_side: int) -> bool:
    return (
        picture.format == "JPEG"
        and picture.mode in ("RGB", "L")
        and _size(picture.size, longest_side) == picture.size
        and len(data) <= _KEPT_BYTES
        and not _NOTES & picture.info.keys()
    )


def _size(size: tuple[int, int], longest_side: int) -> tuple[int, int]:
    scale = min(1.0, longest_side / max(size))
    width, height = (max(SMALLEST_SIDE, round(side * scale)) for side in size)
    return width, height


def _upright(picture: Pixels) -> Pixels:
    from PIL import ImageOps

    # In place, because the copy of one that is upright already costs as much as its encoding does. A camera's
    # notes may be broken where the picture is not.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _eight_bits(picture: Pixels) -> Pixels:
    """Bring greys of 16 or more bits, which the library would clip, to eight."""
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    if picture.mode not in ("I", "F"):
        return picture
    low, high = (float(end) for end in picture.getextrema())
    if picture.mode == "I":
        low, high = min(low, 0.0), _LARGEST_16_BIT if high <= _LARGEST_16_BIT else high
    scale = 255 / (high - low) if high > low else 1.0
    return picture.point(lambda value: value * scale - low * scale).convert("L")

"""Uploaded files and pictures out of a host: their conversion, and refusals before they are decoded."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from quillwork.llm_backends.errors import BadRequest
from quillwork.llm_backends.images import (
    MOST_BYTES,
    MOST_PIXELS,
    SMALLEST_SIDE,
    av_library,
    encode_picture,
    pixels_of,
    read_picture,
)
from quillwork.llm_backends.types import Image

Picture = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["without PyAV", "with PyAV"], autouse=True)
def scaling(request, monkeypatch):
    """Both ways to scale a JPEG that is a little too large."""
    if request.param == "without PyAV":
        monkeypatch.setitem(sys.modules, "av", None)
    else:
        pytest.importorskip("av", reason="this way to scale needs PyAV")
    av_library.cache_clear()
    yield request.param
    av_library.cache_clear()


def file_of(picture, form: str, **more) -> bytes:
    file = BytesIO()
    picture.save(file, format=form, **more)
    return file.getvalue()


def decoded(image: Image):
    assert image.media_type == "image/jpeg"
    picture = Picture.open(BytesIO(image.data))
    assert picture.format == "JPEG"
    picture.load()
    return picture


def near(pixel, wanted, by: int = 12) -> bool:
    pixel = pixel if isinstance(pixel, tuple) else (pixel,) * 3
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header_only(width: int, height: int) -> bytes:
    """A PNG that says it is so large and has no pixels to speak of."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64))


def test_a_large_picture_is_scaled_once():
    image = read_picture(file_of(Picture.new("RGB", (3000, 1500), "teal"), "PNG"))
    assert decoded(image).size == (1024, 512)
    assert near(decoded(image).getpixel((500, 250)), (0, 128, 128))


def test_a_jpeg_that_fits_stays_as_it_is():
    data = file_of(Picture.new("RGB", (640, 480), "teal"), "JPEG")
    assert read_picture(data).data is data
    assert read_picture(data, 320).data is not data
    assert decoded(read_picture(data, 320)).size == (320, 240)


def test_what_the_camera_noted_does_not_leave():
    exif = Picture.Exif()
    exif[0x010E] = "at home, 48.1372 N"
    data = file_of(Picture.new("RGB", (640, 480), "teal"), "JPEG", exif=exif)
    assert b"48.1372" in data
    assert b"48.1372" not in read_picture(data).data


def test_a_picture_that_the_camera_laid_on_its_side_stands_upright():
    upright = Picture.new("RGB", (60, 40), "white")
    upright.paste("red", (0, 0, 60, 10))
    exif = Picture.Exif()
    exif[0x0112] = 6
    lying = upright.transpose(Picture.Transpose.ROTATE_90)
    picture = decoded(read_picture(file_of(lying, "JPEG", exif=exif, quality=95)))
    assert picture.size == (60, 40)
    assert near(picture.getpixel((30, 3)), (254, 0, 0), 40)


def detailed(mode: str = "RGB", size: tuple[int, int] = (1632, 1224)):
    """A picture of soft colours with a fine pattern: rings that grow narrower."""
    gradient = Picture.radial_gradient("L").resize(size)
    rings = gradient.point([(value * value // 40) % 256 for value in range(256)])
    bands = (rings, gradient, Picture.linear_gradient("L").resize(size))
    return Picture.merge("RGB", bands).convert(mode)


@pytest.mark.parametrize(
    ("mode", "how"),
    [
        ("RGB", {}),
        ("RGB", {"subsampling": 0}),
        ("RGB", {"subsampling": 1}),
        ("RGB", {"progressive": True}),
        ("RGB", {"keep_rgb": True}),
        ("L", {}),
        ("CMYK", {}),
    ],
    ids=lambda value: " ".join(value) or "plain" if isinstance(value, dict) else value,
)
def test_a_jpeg_that_is_a_little_too_large_keeps_its_colours(mode, how):
    """Check against a Lanczos filter, the best there is, which takes twice as long."""
    picture = detailed(mode)
    shown = decoded(read_picture(file_of(picture, "JPEG", quality=95, **how)))
    wanted = picture.resize((1024, 768), Picture.Resampling.LANCZOS).convert("RGB")
    assert shown.size == wanted.size
    assert off(shown.convert("RGB"), wanted) < 3


def off(one, other) -> float:
    """The mean difference of two pictures in shades."""
    from PIL import ImageChops, ImageStat

    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_with_pyav_a_jpeg_is_scaled_better(scaling):
    data = file_of(detailed(), "JPEG", quality=95)
    wanted = detailed().resize((1024, 768), Picture.Resampling.LANCZOS)
    ours = off(decoded(read_picture(data)), wanted)
    by_pillow = off(decoded(encode_picture(Picture.open(BytesIO(data)))), wanted)
    assert (ours < by_pillow) is (scaling == "with PyAV")


@pytest.mark.parametrize("size", [(1025, 33), (1633, 1225), (1025, 1025), (900, 2999), (3000, 9)])
def test_a_jpeg_of_odd_sides_is_scaled(size):
    shown = decoded(read_picture(file_of(detailed(size=size), "JPEG")))
    assert max(shown.size) == 1024
    assert min(shown.size) == max(SMALLEST_SIDE, round(min(size) * 1024 / max(size)))


def test_pictures_of_several_sizes_in_turn_are_scaled_as_each_alone():
    files = [
        file_of(detailed(size=size), "JPEG", subsampling=subsampling)
        for size in [(1633, 1225), (1224, 1632), (2000, 300)]
        for subsampling in (0, 2)
    ]
    alone = []
    for data in files:
        with ThreadPoolExecutor(1) as thread:
            alone.append(thread.submit(read_picture, data).result())
    assert [read_picture(data) for data in files * 2] == alone * 2


def test_a_large_jpeg_on_its_side_stands_upright():
    exif = Picture.Exif()
    exif[0x0112] = 6
    lying = Picture.new("RGB", (1600, 1200), "white")
    lying.paste("red", (0, 0, 200, 1200))
    shown = decoded(read_picture(file_of(lying, "JPEG", exif=exif)))
    assert shown.size == (768, 1024)
    assert near(shown.getpixel((384, 20)), (254, 0, 0), 40)


def test_broken_notes_of_a_camera_cost_no_picture():
    data = file_of(detailed(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffnonsense")
    assert decoded(read_picture(data)).size == (1024, 768)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_that_is_cut_off_is_refused(share, progressive):
    data = file_of(detailed(), "JPEG", progressive=progressive)
    with pytest.raises(BadRequest, match="damaged or incomplete"):
        read_picture(data[: int(len(data) * share)])


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_transparency_becomes_white(form):
    picture = Picture.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 32, 64))
    shown = decoded(read_picture(file_of(picture, form)))
    assert near(shown.getpixel((60, 32)), (255, 255, 255))
    assert near(shown.getpixel((8, 32)), (0, 0, 255), 25)


def test_a_transparent_colour_becomes_white():
    picture = Picture.new("L", (64, 64), 7)
    picture.paste(100, (0, 0, 32, 64))
    shown = decoded(read_picture(file_of(picture, "PNG", transparency=7)))
    assert near(shown.getpixel((60, 32)), (255, 255, 255))
    assert near(shown.getpixel((8, 32)), (100, 100, 100))


def test_ink_colours_become_light():
    shown = decoded(read_picture(file_of(Picture.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG")))
    assert shown.mode == "RGB"
    assert near(shown.getpixel((32, 32)), (255, 0, 0), 40)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_greys_of_sixteen_bits_keep_their_shade(form):
    shown = decoded(read_picture(file_of(Picture.new("I;16", (64, 64), 32896), form)))
    assert near(shown.getpixel((32, 32)), (128, 128, 128), 3)


def test_floating_greys_are_spread():
    picture = Picture.new("F", (64, 64), 0.25)
    picture.paste(0.75, (0, 0, 32, 64))
    shown = decoded(read_picture(file_of(picture, "TIFF")))
    assert near(shown.getpixel((8, 32)), (255, 255, 255))
    assert near(shown.getpixel((60, 32)), (0, 0, 0))


def test_of_an_animation_the_first_picture_counts():
    first, second = Picture.new("RGB", (64, 64), "red"), Picture.new("RGB", (64, 64), "blue")
    for form in ("GIF", "WEBP", "PNG"):
        data = file_of(first, form, save_all=True, append_images=[second] * 3)
        assert near(decoded(read_picture(data)).getpixel((32, 32)), (255, 0, 0), 40), form


@pytest.mark.parametrize("size", [(1, 1), (16000, 3), (3, 16000)])
def test_a_sliver_becomes_wide_enough_to_be_seen(size):
    shown = decoded(read_picture(file_of(Picture.new("RGB", size, "red"), "PNG")))
    assert min(shown.size) == SMALLEST_SIDE
    assert max(shown.size) == (1024 if max(size) > 1 else SMALLEST_SIDE)
    assert near(shown.getpixel((8, 8)), (254, 0, 0), 20)


def test_a_picture_of_sixteen_thousand_pixels_width_is_read():
    assert decoded(read_picture(file_of(Picture.new("L", (16384, 512), 90), "JPEG"))).size == (1024, 32)


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"\0" * 4096,
    ],
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(BadRequest, match=r"not an image that can be read\. Send a JPEG"):
        read_picture(data)


def test_an_empty_file_is_refused():
    with pytest.raises(BadRequest, match="is empty"):
        read_picture(b"")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_half_a_file_is_refused(form):
    import random

    noise = Picture.frombytes("RGB", (300, 300), random.Random(1).randbytes(270_000))
    data = file_of(noise, form)
    with pytest.raises(BadRequest):
        read_picture(data[: len(data) // 2])


@pytest.mark.parametrize("size", [(16384, 16384), (12000, 12000), (9000, 9000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.parametrize("action", ["always", "error"])
def test_a_bomb_is_not_decoded_and_told_of_in_one_sentence(size, action):
    with warnings.catch_warnings(record=True) as printed:
        warnings.simplefilter(action)
        with pytest.raises(BadRequest, match=f"limit is {MOST_PIXELS // 1_000_000} million pixels"):
            read_picture(header_only(*size))
    assert not printed


def test_a_file_too_long_is_refused_with_the_limit():
    with pytest.raises(BadRequest, match=f"limit is {MOST_BYTES:,}"):
        read_picture(b"\xff" * (MOST_BYTES + 1))


def test_a_palette_and_a_drawing_are_read():
    striped = Picture.new("RGB", (64, 64), "red")
    assert near(decoded(read_picture(file_of(striped.quantize(4), "PNG"))).getpixel((9, 9)), (254, 0, 0), 20)
    assert decoded(read_picture(file_of(Picture.new("1", (64, 64), 1), "PNG"))).getpixel((9, 9)) > 250


def test_a_picture_of_the_hosts_is_encoded():
    assert decoded(encode_picture(Picture.new("RGB", (2048, 1024), "red"))).size == (1024, 512)


def test_pixels_for_a_model_in_this_process():
    assert pixels_of(encode_picture(Picture.new("L", (64, 64), 9))).mode == "RGB"
    with pytest.raises(BadRequest):
        pixels_of(Image("image/png", b"not return one"))


PROGRAM = """
import importlib.util, sys
root = sys.argv[1]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.modules["PIL"] = None
from quillwork.llm_backends.errors import DependencyMissing
from quillwork.llm_backends.images import read_picture
try:
    read_picture(b"x")
except DependencyMissing as error:
    print(error)
"""


def test_without_pillow_the_sentence_names_it():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)], capture_output=True, text=True, timeout=60
    )
    assert "need the Python package Pillow" in done.stdout, done.stderr

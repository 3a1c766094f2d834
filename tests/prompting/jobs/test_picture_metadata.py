"""Descriptions inside picture files: the picture stays what it was, byte by byte where it is a picture."""

from __future__ import annotations

import contextlib
import io
import zlib

import pytest

from quillwork.prompting.jobs.picture_metadata import content_of, description_of, with_description

pytest.importorskip("PIL")
from PIL import Image, PngImagePlugin

TEXTS = ("a red fox", "Füchsin & <Welpe>, 狐\nzwei Zeilen", "x" * 20_000)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>'
)


def saved(kind: str, **options) -> bytes:
    mode = options.pop("mode", "RGB")
    picture = Image.effect_noise((33, 21), 60).convert(mode)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def exif() -> bytes:
    notes = Image.Exif()
    notes[274], notes[270] = 6, "from a camera"
    return notes.tobytes()


def png_notes() -> PngImagePlugin.PngInfo:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("prompt", '{"1": {}}')
    notes.add_text("Description", "old", zip=True)
    return notes


FILES = {
    "png": lambda: saved("PNG"),
    "png with text": lambda: saved("PNG", pnginfo=png_notes()),
    "png with a palette": lambda: saved("PNG", mode="P"),
    "jpeg": lambda: saved("JPEG"),
    "jpeg from a camera": lambda: saved("JPEG", exif=exif(), xmp=XMP, progressive=True),
    "jpeg for print": lambda: saved("JPEG", mode="CMYK"),
    "webp": lambda: saved("WEBP"),
    "webp without loss": lambda: saved("WEBP", lossless=True),
    "webp with holes": lambda: saved("WEBP", mode="RGBA"),
    "webp without loss with holes": lambda: saved("WEBP", mode="RGBA", lossless=True),
    "webp from a camera": lambda: saved("WEBP", exif=exif(), xmp=XMP),
    "webp that moves": lambda: saved("WEBP", save_all=True, append_images=[Image.new("RGB", (33, 21))]),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_picture_stays_what_it_was(kind):
    data = FILES[kind]()
    before = Image.open(io.BytesIO(data))
    for text in TEXTS:
        fresh = with_description(data, text)
        assert description_of(fresh) == text
        assert content_of(fresh) == content_of(data)
        again = with_description(fresh, "another")
        assert description_of(again) == "another" and len(again) < len(fresh) + 10
        after = Image.open(io.BytesIO(fresh))
        assert (after.size, after.mode, getattr(after, "n_frames", 1)) == (
            before.size,
            before.mode,
            getattr(before, "n_frames", 1),
        )
        assert after.tobytes() == before.tobytes()
        assert dict(after.getexif()) == dict(before.getexif())
        assert after.info.get("prompt") == before.info.get("prompt")
        if b"Rating" in data:
            assert b'xmp:Rating="5"' in fresh


def test_other_programs_find_it_where_they_look():
    png = Image.open(io.BytesIO(with_description(saved("PNG", pnginfo=png_notes()), "狐 fox")))
    assert png.text["Description"] == "狐 fox"
    pytest.importorskip("defusedxml", reason="Pillow reads XMP with it")
    jpeg = Image.open(io.BytesIO(with_description(saved("JPEG"), "狐 & fox")))
    assert "狐 & fox" in str(jpeg.getxmp())


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_ends_early_or_is_none_is_told(kind):
    data = FILES[kind]()
    for cut in (0, 1, 5, 12, 20, 30, len(data) // 3):
        broken = data[:cut]
        for read in (description_of, content_of, lambda data: with_description(data, "a fox")):
            with contextlib.suppress(ValueError):
                read(broken)
    for broken in (b"GIF89a", b"BM", b""):
        with pytest.raises(ValueError, match="Only PNG, JPEG and WebP"):
            with_description(broken, "a fox")


def test_what_cannot_hold_it_is_told():
    with pytest.raises(ValueError, match="too long"):
        with_description(saved("JPEG"), "x" * 70_000)
    with pytest.raises(ValueError, match="cannot be added to"):
        with_description(saved("JPEG", xmp=b"<nothing/>"), "a fox")


def test_a_bomb_in_a_text_chunk_is_not_blown_up():
    notes = PngImagePlugin.PngInfo()
    notes.add(b"zTXt", b"Description\0\0" + zlib.compress(b"x" * 50_000_000))
    assert len(description_of(saved("PNG", pnginfo=notes))) <= 2**20

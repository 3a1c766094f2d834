"""PNG files, without an image library."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path


def write_png(file: Path, width: int, height: int, colour: int, texts: dict[str, str]) -> None:
    """Write a PNG of one colour (0xRRGGBB) with tEXt chunks.
    Texts must fit Latin-1, as JSON with escapes does."""
    row = b"\0" + colour.to_bytes(3, "big") * width
    parts = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    parts += [_chunk(b"tEXt", f"{keyword}\0{text}".encode("latin-1")) for keyword, text in texts.items()]
    parts += [_chunk(b"IDAT", zlib.compress(row * height)), _chunk(b"IEND", b"")]
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

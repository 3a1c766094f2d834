"""The text chunks of a PNG."""

from __future__ import annotations

import struct
import zlib


def text_chunks(data: bytes) -> dict[str, str]:
    """The tEXt, zTXt and iTXt chunks: keyword -> text."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        keyword, rest = body.split(b"\0", 1)
        if kind == b"tEXt":
            text = rest.decode("latin-1")
        elif kind == b"zTXt":
            text = zlib.decompress(rest[1:]).decode("latin-1")
        else:
            packed, text_bytes = rest[0], rest[2:].split(b"\0", 2)[2]
            text = (zlib.decompress(text_bytes) if packed else text_bytes).decode()
        found[keyword.decode("latin-1")] = text
    return found

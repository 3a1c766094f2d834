"""Descriptions inside picture files: a PNG's text chunk, and XMP in JPEG and WebP files.

Only the bytes around the description change; no pixel is decoded or encoded. All functions raise ValueError
with a plain reason for a file that cannot hold one.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from html import escape, unescape

ENDINGS = frozenset({"png", "jpg", "jpeg", "jfif", "webp"})
_PNG, _JPEG, _RIFF, _WEBP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF", b"WEBP"
_KEYWORD = b"Description\0"
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_LONGEST = 2**20
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MOST_IN_SEGMENT = 65533
_APP0, _APP1, _SCAN = 0xE0, 0xE1, 0xDA
_VP8X_XMP, _VP8X_ALPHA = 0x04, 0x10
_BEFORE = (
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
    '<rdf:li xml:lang="x-default">'
)
_BEHIND = "</rdf:li></rdf:Alt></dc:description></rdf:Description>"
_OURS = re.compile(f"{re.escape(_BEFORE)}[^<]*{re.escape(_BEHIND)}")
_DESCRIPTION = re.compile(r"<dc:description\b.*?</dc:description>|<dc:description\b[^>]*/>", re.S)
_ITEM = re.compile(r"<rdf:li\b[^>]*>(.*?)</rdf:li>", re.S)
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>\n'
    '<?xpacket end="w"?>'
)
_BROKEN = "The file is damaged or incomplete."
_UNKNOWN = "Only PNG, JPEG and WebP files can hold a caption in their metadata."


def description_of(data: bytes) -> str:
    """Return the description in the file `data`, "" where there is none."""
    if data.startswith(_PNG):
        return next((_png_text(kind, body) for kind, body in _chunks(data) if _is_ours(kind, body)), "")
    found = _DESCRIPTION.search(_xmp_of(data))
    item = _ITEM.search(found[0]) if found else None
    return unescape(item[1]).strip() if item else ""


def with_description(data: bytes, text: str) -> bytes:
    """Return the file `data` with `text` as its description, in place of a former one."""
    if data.startswith(_PNG):
        (header, *others) = [(kind, body) for kind, body in _chunks(data) if not _is_ours(kind, body)]
        ours = (b"iTXt", _KEYWORD + b"\0\0\0\0" + text.encode())
        end = data[_png_length(data) :]
        return _PNG + b"".join(_png_chunk(*part) for part in (header, ours, *others)) + end
    packet = _xmp_with(_xmp_of(data), text).encode()
    return _jpeg_with(data, packet) if data.startswith(_JPEG) else _webp_with(data, packet)


def content_of(data: bytes) -> bytes:
    """Return what is left of the file `data` without its description, for telling whether it has changed."""
    if data.startswith(_PNG):
        return b"".join(kind + body for kind, body in _chunks(data) if not _is_ours(kind, body))
    if data.startswith(_JPEG):
        segments, scan = _segments(data)
        return b"".join(body for _, body in segments if not body.startswith(_XMP)) + scan
    return b"".join(kind + body for kind, body in _riff(data) if kind not in (b"VP8X", b"XMP "))


# -- PNG


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_PNG)
    kind = b""
    while kind != b"IEND":
        if place + 12 > len(data):
            raise ValueError(_BROKEN)
        length, kind = struct.unpack_from(">I4s", data, place)
        if place + 12 + length > len(data):
            raise ValueError(_BROKEN)
        yield kind, data[place + 8 : place + 8 + length]
        place += 12 + length


def _png_length(data: bytes) -> int:
    return len(_PNG) + sum(12 + len(body) for _, body in _chunks(data))


def _is_ours(kind: bytes, body: bytes) -> bool:
    return kind in _TEXT_CHUNKS and body.startswith(_KEYWORD)


def _png_text(kind: bytes, body: bytes) -> str:
    rest = body[len(_KEYWORD) :]
    if kind == b"tEXt":
        return rest.decode("latin-1").strip()
    if kind == b"zTXt":
        return _inflated(rest[1:]).decode("latin-1").strip()
    text = rest[2:].split(b"\0", 2)[-1]
    return (_inflated(text) if rest[:1] == b"\1" else text).decode("utf-8", "replace").strip()


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _LONGEST)
    except zlib.error:
        return b""


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# -- JPEG


def _segments(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the segments before the first scan, and all from there on."""
    segments: list[tuple[int, bytes]] = []
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise ValueError(_BROKEN)
        marker = data[place + 1]
        if marker == 0xFF:  # filled up
            place += 1
            continue
        if marker == _SCAN:
            return segments, data[place:]
        (length,) = struct.unpack_from(">H", data, place + 2)
        if length < 2 or place + 2 + length > len(data):
            raise ValueError(_BROKEN)
        segments.append((marker, data[place + 4 : place + 2 + length]))
        place += 2 + length
    raise ValueError(_BROKEN)


def _jpeg_with(data: bytes, packet: bytes) -> bytes:
    if len(_XMP) + len(packet) > _MOST_IN_SEGMENT:
        raise ValueError("The text and the metadata that is there are too long for a JPEG file.")
    segments, scan = _segments(data)
    others = [(marker, body) for marker, body in segments if not body.startswith(_XMP)]
    first = 0
    while first < len(others) and others[first][0] in (_APP0, _APP1):
        first += 1
    others.insert(first, (_APP1, _XMP + packet))
    parts = (bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body for marker, body in others)
    return _JPEG + b"".join(parts) + scan


# -- WebP


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    end = min(len(data), int.from_bytes(data[4:8], "little") + 8)
    while place + 8 <= end:
        kind, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if place + 8 + length > len(data):
            raise ValueError(_BROKEN)
        yield kind, data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _webp_with(data: bytes, packet: bytes) -> bytes:
    chunks = [(kind, body) for kind, body in _riff(data) if kind != b"XMP "]
    if not chunks:
        raise ValueError(_BROKEN)
    kind, head = chunks[0]
    if kind == b"VP8X":
        chunks[0] = kind, bytes((head[0] | _VP8X_XMP,)) + head[1:]
    else:
        chunks.insert(0, (b"VP8X", _vp8x(kind, head)))
    chunks.append((b"XMP ", packet))
    parts = (kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for kind, body in chunks)
    body = _WEBP + b"".join(parts)
    return _RIFF + struct.pack("<I", len(body)) + body


def _vp8x(kind: bytes, head: bytes) -> bytes:
    """Return the header that a plain WebP file lacks: it says that there is more than the picture."""
    flags = _VP8X_XMP
    try:
        if kind == b"VP8 ":
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", head, 6))
        elif kind == b"VP8L":
            (bits,) = struct.unpack_from("<I", head, 1)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
            flags |= _VP8X_ALPHA if bits >> 28 & 1 else 0
        else:
            raise ValueError(_BROKEN)
    except struct.error:
        raise ValueError(_BROKEN) from None
    sides = (side.to_bytes(3, "little") for side in (width - 1, height - 1))
    return b"".join((bytes((flags, 0, 0, 0)), *sides))


# -- XMP


def _xmp_of(data: bytes) -> str:
    if data.startswith(_JPEG):
        packets = (body[len(_XMP) :] for _, body in _segments(data)[0] if body.startswith(_XMP))
    elif data[:4] == _RIFF and data[8:12] == _WEBP:
        packets = (body for kind, body in _riff(data) if kind == b"XMP ")
    else:
        raise ValueError(_UNKNOWN)
    try:
        return next(packets, b"").decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        raise ValueError("The file has metadata in a form that cannot be added to.") from None


def _xmp_with(packet: str, text: str) -> str:
    bare = _DESCRIPTION.sub("", _OURS.sub("", packet or _PACKET))
    place = bare.rfind("</rdf:RDF>")
    if place < 0:
        raise ValueError("The file has metadata in a form that cannot be added to.")
    ours = f"{_BEFORE}{escape(text, quote=False)}{_BEHIND}"
    return bare[:place] + ours + bare[place:]

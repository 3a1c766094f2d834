"""The events in the body of an answer: bytes in, events out, whatever the envelope is and is said to be.

Server-sent events, JSON by lines and JSON in one piece are told by their bytes: servers label them wrongly,
and proxies mix them. Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"
DONE = b"[DONE]"
# How often the end of a JSON value of several lines is looked for: each look costs the size of the value.
_MOST_LOOKS = 64
# Bytes of what is no event (a web page, a plain sentence) that are kept.
_LONGEST_TEXT = 64 * 1024
# What servers send as data to keep a connection open.
_HEARTBEAT = re.compile(
    r"\W*(?:|ping|pong|heart ?beat|keep[- _]?alive|null|ok|processing|waiting|queued|connected|start(?:ed)?"
    r"|open)\W*",
    re.I,
)
_DONE = re.compile(r"\W*(?:done|end of stream|stream end)\W*", re.I)
_FAULT = re.compile(
    r"\W*(?:(?:\w*(?:error|exception)|fatal|traceback|failed|failure|internal server error|upstream"
    r"|bad gateway|service unavailable|gateway time-?out|unauthori[sz]ed|forbidden|too many requests)\b"
    r"|cuda|out of memory)",
    re.I,
)
_IGNORED = (b"id", b"retry", b"data", b"event")


class EventTooLong(ValueError):
    """One event is larger than any answer has a reason to be."""


class Event(NamedTuple):
    """An event: `data`, mostly JSON, under the `name` of a server-sent event (empty where it has none).

    `is_text` says that it is none, but a line that stands beside the events.
    """

    data: bytes
    name: bytes = b""
    is_text: bool = False


class AnswerDecoder:
    """A decoder that takes bytes as they come and returns the events that they complete.

    Raises `EventTooLong` when one event grows past `longest` bytes.
    """

    def __init__(self, longest: int = 16 * 1024 * 1024) -> None:
        self._longest = longest
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._ends_in_cr = self._is_page = False
        self._is_first = True
        self._data: list[bytes] = []
        self._name = b""
        self._document: list[bytes] = []
        self._size = self._text_size = self._looks = 0

    def feed(self, piece: bytes) -> list[Event]:
        """Add a piece and return the events that are whole with it."""
        if self._is_plain_event(piece):
            return [Event(piece[6:-2])]
        if self._ends_in_cr and piece[:1] == b"\n":
            piece = piece[1:]
            self._ends_in_cr = False
        if b"\r" in piece:
            self._ends_in_cr = piece[-1:] == b"\r"
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        elif piece:
            self._ends_in_cr = False
        first, newline, after = piece.partition(b"\n")
        self._rest.append(first)
        self._rest_size += len(first)
        if self._rest_size > self._longest:
            raise EventTooLong(f"a line of more than {self._longest} bytes")
        if not newline:
            return []
        lines = [b"".join(self._rest), *after.split(b"\n")]
        self._rest = [lines.pop()]
        self._rest_size = len(self._rest[0])
        events: list[Event] = []
        for line in lines:
            if line.startswith(b"data:") and not self._document:
                self._add_data(line, events)
            elif line:
                self._take(line, events)
            elif self._data or self._name:
                self._dispatch(events)
        return events

    def _is_plain_event(self, piece: bytes) -> bool:
        """Tell whether a piece is one whole event, as most are: nothing else has to be looked at then."""
        return (
            piece.startswith(b"data: {")
            and piece.endswith(b"}\n\n")
            and piece.count(b"\n") == 2
            and not (self._rest_size or self._data or self._name or self._document or self._is_first)
        )

    def finish(self) -> list[Event]:
        """Return the events that the end of the body completes."""
        events: list[Event] = []
        line = b"".join(self._rest)
        self._rest, self._rest_size = [], 0
        if line:
            self._take(line, events)
        self._end_document(events)
        self._dispatch(events)
        return events

    def _take(self, line: bytes, events: list[Event]) -> None:
        if self._is_first:
            # Some answers begin with a byte order mark, and a few with two.
            while line.startswith(BOM):
                line = line[len(BOM) :]
        bare = line.strip()
        if not bare:
            self._dispatch(events)
            return
        if self._is_first:
            self._is_first = False
            self._is_page = bare.startswith(b"<")
        if self._is_page:
            self._add_text(bare, events)
        elif self._document and not bare.lower().startswith((b"data:", b"event:")):
            self._add_to_document(line, events)
        elif bare.startswith((b"{", b"[", b'"')):
            self._begin_document(bare, events)
        else:
            self._end_document(events)
            self._take_field(bare, events)

    def _take_field(self, line: bytes, events: list[Event]) -> None:
        """Take a line of a server-sent event that may be indented, or written in capitals."""
        field, colon, value = line.partition(b":")
        name = field.strip().lower()
        if name == b"data" and colon:
            self._add_data(b"data:" + value, events)
        elif name == b"event" and colon:
            if self._data:  # the blank line between two events is missing
                self._dispatch(events)
            self._name = value.strip()
        elif name == b"error" and colon:
            self._dispatch(events)
            events.append(Event(value.strip(), b"error"))
        elif name and name not in _IGNORED:
            self._add_text(line, events)

    def _add_data(self, line: bytes, events: list[Event]) -> None:
        self._is_first = False
        data = line[5:].strip(b" \t")
        while data.startswith(b"data:"):  # by a proxy that wraps the lines of another server
            data = data[5:].lstrip(b" \t")
        if 0 < len(self._data) < _MOST_LOOKS and _is_whole(b"\n".join(self._data)):
            self._dispatch(events)  # the blank line between two events is missing
        self._data.append(data)
        self._grow(len(data))

    def _dispatch(self, events: list[Event]) -> None:
        if self._data:
            data = b"\n".join(self._data) if len(self._data) > 1 else self._data[0]
            if data or self._name == b"error":  # some servers keep a connection alive with empty ones
                events.append(Event(data, self._name))
            self._data.clear()
            self._size = 0
        self._name = b""

    def _begin_document(self, line: bytes, events: list[Event]) -> None:
        if self._data:
            self._dispatch(events)
        self._document, self._looks = [line], 0
        self._grow(len(line))
        if _is_whole(line):
            self._end_document(events)

    def _add_to_document(self, line: bytes, events: list[Event]) -> None:
        self._document.append(line)
        self._grow(len(line))
        closing = b"]" if self._document[0].startswith(b"[") else b"}"
        if line.startswith(closing) and self._looks < _MOST_LOOKS:
            self._looks += 1
            if _is_whole(b"\n".join(self._document)):
                self._end_document(events)

    def _end_document(self, events: list[Event]) -> None:
        if self._document:
            events.append(Event(b"\n".join(self._document), self._name))
            self._document, self._size, self._name = [], 0, b""

    def _add_text(self, line: bytes, events: list[Event]) -> None:
        if self._text_size < _LONGEST_TEXT:
            self._text_size += len(line)
            events.append(Event(line[:_LONGEST_TEXT], is_text=True))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._longest:
            raise EventTooLong(f"an event of more than {self._longest} bytes")


def is_heartbeat(text: str) -> bool:
    """Tell whether `text`, sent as data, only keeps the connection open."""
    return _HEARTBEAT.fullmatch(text) is not None


def is_mark_of_end(text: str) -> bool:
    """Tell whether `text`, sent as data, is the mark of the end in one of its spellings."""
    return _DONE.fullmatch(text) is not None


def sounds_like_fault(text: str) -> bool:
    """Tell whether a plain sentence begins as the report of a fault does."""
    return _FAULT.match(text) is not None


def _is_whole(data: bytes) -> bool:
    """Tell whether `data` is one whole JSON value, or the mark of the end."""
    if data.endswith((b"}", b"]", b'"')):
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return data == DONE
        return True
    return False

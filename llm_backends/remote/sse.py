"""Server-sent events: bytes in, the data of whole events out.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations


class EventTooLong(ValueError):
    """One event is larger than any answer has a reason to be."""


class EventReader:
    """A reader that takes bytes as they come and returns the ``data`` of each event that they complete.

    Raises `EventTooLong` when one event grows past `longest` bytes.
    """

    def __init__(self, longest: int = 16 * 1024 * 1024) -> None:
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._data: list[bytes] = []
        self._size = 0
        self._longest = longest

    def feed(self, piece: bytes) -> list[bytes]:
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
        events: list[bytes] = []
        for line in lines:
            self._take(line.rstrip(b"\r"), events)
        return events

    def finish(self) -> list[bytes]:
        """The last event where the blank line that should close it is missing."""
        events: list[bytes] = []
        self._take(b"".join(self._rest).rstrip(b"\r"), events)
        self._take(b"", events)
        self._rest, self._rest_size = [], 0
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if not line:
            if self._data:
                event = b"\n".join(self._data) if len(self._data) > 1 else self._data[0]
                if event:  # some servers keep a connection alive with empty ones
                    events.append(event)
                self._data.clear()
                self._size = 0
        elif line.startswith(b"data:"):
            data = line[5:].lstrip(b" ")
            self._data.append(data)
            self._size += len(data)
            if self._size > self._longest:
                raise EventTooLong(f"an event of more than {self._longest} bytes")

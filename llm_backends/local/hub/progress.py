"""The progress of a download for people: bytes so far, speed and time left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from ...streaming.live import Sink

_SHOW_EVERY_S = 0.2
# The speed is that of the last seconds: long enough to read, short enough to notice a slow line.
_WINDOW_S = 5.0
_LEAST_S = 0.5
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))


class Progress:
    """A counter of bytes that reports to `sink`. Any thread, but one at a time."""

    def __init__(self, name: str, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._sink, self._clock = name, sink, clock
        self._seen: deque[tuple[float, int]] = deque()
        self._shown = float("-inf")
        self.total = self.done = 0

    def announce(self, text: str) -> None:
        """Show a sentence without figures."""
        self._sink.announce(text, self.share)

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0

    def skip(self, count: int) -> None:
        """Count bytes that are present without a transfer (or, if negative, are gone again)."""
        self.done += count
        self._seen.clear()

    def add(self, count: int) -> None:
        """Count bytes that have arrived."""
        now = self._clock()
        if not self._seen:
            self._seen.append((now, self.done))
        self.done += count
        if now - self._shown >= _SHOW_EVERY_S:
            self._shown = now
            self._seen.append((now, self.done))
            while self._seen[-1][0] - self._seen[0][0] > _WINDOW_S:
                self._seen.popleft()
            self._sink.announce(self.text(), self.share)

    def text(self) -> str:
        """The progress such as ``Downloading org/name: 1.2 of 2.7 GB, 35 MB/s, 43 s left``."""
        text = f"Downloading {self._name}: {_of(self.done, self.total)}"
        speed = self._speed()
        if speed is None:
            return text
        left = (self.total - self.done) / speed if speed else float("inf")
        return f"{text}, {size(speed)}/s, {duration(left)} left" if speed else f"{text}, stalled"

    def _speed(self) -> float | None:
        """The speed in bytes per second; None while it is unknown."""
        if len(self._seen) < 2 or self._seen[-1][0] - self._seen[0][0] < _LEAST_S:
            return None
        (began, before), (now, after) = self._seen[0], self._seen[-1]
        return (after - before) / (now - began)


def size(count: float) -> str:
    """A size such as ``2.7 GB`` or ``340 MB``."""
    unit, word = next((pair for pair in _UNITS if count >= pair[0]), _UNITS[-1])
    return f"{_figure(count / unit)} {word}"


def _of(done: float, total: float) -> str:
    unit, word = next((pair for pair in _UNITS if total >= pair[0]), _UNITS[-1])
    digits = 1 if unit == 1e9 else 0
    return f"{done / unit:.{digits}f} of {total / unit:.{digits}f} {word}"


def _figure(number: float) -> str:
    return f"{number:.1f}" if number < 10 and number != int(number) else f"{number:.0f}"


def duration(seconds: float) -> str:
    """A duration such as ``43 s``, ``12 min`` or ``2 h 5 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"

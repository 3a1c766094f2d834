"""The answers being written at this moment, for display."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from ..types import Chunk

# After this many characters of one answer the bar is about two thirds of the way.
_TYPICAL_LENGTH = 500.0


# What is shown of the answer with this number, from its text so far.
Shown = Callable[[int, str], str]


class LiveText:
    """A collector of several answers' pieces as they arrive; any thread may write and read.

    A host polls `version` and shows `text()` and `progress()` when it has moved.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sinks: list[Sink] = []
        self._shown: Shown | None = None
        self._notice, self._share = "", 0.0
        self.version = 0

    def start(self, count: int) -> list[Sink]:
        """Clear what was shown and start `count` answers, with a sink for each."""
        sinks = [Sink(self) for _ in range(count)]
        with self._lock:
            self._sinks = sinks
            self._notice = ""
            self.version += 1
        return list(sinks)

    def show_with(self, shown: Shown | None) -> None:
        """Show of the next answers what `shown` makes of their text; None shows all of it."""
        with self._lock:
            self._shown = shown

    def texts(self) -> list[str]:
        with self._lock:
            texts, shown = ["".join(sink._parts) for sink in self._sinks], self._shown
        return [shown(place, text) for place, text in enumerate(texts)] if shown else texts

    def text(self) -> str:
        """All answers as they stand, several of them numbered; or the notice announced in their place."""
        return self._notice or show_all(self.texts())

    def progress(self) -> float:
        """Progress from 0 to 1, never 1 before all is done: a guess, since an answer's length is unknown."""
        with self._lock:
            if self._notice:
                return self._share
            if not self._sinks:
                return 0.0
            parts = (
                1.0 if sink._done else 0.95 * (1 - math.exp(-sink._length / _TYPICAL_LENGTH))
                for sink in self._sinks
            )
            return sum(parts) / len(self._sinks)


class Sink:
    """A sink for one answer of a `LiveText`; it does nothing once the next answers have started."""

    __slots__ = ("_done", "_length", "_live", "_parts")

    def __init__(self, live: LiveText) -> None:
        self._live = live
        self._parts: list[str] = []
        self._length = 0
        self._done = False

    def announce(self, notice: str, share: float = 0.0) -> None:
        """Show `notice`, such as a download's state, with the bar at `share` (0 to 1).
        It stands in place of the answers until the first words come. An empty one takes it back."""
        with self._live._lock:
            if self in self._live._sinks:
                self._live._notice, self._live._share = notice, share
                self._live.version += 1

    def add(self, chunk: Chunk) -> None:
        with self._live._lock:
            if chunk.text:
                self._live._notice = ""
                self._parts.append(chunk.text)
            self._length += len(chunk.text) + len(chunk.reasoning)
            self._live.version += 1

    def restart(self) -> None:
        """Drop what was shown of the last attempt: another one begins."""
        with self._live._lock:
            self._parts.clear()
            self._length = 0
            self._live.version += 1

    def finish(self, text: str) -> None:
        with self._live._lock:
            self._live._notice = ""
            self._parts = [text]
            self._done = True
            self._live.version += 1


def show_all(texts: Sequence[str]) -> str:
    """Join several texts, numbered from 1; a single one stays as it is."""
    if len(texts) <= 1:
        return texts[0] if texts else ""
    return "\n\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))

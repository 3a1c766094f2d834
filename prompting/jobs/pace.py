"""The pace of a job: how many calls run at once, as many as the other side keeps up with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

# Times of a call against the best mean so far: below the first there is room for more, above the second too
# many are waiting over there.
_ROOM, _CROWDED = 1.25, 1.6
_BEGIN, _FEWEST_SEEN = 4, 8
_FASTER, _MORE, _FEWER = 1.5, 1.1, 0.85
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 120.0


class Pace:
    """A limit on calls at once that finds its own height, up to `most`.

    `clock` gives seconds. A Retry-After holds back every call, not only the one that was told.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = max(1, most)
        self._limit = float(min(_BEGIN, self._most))
        self._clock = clock
        self._times: list[float] = []
        self._best: float | None = None
        self._is_rising = True
        self._closed_until = 0.0
        self._refused = 0

    @property
    def limit(self) -> int:
        """Calls that may run at once now."""
        return max(1, int(self._limit))

    @property
    def closed_s(self) -> float:
        """Seconds to wait before the next call."""
        return max(0.0, self._closed_until - self._clock())

    async def open(self) -> None:
        """Wait until another call may begin."""
        while self.closed_s:
            await asyncio.sleep(min(self.closed_s, 0.5))

    def answered(self, seconds: float) -> None:
        """Note a call that was answered after so many seconds."""
        self._refused = 0
        self._times.append(seconds)
        if len(self._times) < max(_FEWEST_SEEN, self.limit):
            return
        mean, self._times = sum(self._times) / len(self._times), []
        self._best = mean if self._best is None else min(self._best, mean)
        if mean <= self._best * _ROOM:
            self._limit = (
                self._limit * _FASTER if self._is_rising else max(self._limit + 1, self._limit * _MORE)
            )
        else:
            self._is_rising = False
            if mean > self._best * _CROWDED:
                self._limit *= _FEWER
        self._limit = min(max(1.0, self._limit), float(self._most))

    def refused(self, retry_after_s: float | None) -> None:
        """Note that the other side wants fewer calls, or none for so many seconds."""
        wait_s = _FIRST_WAIT_S * 2.0**self._refused if retry_after_s is None else retry_after_s
        # What was under way when the first was refused says nothing new.
        if not self.closed_s:
            self._limit = max(1.0, self._limit / 2)
            self._refused += 1
            self._is_rising = False
            self._times = []
        self._closed_until = max(self._closed_until, self._clock() + min(wait_s, _LONGEST_WAIT_S))

"""The pace of a job: how many calls run at once, as many as the other side keeps up with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

# The mean time of a call against the best so far: below this there is room for more, above it some may be
# waiting over there.
_ROOM = 1.25
_BEGIN, _FEWEST_SEEN = 4, 4
# In seconds: where answers take longer, a step too far makes calls wait until they are given up.
_QUICK_S = 1.0
_QUICKLY, _FASTER, _MORE, _FEWER = 3.0, 1.5, 1.1, 0.85
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 120.0


class Pace:
    """A limit on calls at once that finds its own height from `begin`, up to `most`.

    `clock` gives seconds. A Retry-After holds back every call, not only the one that was told.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic, begin: int = _BEGIN) -> None:
        self._most = max(1, most)
        self._limit = float(min(begin, self._most))
        self._clock = clock
        self._times: list[float] = []
        self._best: float | None = None
        # The limit and the answers a second before it was last lowered.
        self._before: tuple[float, float] | None = None
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
        rate, before, self._before = self.limit / mean, self._before, None
        if before is not None and rate < before[1] * (1 + self._limit / before[0]) / 2:
            # With fewer calls came fewer answers, so none was waiting: the best time was luck.
            self._limit, self._best, self._is_rising = before[0], mean, True
            return
        self._best = mean if self._best is None else min(self._best, mean)
        if mean <= self._best * _ROOM:
            if self._is_rising:
                self._limit *= _QUICKLY if mean < _QUICK_S else _FASTER
            else:
                self._limit = max(self._limit + 1, self._limit * _MORE)
        else:
            self._is_rising = False
            self._before = self._limit, rate
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
            self._times, self._before = [], None
        self._closed_until = max(self._closed_until, self._clock() + min(wait_s, _LONGEST_WAIT_S))

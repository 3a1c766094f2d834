"""Execution of one tool in a thread of its own: with a time limit, and a limit on the answer's size.

A thread that hangs cannot be ended. It is left behind as a daemon, and their number is limited.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from ..errors import Cancelled, LLMError
from ..host import Host
from ..runner import POLL_S
from .registry import RegisteredTool

# In characters: some five thousand tokens.
LONGEST_ANSWER = 20_000
_MOST_THREADS = 32

_log = logging.getLogger("quillwork")
_threads = threading.BoundedSemaphore(_MOST_THREADS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The text for the model; with `is_error` it is the reason why there is no answer."""

    text: str
    is_error: bool = False


class Execution:
    """A call of `tool` with checked `arguments` that begins at once."""

    def __init__(self, tool: RegisteredTool, arguments: Mapping[str, Any]) -> None:
        self._tool = tool
        self._arguments = arguments
        self._ends_at = time.monotonic() + tool.time_limit_s
        self._future: Future[Outcome] = Future()
        self._future.set_running_or_notify_cancel()
        if _threads.acquire(blocking=False):
            threading.Thread(target=self._work, name=f"quillwork-{tool.name}", daemon=True).start()
        else:
            self._future.set_result(Outcome(f"{tool.name} is busy. Call it again later.", is_error=True))

    async def outcome(self) -> Outcome:
        """Await the outcome on an event loop."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(done.set)

        self._future.add_done_callback(wake)
        timer = loop.call_later(max(0.0, self._ends_at - time.monotonic()), done.set)
        try:
            await done.wait()
        finally:
            timer.cancel()
        return self._now()

    def outcome_in_place(self, host: Host) -> Outcome:
        """Wait for the outcome in the host's own thread. Raises `Cancelled`, and what ``tick`` raises."""
        while not self._future.done() and time.monotonic() < self._ends_at:
            if host.cancelled():
                raise Cancelled
            host.tick()
            wait([self._future], POLL_S)
        return self._now()

    def _now(self) -> Outcome:
        if self._future.done():
            return self._future.result()
        limit = f"{self._tool.time_limit_s:g} s"
        return Outcome(f"{self._tool.name} did not answer within {limit} and was stopped.", is_error=True)

    def _work(self) -> None:
        outcome = Outcome(f"{self._tool.name} returned nothing.", is_error=True)
        try:
            outcome = self._call()
        finally:
            _threads.release()
            self._future.set_result(outcome)

    def _call(self) -> Outcome:
        try:
            return Outcome(_cut(_as_text(self._tool.call(**self._arguments))))
        except (LLMError, ValueError) as error:
            return Outcome(_cut(str(error)), is_error=True)
        except Exception as error:  # noqa: BLE001 (whatever another pack may raise)
            # Its text may hold paths of this machine, which are nobody's business at the other end.
            _log.warning("The tool %s failed: %s: %s", self._tool.name, type(error).__name__, error)
            return Outcome(f"{self._tool.name} failed ({type(error).__name__}).", is_error=True)


def _as_text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, default=str)


def _cut(text: str) -> str:
    kept = text[:LONGEST_ANSWER].encode("utf-8", "replace").decode()
    if len(text) <= LONGEST_ANSWER:
        return kept if kept.strip() else "(nothing)"  # some providers take no empty text
    return f"{kept}\n[cut: the first {LONGEST_ANSWER:,} of {len(text):,} characters]"

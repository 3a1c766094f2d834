"""Calls begun by a button of the page: a model works in the background, followed and stopped from there."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Generic, TypeVar

from ...llm_backends.errors import Cancelled
from ...llm_backends.model import Model
from ...llm_backends.runner import run_in_place, runner
from ...llm_backends.streaming.live import show_all
from .host.port import WebUiHost
from .host.queue import in_turn, settle

S = TypeVar("S")
T = TypeVar("T")

_LOOK_EVERY_S = 0.05
# Only sending reveals that the browser is gone; gradio then asks for no more, and says nothing.
_ALIVE_EVERY_S = 1.0
_ABANDONED_S = 5.0


class ButtonCall(WebUiHost, Generic[T]):
    """``work(call)`` in a thread of its own, and the desk (`writing.Desk`) for it.

    It obeys its own `stop` instead of the host's buttons, and moves no progress bar.
    """

    def __init__(self, work: Callable[[ButtonCall[T]], T]) -> None:
        super().__init__("web UI")
        self._stopped = threading.Event()
        self._future: concurrent.futures.Future[T] = concurrent.futures.Future()
        threading.Thread(
            target=settle, args=(self._future, lambda: work(self)), name="quillwork-button", daemon=True
        ).start()

    def stop(self) -> None:
        self._stopped.set()

    def cancelled(self) -> bool:
        return self._stopped.is_set()

    def skipped(self) -> bool:
        return False

    def tick(self) -> None:
        pass

    def perform(self, coroutine: Coroutine[Any, Any, S], model: Model) -> S:
        if not model.runs_in_place:
            return runner.run(coroutine, cancelled=self.cancelled)
        return in_turn(lambda: self._in_place(coroutine))

    def _in_place(self, coroutine: Coroutine[Any, Any, S]) -> S:
        if self.cancelled():  # while it waited in the queue
            coroutine.close()
            raise Cancelled
        try:
            return run_in_place(coroutine)
        finally:
            self.memory.make_way()

    async def follow(self) -> AsyncIterator[tuple[str, str]]:
        """Yield the text written so far and the current announcement, until the text is written or stopped.

        There is a step whenever either changes, and now and then without a change.
        """
        version, last = -1, 0.0
        while not self._future.done() and not self.cancelled():
            now = time.monotonic()
            if self._live.version != version or now - last >= _ALIVE_EVERY_S:
                version, last = self._live.version, now
                text = show_all(self._live.texts())
                shown = self._live.text()
                abandoned = asyncio.get_running_loop().call_later(_ABANDONED_S, self.stop)
                yield text, "" if shown == text else shown
                abandoned.cancel()
            await asyncio.sleep(_LOOK_EVERY_S)

    def result(self) -> T:
        """Return the result of `work`. Raises what it raised, and `Cancelled` once stopped; does not wait."""
        if self.cancelled() or not self._future.done():
            self.stop()
            raise Cancelled
        return self._future.result()


class Session:
    """Call that one browser has under way by one button."""

    def __init__(self) -> None:
        self.call: ButtonCall[Any] | None = None

    def __deepcopy__(self, memo: Any) -> Session:
        """Make a session of its own for each browser: gradio copies the one that it was given."""
        return type(self)()

    def stop(self) -> None:
        if self.call is not None:
            self.call.stop()

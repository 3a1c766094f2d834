"""The runner: the one thread on which remote calls run.

Clients, connections and semaphores belong to an event loop; hosts run nodes on many short-lived ones. So all
calls run on one loop of this pack's own, in a daemon thread that starts with the first call and ends before
the interpreter does.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from .errors import Cancelled

T = TypeVar("T")

POLL_S = 0.02
_ENDING_S = 2.0
_CLOSING_S = 5.0


class Job(Generic[T]):
    """A coroutine under way on the runner's loop."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._ended = threading.Event()
        self._loop = loop
        self.future: concurrent.futures.Future[T] = concurrent.futures.Future()
        loop.call_soon_threadsafe(self._begin, coroutine)

    def _begin(self, coroutine: Coroutine[Any, Any, T]) -> None:
        if not self.future.cancelled():
            self._start(coroutine)
            return
        coroutine.close()
        self._ended.set()
        self.future.set_running_or_notify_cancel()

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> None:
        task = self._loop.create_task(coroutine)
        task.add_done_callback(self._over)

        def follow(future: concurrent.futures.Future[T]) -> None:
            if future.cancelled():
                with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                    self._loop.call_soon_threadsafe(task.cancel)

        self.future.add_done_callback(follow)

    def _over(self, task: asyncio.Task[T]) -> None:
        self._ended.set()
        if task.cancelled():
            self.future.cancel()
        if not self.future.set_running_or_notify_cancel():
            return
        error = task.exception()
        if error is None:
            self.future.set_result(task.result())
        else:
            self.future.set_exception(error)

    def cancel(self) -> None:
        """Ask the coroutine to end; returns at once."""
        self.future.cancel()

    @property
    def ended(self) -> bool:
        """Tell whether the coroutine itself is over; a cancelled future says so some turns too early."""
        return self._ended.is_set()

    def stop(self) -> None:
        """Cancel, and wait (2 s at most) until the coroutine has closed what it had open."""
        self.future.cancel()
        self._ended.wait(_ENDING_S)


class Runner:
    """The runner's thread with its event loop. `submit` from anywhere, `run` from any other thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._at_close: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._closed = False

    def on_close(self, closer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await `closer` on the loop when it ends."""
        self._at_close.append(closer)

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Job[T]:
        """Start `coroutine` on the runner's loop. Raises RuntimeError once the program is ending."""
        try:
            return Job(coroutine, self._running_loop())
        except RuntimeError:
            coroutine.close()
            raise

    def run(
        self,
        coroutine: Coroutine[Any, Any, T],
        *,
        cancelled: Callable[[], bool] | None = None,
        on_tick: Callable[[], None] | None = None,
    ) -> T:
        """Run `coroutine` and wait for it in this thread.

        `cancelled` is asked every 20 ms; when it says yes, the coroutine is cancelled, its connections are
        closed, and `errors.Cancelled` is raised. `on_tick` is called as often, in this thread; an exception
        of it cancels the call too. Raises RuntimeError on the runner's own thread, where waiting would wait
        for ever.
        """
        try:
            self.check_may_wait()
        except RuntimeError:
            coroutine.close()
            raise
        job = self.submit(coroutine)
        try:
            while not concurrent.futures.wait([job.future], POLL_S).done:
                if cancelled is not None and cancelled():
                    raise Cancelled
                if on_tick is not None:
                    on_tick()
            return job.future.result()
        except concurrent.futures.CancelledError:
            raise Cancelled from None
        except BaseException:
            job.stop()
            raise

    def check_may_wait(self) -> None:
        """Raise RuntimeError on the runner's own thread, where waiting for a call would never end."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a synchronous call from the runner's own thread would wait for itself")

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("the program is shutting down: no new calls are started")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop,), name="quillwork-runner", daemon=True
                )
                self._thread.start()
            return self._loop

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()

    def close(self) -> None:
        """Cancel all calls in flight, close the clients, end the thread. Idempotent."""
        with self._lock:
            self._closed = True
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is None or thread is None:
            return
        ending = asyncio.run_coroutine_threadsafe(self._wind_down(), loop)
        with contextlib.suppress(Exception):
            ending.result(_CLOSING_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_CLOSING_S)
        if not thread.is_alive():
            loop.close()

    async def _wind_down(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for closer in self._at_close:
            with contextlib.suppress(Exception):
                await closer()
        await asyncio.get_running_loop().shutdown_asyncgens()


def run_in_place(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, in this thread: local models answer without suspending."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        value: T = finished.value
        return value
    coroutine.close()
    raise RuntimeError("a local model's call must not wait on an event loop")


runner = Runner()
atexit.register(runner.close)

"""Jobs of ours in turn with the host's own: local models live where it generates, and wait in its queue."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ....llm_backends.errors import Cancelled
from ....llm_backends.host import Host
from .lookup import shared

if TYPE_CHECKING:
    from .memory import HostMemory

T = TypeVar("T")


class QueuedWork(Generic[T]):
    """``work(turn)`` waiting in the host's queue or under way there, and the port to the host for it.

    `future` holds its result. Cancelling that takes the work out of the queue, or has `cancelled` return
    True; the host's Interrupt, pressed while it runs, does the latter.
    """

    def __init__(self, work: Callable[[Host], T]) -> None:
        self.future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._work = work
        self._was_interrupted = True
        threading.Thread(target=self._wait, name="quillwork-turn", daemon=True).start()

    def cancelled(self) -> bool:
        return self.future.cancelled() or (_is_interrupted() and not self._was_interrupted)

    def tick(self) -> None:
        pass

    @cached_property
    def memory(self) -> HostMemory:
        """Room for a local model on the device that the host generates on."""
        from .memory import HostMemory

        return HostMemory()

    def _wait(self) -> None:
        settle(self.future, lambda: in_turn(self._begin))

    def _begin(self) -> T:
        # Nobody resets the host's flag between two generations.
        self._was_interrupted = _is_interrupted()
        if self.cancelled():
            raise Cancelled
        try:
            return self._work(self)
        finally:
            if "memory" in vars(self):
                self.memory.make_way()


def in_turn(work: Callable[[], T]) -> T:
    """Run `work` where the host generates, after what waits there already; return its result.

    Raises what `work` raises.
    """
    # Errors raised in Forge's thread are printed as a traceback, and lost.
    outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
    with _queue():
        _main_thread()(lambda: settle(outcome, work))
    return outcome.result(0)


def others_wait() -> bool:
    """Tell whether a generation may be waiting for what runs; True on a host that keeps no list of them."""
    try:
        from modules import progress
    except ImportError:
        return True
    return bool(getattr(progress, "pending_tasks", True))


def settle(future: concurrent.futures.Future[T], work: Callable[[], T]) -> None:
    """Have `future`, unless it was cancelled, hold the outcome of ``work()``."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 (raised again for whoever waits)
        if future.set_running_or_notify_cancel():
            future.set_exception(error.with_traceback(None))
    except BaseException:
        if future.set_running_or_notify_cancel():
            future.set_exception(Cancelled())
        raise
    else:
        if future.set_running_or_notify_cancel():
            future.set_result(result)


def _queue() -> Any:
    """Return the lock of the host's queue."""
    try:
        from modules.call_queue import queue_lock
    except ImportError:
        return contextlib.nullcontext()
    return queue_lock


def _main_thread() -> Callable[[Callable[[], None]], Any]:
    """Call a function where models live: on Forge that is one thread, elsewhere any under the lock."""
    try:
        from modules_forge.main_thread import run_and_wait_result
    except ImportError:
        return lambda work: work()
    found: Callable[[Callable[[], None]], Any] = run_and_wait_result
    return found


def _is_interrupted() -> bool:
    return bool(getattr(getattr(shared(), "state", None), "interrupted", False))

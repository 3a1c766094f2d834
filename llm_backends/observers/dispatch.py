"""The bus that reports calls to observers, one for every mode.

Another pack registers a callable; users name services and callables in LLM_CALLBACKS. Each observer has a
thread and a queue of its own, so that a slow or broken one neither delays nor breaks a call, nor another
observer: events that it cannot take in time are dropped and counted.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import NotConfigured
from ..host import program
from ..types import Observer
from .events import CallEvent, Tell
from .helicone import Helicone
from .langfuse import Langfuse

_log = logging.getLogger("quillwork")
MOST_WAITING = 1000
_MOST_THREADS = 20
# How long the end of the program waits, for all observers together, until all events are reported.
_LAST_WORDS_S = 2.0


def register(tell: Tell, *, with_content: bool = False) -> Callable[[], None]:
    """Call `tell` with every event from now on, in a thread of its own; an exception of it is logged once.
    With `with_content` it also sees requests and answers. Calling the returned function unregisters it."""
    line = Line(getattr(tell, "__qualname__", repr(tell)), lambda: tell, with_content)
    _registered.append(line)

    def unregister() -> None:
        if line in _registered:
            _registered.remove(line)
            line.end()

    return unregister


def lines_to(observers: Sequence[Observer]) -> list[Line]:
    """The lines to registered observers and to `observers`; empty, at no cost, where there are none."""
    return [*_registered, *map(_line_to, observers)] if observers or _registered else []


class Line:
    """The line to one observer: its thread and its queue.
    `make`, called in that thread, returns the callable."""

    def __init__(self, name: str, make: Callable[[], Tell], with_content: bool) -> None:
        self.name, self.with_content = name, with_content
        self._make = make
        self._waiting: queue.Queue[CallEvent | None] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._complained: set[str] = set()
        self.dropped = 0

    def put(self, event: CallEvent) -> None:
        """Queue `event`; returns at once."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                # Not at the import: it is to come before the end of the runner, over which observers report.
                _tell_the_rest_at_exit()
                self._thread = threading.Thread(target=self._run, name="quillwork-observer", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(event if self.with_content else event.redacted())
        except queue.Full:
            self.dropped += 1
            self._complain(
                "full", f"it is too slow: events are dropped from now on (more than {MOST_WAITING} waiting)"
            )

    def end(self) -> None:
        """Let the thread end when it has reported all waiting events."""
        with contextlib.suppress(queue.Full):  # then it stays, a daemon without work
            self._waiting.put_nowait(None)

    def drain(self, until: float) -> None:
        """Wait until all events are reported, or the clock (`time.monotonic`) says `until`."""
        while self._is_busy() and time.monotonic() < until:
            time.sleep(0.01)

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and self._waiting.unfinished_tasks > 0

    def _run(self) -> None:
        tell: Tell | None = None
        while True:
            event = self._waiting.get()
            try:
                if event is None:
                    return
                tell = tell or self._make()
                tell(event)
            except NotConfigured as error:
                self._complain("load", error.message)
            except Exception as error:  # noqa: BLE001 - whatever somebody else's code may raise
                # Not the error's text: it may have content or a key in it.
                self._complain(type(error).__name__, f"it raised {type(error).__name__}")
            finally:
                self._waiting.task_done()

    def _complain(self, kind: str, what: str) -> None:
        if kind not in self._complained:
            self._complained.add(kind)
            _log.warning("The observer %s missed a call: %s.", self.name, what.rstrip("."))


_registered: list[Line] = []
_lines: dict[Observer, Line] = {}
_lock = threading.Lock()


def _line_to(observer: Observer) -> Line:
    with _lock:
        line = _lines.get(observer)
        if line is None:
            line = _lines[observer] = Line(observer.name, lambda: _maker(observer), observer.with_content)
            while len(_lines) > _MOST_THREADS:
                _lines.pop(next(iter(_lines))).end()
        return line


def _maker(observer: Observer) -> Tell:
    if observer.name == "langfuse":
        return Langfuse(observer).tell
    if observer.name == "helicone":
        return Helicone(observer).tell
    return load(observer.name)


def load(name: str) -> Tell:
    """The object at the Python path `name` (``package.module:function``). Raises `NotConfigured`."""
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an import of somebody else's raises
        # Not the error's text: it may have content or a key in it.
        raise NotConfigured(
            f"The observer {name} cannot be loaded ({type(error).__name__}).",
            hint=f"Install its package in {program()}'s Python environment, or remove it from LLM_CALLBACKS.",
        ) from None
    if not callable(found):
        raise NotConfigured(f"The observer {name} is not a function.", hint="Correct it in LLM_CALLBACKS.")
    tell: Tell = found
    return tell


def drain(patience_s: float = _LAST_WORDS_S) -> None:
    """Wait at most `patience_s` seconds until all events are reported to every observer."""
    until = time.monotonic() + patience_s
    for line in [*_registered, *_lines.values()]:
        line.drain(until)


@functools.cache
def _tell_the_rest_at_exit() -> None:
    atexit.register(drain)

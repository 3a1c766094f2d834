"""Streams of answers, handed over as they are written: to any event loop, or to a thread that waits.

The writer never waits for the reader. Chunks that a slow reader has not fetched yet are joined into one, so
the stream holds no more than the answers themselves, and no other reader is delayed.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from typing import Any, Generic, Protocol, TypeVar

from ..errors import Cancelled, LLMError
from ..model import Model
from ..runner import runner
from ..types import Chunk, Request, Result, ToolCallDelta
from .live import LiveText, Sink

# A wait without an end does not hear Ctrl-C on Windows.
_HEARS_CTRL_C_S = 0.2

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class UnderWay(Protocol[T_co]):
    """The writer of a stream: a `concurrent.futures.Future`, or an `asyncio.Future` of the reader's loop."""

    def result(self) -> T_co: ...

    def done(self) -> bool: ...

    def cancel(self) -> bool: ...

    def add_done_callback(self, function: Callable[[Any], None], /) -> None: ...


class LiveChunks(LiveText):
    """A `LiveText` whose pieces are fetched with `take`; any thread may write, one reads."""

    def __init__(self) -> None:
        super().__init__()
        self._unread: dict[int, _Unread] = {}
        self._wake: Callable[[], None] | None = None
        self._news = threading.Lock()

    def start(self, count: int) -> list[Sink]:
        for sink in self._sinks:
            sink.restart()
        super().start(0)
        sinks: list[Sink] = [_ChunkSink(self, index) for index in range(count)]
        with self._lock:
            self._sinks = list(sinks)
        return sinks

    def take(self) -> list[Chunk]:
        """Take all that came since the last call, one chunk for each answer that has news."""
        with self._news:
            unread, self._unread = self._unread, {}
        return [pieces.joined(index) for index, pieces in sorted(unread.items())]

    def when_news(self, wake: Callable[[], None]) -> None:
        """Call `wake` once, as soon as there is something to take; at once where there is."""
        with self._news:
            if not self._unread:
                self._wake = wake
                return
        wake()

    def rouse(self) -> None:
        """Wake the reader although there may be nothing to take."""
        with self._news:
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def _add(self, index: int, chunk: Chunk) -> None:
        with self._news:
            pieces = self._unread.get(index)
            if pieces is None:
                pieces = self._unread[index] = _Unread()
            pieces.add(chunk)
        self.rouse()

    def _restarted(self, index: int) -> None:
        with self._news:
            self._unread[index] = _Unread(restart=True)
        self.rouse()


class _ChunkSink(Sink):
    __slots__ = ("_chunks", "_has_shown", "_index")

    def __init__(self, chunks: LiveChunks, index: int) -> None:
        super().__init__(chunks)
        self._chunks, self._index, self._has_shown = chunks, index, False

    def add(self, chunk: Chunk) -> None:
        super().add(chunk)
        if self._is_current() and (chunk.text or chunk.reasoning or chunk.tool_calls):
            self._has_shown = True
            self._chunks._add(self._index, chunk)

    def restart(self) -> None:
        super().restart()
        if self._has_shown and self._is_current():
            self._has_shown = False
            self._chunks._restarted(self._index)

    def finish(self, text: str) -> None:
        shown = "".join(self._parts)
        super().finish(text)
        # A kept answer comes whole; and what a model thought may turn out as such at the very end.
        if not self._is_current() or text.strip() == shown.strip():
            return
        if not text.startswith(shown):
            self._chunks._restarted(self._index)
            shown = ""
        self._chunks._add(self._index, Chunk(text[len(shown) :]))

    def _is_current(self) -> bool:
        return self in self._chunks._sinks


class _Unread:
    """The unread part of one answer."""

    __slots__ = ("_reasoning", "_restart", "_text", "_tools")

    def __init__(self, *, restart: bool = False) -> None:
        self._restart = restart
        self._text, self._reasoning = StringIO(), StringIO()
        self._tools: list[ToolCallDelta] = []

    def add(self, chunk: Chunk) -> None:
        self._text.write(chunk.text)
        self._reasoning.write(chunk.reasoning)
        for delta in chunk.tool_calls:
            last = self._tools[-1] if self._tools else None
            if last is None or last.index != delta.index:
                self._tools.append(delta)
            else:
                self._tools[-1] = ToolCallDelta(
                    last.index, last.id or delta.id, last.name + delta.name, last.arguments + delta.arguments
                )

    def joined(self, index: int) -> Chunk:
        return Chunk(
            self._text.getvalue(),
            self._reasoning.getvalue(),
            tuple(self._tools),
            index=index,
            restart=self._restart,
        )


class ChunkStream(Generic[T]):
    """The chunks that `under_way` writes into `live`: ``async for`` on an event loop, ``for`` in a thread.

    An error of the call is raised where the next piece would have come. The last chunk of a `Result` carries
    its usage, finish reason and model; then `result` is there. Close it (``aclose``, ``close``, or a ``with``
    of either kind) to hang up on the other side; dropping it does as well.

    On an event loop an empty chunk comes after every `heartbeat_s` seconds of silence.
    """

    def __init__(self, live: LiveChunks, under_way: UnderWay[T], heartbeat_s: float | None = None) -> None:
        self._live = live
        self._under_way = under_way
        self._heartbeat_s = heartbeat_s
        self._ready: deque[Chunk] = deque()
        self._is_over = False
        under_way.add_done_callback(lambda _: live.rouse())

    @property
    def result(self) -> T:
        """The call's result, once the iteration is over.
        Raises the call's own error, and `Cancelled` for one that was closed before its end."""
        try:
            return self._under_way.result()
        except (concurrent.futures.CancelledError, asyncio.CancelledError):
            # Not the reader's task: it would think that somebody cancels it.
            raise Cancelled("The answer was stopped before it was complete.") from None

    def __aiter__(self) -> ChunkStream[T]:
        return self

    async def __anext__(self) -> Chunk:
        while True:
            if self._fetch():
                return self._ready.popleft()
            if self._is_over:
                raise StopAsyncIteration
            if not await self._news():
                return Chunk()

    def __iter__(self) -> ChunkStream[T]:
        return self

    def __next__(self) -> Chunk:
        while True:
            if self._fetch():
                return self._ready.popleft()
            if self._is_over:
                raise StopIteration
            runner.check_may_wait()
            there = threading.Event()
            self._when_news(there.set)
            while not there.wait(_HEARS_CTRL_C_S):
                pass

    def _fetch(self) -> bool:
        """Tell whether a chunk is ready; note the end of the stream."""
        if self._ready or self._is_over:
            return bool(self._ready)
        done = self._under_way.done()  # before the look: what is written last comes before the end
        self._ready.extend(self._live.take())
        if not self._ready and done:
            self._is_over = True
            outcome = self.result
            if isinstance(outcome, Result):
                self._ready.append(
                    Chunk(usage=outcome.usage, finish_reason=outcome.finish_reason, model=outcome.model)
                )
        return bool(self._ready)

    async def _news(self) -> bool:
        """Wait until there may be something to fetch; False after too long a silence."""
        loop = asyncio.get_running_loop()
        there: asyncio.Future[bool] = loop.create_future()
        self._when_news(partial(_bell_of(loop).ring, there))
        if self._heartbeat_s is None:
            return await there
        timer = loop.call_later(self._heartbeat_s, _set, there, False)
        try:
            return await there
        finally:
            timer.cancel()

    def _when_news(self, wake: Callable[[], None]) -> None:
        self._live.when_news(wake)
        if self._under_way.done():
            self._live.rouse()

    def close(self) -> None:
        self._is_over = True
        self._under_way.cancel()

    async def aclose(self) -> None:
        self.close()

    def __del__(self) -> None:
        self._under_way.cancel()

    def __enter__(self) -> ChunkStream[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> ChunkStream[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class _Bell:
    """A bell that wakes the readers of one event loop from another thread. It wakes all for whom there is
    news by the time the loop looks: waking the loop for each would cost more than all other work on a
    chunk."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._lock = threading.Lock()
        self._waiting: list[asyncio.Future[bool]] = []

    def ring(self, reader: asyncio.Future[bool]) -> None:
        with self._lock:
            self._waiting.append(reader)
            if len(self._waiting) > 1:
                return
        loop = self._loop()
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it may be closed by now
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for reader in waiting:
            _set(reader, True)


_bells: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Bell] = weakref.WeakKeyDictionary()


def _bell_of(loop: asyncio.AbstractEventLoop) -> _Bell:
    bell = _bells.get(loop)
    return _bells.setdefault(loop, _Bell(loop)) if bell is None else bell


def _set(reader: asyncio.Future[bool], is_news: bool) -> None:
    if not reader.done():
        reader.set_result(is_news)


def stream_answer(model: Model, request: Request) -> ChunkStream[Result]:
    """Stream the answer of `model` to `request`; not for a model that runs in place."""
    live = LiveChunks()
    return ChunkStream(live, runner.submit(ask_one(replace(model, live=live), request)).future)


async def ask_one(model: Model, request: Request) -> Result:
    """Ask for one answer to `request`. Raises `LLMError`."""
    (outcome,) = await model.ask([request])
    if isinstance(outcome, LLMError):
        raise outcome
    return outcome

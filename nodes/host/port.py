"""ComfyUI's side of the host port: interrupt, progress, folders, and waiting for a call without harm."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import comfy.model_management as model_management
from comfy.utils import ProgressBar

from ...llm_backends.errors import Cancelled, LLMError
from ...llm_backends.runner import POLL_S, Job, run_in_place, runner
from ...llm_backends.streaming.live import LiveText

if TYPE_CHECKING:
    from ...llm_backends.local.host_encoder.backend import GeneratingEncoder
    from .memory import ComfyMemoryManager

T = TypeVar("T")

_TEXT_EVERY_S = 0.06
_CLOSING_S = 0.1
_STEPS = 1000
_ENDED_WITHIN_S = 5.0
# A thread that waits for its turn gets it after 5 ms; on a busy machine a free core takes longer.
_TURN_S = 0.05

# An event loop alone does not keep its tasks alive.
_pauses: set[asyncio.Task[None]] = set()


class ComfyHost:
    """Port to ComfyUI for one node and one execution: shows `live` and notices the interrupt.

    The progress hook may raise the host's interrupt and belongs to the execution thread, as do all
    methods except `cancelled`. `clip` is the ComfyUI text encoder wired to the node, None for none.
    """

    clip: Any = None

    def __init__(self, node_id: str | None, live: LiveText) -> None:
        from server import PromptServer

        self._node_id = node_id
        self._live = live
        self._server = PromptServer.instance
        # Progress text goes to every browser unless one is named.
        self._client = getattr(self._server, "client_id", None)
        self._bar = ProgressBar(_STEPS, node_id=node_id)
        self._encoder_counts = False
        self._version = -1
        self._last = 0.0

    def encoder(self) -> GeneratingEncoder | None:
        """Return the text encoder wired to the node; see `host_encoder`.

        Raises `NotConfigured` where the wired one cannot write.
        """
        if self.clip is None:
            return None
        from .text_encoder import TextEncoder

        self._encoder_counts = True  # its tokens, on this node's bar
        return TextEncoder(self.clip)

    @property
    def memory(self) -> ComfyMemoryManager | None:
        """ComfyUI's memory manager for our own local models."""
        return find_memory()

    def cancelled(self) -> bool:
        return bool(model_management.processing_interrupted())

    def tick(self) -> None:
        """Pass on new text, no more often than a person can read."""
        if self._live.version != self._version and time.monotonic() - self._last >= _TEXT_EVERY_S:
            self.show(self._live.progress())

    def show(self, progress: float) -> None:
        """Pass on the text as it stands, and `progress` from 0 to 1."""
        self._version, self._last = self._live.version, time.monotonic()
        text = self._live.text()
        if text and self._node_id is not None and self._client is not None:
            self._server.send_progress_text(text, self._node_id, self._client)
        if not self._encoder_counts:
            self._bar.update_absolute(int(_STEPS * progress), _STEPS)


def find_memory() -> ComfyMemoryManager | None:
    """Return ComfyUI's memory manager, None on a host that has none, such as one without torch."""
    try:
        from .memory import memory
    except ImportError:
        return None
    return memory


class PromptOver(Exception):
    """Error for a prompt that the host is taking down: the host does not look at what this node returns."""


async def perform(coroutine: Coroutine[Any, Any, T], host: ComfyHost, *, in_place: bool = False) -> T:
    """Run `coroutine`, show what it writes meanwhile, and end at once when the user interrupts.

    A remote call runs on the runner; with `in_place` the coroutine computes here, in the host's execution
    thread. Raises the host's own interrupt, never `asyncio.CancelledError`: one that leaves a node ends
    the prompt worker for good.
    """
    try:
        result = run_in_place(coroutine) if in_place else await _on_runner(coroutine, host)
    except (Cancelled, concurrent.futures.CancelledError):
        _let_word_out()
        interrupt()
    except model_management.InterruptProcessingException:
        _let_word_out()
        raise
    except LLMError as error:
        raise error.with_traceback(None) from None
    host.show(1.0)
    return result


def _let_word_out() -> None:
    """Let the host's report of the interrupt reach the browser before the host is busy.

    The host collects garbage right after the first prompt of a process, and after any prompt that ends 10 s
    or more after the last collection: for up to 300 ms no other thread runs, and the sending thread has not
    had its turn yet. What is left on a prompt's loop is cancelled and awaited before that, which is when the
    sending thread gets its turn.
    """
    task = asyncio.get_running_loop().create_task(_pause_at_end())
    _pauses.add(task)
    task.add_done_callback(_pauses.discard)


async def _pause_at_end() -> None:
    try:
        await asyncio.sleep(_ENDED_WITHIN_S)
    except asyncio.CancelledError:
        await asyncio.sleep(_TURN_S)
        raise


async def _on_runner(coroutine: Coroutine[Any, Any, T], host: ComfyHost) -> T:
    job = runner.submit(coroutine)
    try:
        await _wait(job, host)
    except asyncio.CancelledError:
        # We cancel nothing in `_wait`: it is the host that takes this task down.
        job.cancel()
        raise PromptOver from None
    except BaseException:
        await _close(job)
        raise
    return job.future.result()


async def _wait(job: Job[Any], host: ComfyHost) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    job.future.add_done_callback(lambda _: _wake(loop, done))
    while not done.is_set():
        try:
            await asyncio.wait_for(done.wait(), POLL_S)
        except (TimeoutError, asyncio.TimeoutError):
            if host.cancelled():
                interrupt()
            host.tick()


def _wake(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(done.set)


async def _close(job: Job[Any]) -> None:
    """Cancel the call and give it a moment to hang up, so that the other side stops writing."""
    job.cancel()
    deadline = time.monotonic() + _CLOSING_S
    while not job.ended and time.monotonic() < deadline:
        await asyncio.sleep(0.002)


def interrupt() -> NoReturn:
    """Raise the host's interrupt, as the host itself does; another node may have cleared its flag."""
    model_management.throw_exception_if_processing_interrupted()
    raise model_management.InterruptProcessingException

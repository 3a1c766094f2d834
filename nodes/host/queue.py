"""Jobs of routes that wait their turn among the host's prompts and run where those do.

A job in the queue is a prompt of one node, which names the job and nothing else: questions and answers
appear in no queue, history or cache of the host.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import comfy.model_management as model_management

from ...llm_backends.errors import Cancelled
from ...llm_backends.host import Host
from ...llm_backends.streaming.live import LiveText
from .port import ComfyHost, interrupt

T = TypeVar("T")

NODE = "QuillworkTurn"
# Longest delay until a cleared queue is noticed, and until a finished job is out of the history.
_LOOK_EVERY_S = 0.25
_TIDY_EVERY_S = 0.02
_TIDY_TIMES = 250

_waiting: dict[str, QueuedWork[Any]] = {}


class QueuedWork(Generic[T]):
    """`work` and its outcome. `is_abandoned` is set when nobody waits for it any more."""

    def __init__(self, work: Callable[[Host], T]) -> None:
        self._work = work
        self.future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self.is_abandoned = False

    def run(self) -> None:
        """Do the work, in the execution thread.

        Raises the host's interrupt when the host's user stops it; any other error goes to whoever waits.
        """
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._work(TurnHost(self))
        except (Cancelled, model_management.InterruptProcessingException):
            self.future.set_exception(Cancelled())
            if not self.is_abandoned:
                interrupt()
        except Exception as error:  # noqa: BLE001 (passed on to whoever waits)
            self.future.set_exception(error.with_traceback(None))
        except BaseException:
            self.future.set_exception(Cancelled())
            raise
        else:
            self.future.set_result(result)


class TurnHost(ComfyHost):
    """Port of such a job: it shows nothing, and stops when nobody waits for the job any more."""

    def __init__(self, turn: QueuedWork[Any]) -> None:
        super().__init__(None, LiveText())
        self._turn = turn

    def cancelled(self) -> bool:
        return self._turn.is_abandoned or super().cancelled()


class TurnNode:
    """Node of such a job; the menus do not show it, and in somebody else's graph it does nothing."""

    CATEGORY = "Quillwork"
    FUNCTION = "run"
    RETURN_TYPES = ()
    OUTPUT_NODE = True
    DEPRECATED = True
    DEV_ONLY = True
    INPUTS: ClassVar[dict[str, Any]] = {"required": {"job": ("STRING", {})}}

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name for it
        return cls.INPUTS

    def run(self, job: str) -> dict[str, Any]:
        turn = _waiting.pop(job, None)
        if turn is not None:
            turn.run()
        return {}


class Turns:
    """Our jobs in the queue of `server`, ComfyUI's ``PromptServer``. Belongs to the server's event loop."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._tidying: set[asyncio.Task[None]] = set()

    async def take(self, work: Callable[[Host], T]) -> T:
        """Run `work` in turn with the host's prompts; see `HttpHost.run_in_turn`."""
        _know_node()
        turn, job = QueuedWork(work), str(uuid.uuid4())
        _waiting[job] = turn
        self._queue(job)
        try:
            return await self._outcome(turn, job)
        except asyncio.CancelledError:
            turn.is_abandoned = True
            self._server.prompt_queue.delete_queue_item(lambda item: item[1] == job)
            raise
        finally:
            _waiting.pop(job, None)
            task = asyncio.ensure_future(self._tidy(job))
            self._tidying.add(task)
            task.add_done_callback(self._tidying.discard)

    def _queue(self, job: str) -> None:
        number = self._server.number
        self._server.number += 1
        prompt = {"1": {"class_type": NODE, "inputs": {"job": job}}}
        extra = {"create_time": int(time.time() * 1000)}
        self._server.prompt_queue.put((number, job, prompt, extra, ["1"], {}))

    async def _outcome(self, turn: QueuedWork[T], job: str) -> T:
        waiting = asyncio.wrap_future(turn.future)
        try:
            while not (await asyncio.wait([waiting], timeout=_LOOK_EVERY_S))[0]:
                # The host's user may have cleared the queue.
                if not self._is_there(job) and not turn.future.done():
                    raise Cancelled
            return waiting.result()
        finally:
            waiting.cancel()

    def _is_there(self, job: str) -> bool:
        running, pending = self._server.prompt_queue.get_current_queue_volatile()
        return any(item[1] == job for item in (*running, *pending))

    async def _tidy(self, job: str) -> None:
        """Remove the job from the history once it is there: it has nothing to show."""
        for _ in range(_TIDY_TIMES):
            await asyncio.sleep(_TIDY_EVERY_S)
            if not self._is_there(job):
                break
        self._server.prompt_queue.delete_history_item(job)


def _know_node() -> None:
    # Not an import statement: it would read like an import of our own folder of that name.
    sys.modules["nodes"].NODE_CLASS_MAPPINGS.setdefault(NODE, TurnNode)

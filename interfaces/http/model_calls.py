"""Model calls of the routes: opened, begun where the model runs, and limited in number."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from ...config.choice import Choice, Role
from ...config.opening import open_model
from ...config.settings.values import load
from ...llm_backends import modes
from ...llm_backends.errors import NotConfigured
from ...llm_backends.host import Host
from ...llm_backends.model import Model
from ...llm_backends.runner import run_in_place, runner
from ...llm_backends.streaming.chunk_stream import ChunkStream, LiveChunks, UnderWay
from ...llm_backends.types import Deployment
from .messages import HttpError
from .names import check_model
from .routing import Exchange
from .schema import text

T = TypeVar("T")
Work = Callable[[Model], Coroutine[Any, Any, T]]

HEARTBEAT_S = 15.0
# The fields of a body that choose a model, for `open_asked`.
MODEL_FIELDS = {"llm_mode": text(60, modes.AUTO), "llm_model": text(300)}
# The header by which our own scripts identify themselves, in `web/common/calls.js`.
_PAGE = "x-quillwork-client"


class Places:
    """Limit on the calls of a kind that may be under way at once."""

    def __init__(self, most: int) -> None:
        self.most = self.free = most
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take a place. Raises `HttpError` 429 when all are taken."""
        with self._lock:
            if self.free > 0:
                self.free -= 1
                return
        raise HttpError(
            429, "busy", f"{self.most} calls are already in progress.", "Wait until one of them has finished."
        )

    def give_back(self) -> None:
        with self._lock:
            self.free += 1


# Writing a prompt may fan out into many calls, a chat is one.
WRITING = Places(16)
TALKING = Places(128)


def open_asked(
    exchange: Exchange, what: str, role: Role = "prompt_gen", node: str = "Enhance Prompt"
) -> Model:
    """Open the model that was asked for, to do `what`, which the `node` of that name does in a workflow.

    A request over HTTP may come out of somebody else's workflow, so naming a model is no consent to it.
    """
    wanted = exchange.body
    name = check_model(wanted["llm_model"], wanted["llm_mode"], load())
    choice = Choice(llm_mode=wanted["llm_mode"], llm_model=name, role=role)
    where = "on the page" if _PAGE in exchange.request.headers else "over HTTP"
    model = open_model(choice, caller=f"{what} {where}")
    refuse_encoder(model.deployment, node)
    return model


def refuse_encoder(deployment: Deployment, node: str = "Enhance Prompt") -> None:
    """Raise `NotConfigured` for the host's text encoder, which no route has."""
    if modes.of(deployment.backend).needs_wire:
        raise NotConfigured(
            "The image workflow's text encoder can only be used by a node that it is connected to.",
            hint=f"In ComfyUI, use the node {node} with its clip connected. Elsewhere, choose another model.",
        )


def begin(exchange: Exchange, model: Model, work: Work[T], places: Places) -> UnderWay[T]:
    """Start ``work(model)`` where the model runs: on the runner, or in turn with what the host does.

    Raises `HttpError` 429 when too many are under way.
    """
    places.take()
    under_way: UnderWay[T]
    try:
        if model.runs_in_place:
            under_way = asyncio.ensure_future(exchange.host.run_in_turn(_in_place(model, work)))
        else:
            under_way = runner.submit(work(model)).future
    except BaseException:
        places.give_back()
        raise
    under_way.add_done_callback(lambda _: places.give_back())
    return under_way


def _in_place(model: Model, work: Work[T]) -> Callable[[Host], T]:
    return lambda host: run_in_place(work(replace(model, host=host)))


async def outcome(under_way: UnderWay[T]) -> T:
    """Wait for the result of `under_way`, which is cancelled when the caller is."""
    if isinstance(under_way, asyncio.Future):
        future: asyncio.Future[T] = under_way
        return await future
    return await asyncio.wrap_future(under_way)  # type: ignore[arg-type]


async def ask(exchange: Exchange, model: Model, work: Work[T], places: Places) -> T:
    """Run ``work(model)`` and return its result."""
    return await outcome(begin(exchange, model, work, places))


def stream(exchange: Exchange, model: Model, work: Work[T], places: Places) -> ChunkStream[T]:
    """Start ``work(model)``; return it together with what it writes meanwhile."""
    live = LiveChunks()
    under_way = begin(exchange, replace(model, live=live), work, places)
    return ChunkStream(live, under_way, HEARTBEAT_S)

"""The client for scripts and other packs: wait for an answer, await it, or read it as it comes.

`question` is a text, a sequence of `Message`, or a whole `Request`; `model` is a `Deployment`, or the `Model`
that `config.opening.open_model` makes of a user's settings. Further arguments are fields of `Request`
(``temperature=0.2``, ``schema={...}``) and stand above what question and model say themselves. All raise
`LLMError` for a call that gave no answer.

Remote calls run on the runner's thread, so any thread and any event loop may ask.
A model in this process computes in the calling thread, as its host's memory management demands.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from . import modes
from .errors import BadRequest, Cancelled, NotConfigured
from .host import Host
from .model import Model, Sampling
from .runner import run_in_place, runner
from .streaming.chunk_stream import ChunkStream, LiveChunks, ask_one, stream_answer
from .tools.loop import ROUNDS, Conversation, answer_with_tools
from .tools.registry import chosen
from .types import Deployment, Message, Request, Result

T = TypeVar("T")

Question = str | Request | Sequence[Message]

_SAMPLING = {field.name for field in dataclasses.fields(Sampling)}


def ask(
    question: Question,
    model: Deployment | Model,
    *,
    cancelled: Callable[[], bool] | None = None,
    **how: Any,
) -> Result:
    """Ask `model` and wait for the answer in this thread.

    Ctrl+C hangs up, and so does `cancelled` (asked every 20 ms) with `errors.Cancelled`. On a thread with
    an event loop that loop stands still meanwhile: `ask_async` is for those.
    """
    opened, request = _shaped(question, _stopped_by(cancelled, model), how)
    return _wait_for(ask_one(opened, request), opened, cancelled)


async def ask_async(question: Question, model: Deployment | Model, **how: Any) -> Result:
    """Ask `model` from any event loop. Cancelling the task hangs up."""
    opened, request = _shaped(question, model, how)
    return await _await(ask_one(opened, request), opened)


def ask_with_tools(
    question: Question,
    model: Deployment | Model,
    tools: Sequence[str],
    *,
    rounds: int = ROUNDS,
    cancelled: Callable[[], bool] | None = None,
    **how: Any,
) -> Conversation:
    """Ask a model that may call the registered `tools` before it answers, in up to `rounds` rounds.

    See `tools.registry.register` for registering further tools.
    """
    opened, request = _shaped(question, _stopped_by(cancelled, model), how)
    talk = answer_with_tools(opened, request, chosen(tools), rounds=rounds)
    return _wait_for(talk, opened, cancelled)


async def ask_with_tools_async(
    question: Question,
    model: Deployment | Model,
    tools: Sequence[str],
    *,
    rounds: int = ROUNDS,
    **how: Any,
) -> Conversation:
    """Ask as `ask_with_tools` does, from any event loop. Cancelling the task hangs up."""
    opened, request = _shaped(question, model, how)
    return await _await(answer_with_tools(opened, request, chosen(tools), rounds=rounds), opened)


def stream(question: Question, model: Deployment | Model, **how: Any) -> ChunkStream[Result]:
    """The answer as it is written, chunk by chunk.

    ``for chunk in stream(...)`` reads it in a thread without an event loop, ``async for`` on any loop.
    Leaving it, or the ``with`` around it, hangs up. The answer of a model in this process comes in one piece,
    once it is whole.
    """
    opened, request = _shaped(question, model, how)
    if not opened.runs_in_place:
        return stream_answer(opened, request)
    live = LiveChunks()
    answer: concurrent.futures.Future[Result] = concurrent.futures.Future()
    answer.set_result(run_in_place(ask_one(replace(opened, live=live), request)))
    return ChunkStream(live, answer)


def embed(texts: Sequence[str], model: Deployment | Model) -> Result:
    """Embed `texts` and wait in this thread: `Result.vectors`, in the order of the texts."""
    return ask(_to_embed(texts), model)


async def embed_async(texts: Sequence[str], model: Deployment | Model) -> Result:
    """Embed `texts` from any event loop."""
    return await ask_async(_to_embed(texts), model)


class _Stoppable:
    """The caller's `host` with a further way to stop: a model in this process asks its host alone."""

    def __init__(self, host: Host, cancelled: Callable[[], bool]) -> None:
        self._host, self._cancelled = host, cancelled

    def cancelled(self) -> bool:
        return self._cancelled() or self._host.cancelled()

    def tick(self) -> None:
        self._host.tick()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)


def _stopped_by(cancelled: Callable[[], bool] | None, model: Deployment | Model) -> Model:
    opened = model if isinstance(model, Model) else Model(model)
    return opened if cancelled is None else replace(opened, host=_Stoppable(opened.host, cancelled))


def _wait_for(answer: Coroutine[Any, Any, T], model: Model, cancelled: Callable[[], bool] | None) -> T:
    return run_in_place(answer) if model.runs_in_place else runner.run(answer, cancelled=cancelled)


async def _await(answer: Coroutine[Any, Any, T], model: Model) -> T:
    if model.runs_in_place:
        return await answer
    future = runner.submit(answer).future
    try:
        # `wait` raises when this task is cancelled, not when the call is.
        await asyncio.wait([asyncio.wrap_future(future)])
    finally:
        future.cancel()
    try:
        return future.result()
    except concurrent.futures.CancelledError:
        raise Cancelled("The program is shutting down.") from None


def _to_embed(texts: Sequence[str]) -> Request:
    if isinstance(texts, str):
        raise TypeError("embed() takes a list of texts, not a single text.")
    if not texts:
        raise BadRequest("There is no text to embed.")
    return Request((), embed=tuple(texts))


def _shaped(question: Question, model: Deployment | Model, how: dict[str, Any]) -> tuple[Model, Request]:
    """The question as a request, and the model with the sampling that `how` sets."""
    if isinstance(question, str):
        question = (Message("user", question),)
    request = question if isinstance(question, Request) else Request(tuple(question))
    request = replace(request, **{name: value for name, value in how.items() if name not in _SAMPLING})
    opened = model if isinstance(model, Model) else Model(model)
    sampling = {name: value for name, value in how.items() if name in _SAMPLING}
    if "extra" in sampling:
        sampling["extra"] = {**opened.sampling.extra, **sampling["extra"]}
    mode = modes.of(opened.deployment.backend)
    if not mode.answers_messages and request.task is None:
        raise NotConfigured(
            f"No model is set up, and the {mode.label.lower()} cannot answer questions.",
            hint="Choose a model, or set LLM_MODEL, for example to ollama/llama3.2.",
        )
    return replace(opened, sampling=replace(opened.sampling, **sampling)), request

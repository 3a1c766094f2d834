"""The pipeline of a call: the chain of middleware around one backend, for one request or many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest

from . import errors, modes, registry
from .accounting import budget
from .accounting.metering import priced
from .call import Call, Handler, Middleware
from .host import Host, NullHost
from .middleware.cache import from_cache, keeps_all
from .middleware.fallback import with_fallback
from .middleware.limit import limited
from .middleware.loop import another_way, out_of_loops
from .middleware.observe import begin, observed
from .middleware.retry import with_retry
from .middleware.spread import spread
from .middleware.usage import counted, counted_in_place
from .streaming.collect import collect
from .streaming.live import LiveText, Sink
from .types import Deployment, LocalBackend, Request, Result, StreamingBackend
from .vision import check_vision

# (provider, base_url, model) of every deployment that was called: what there may be to unload.
used: set[tuple[str, str | None, str]] = set()


def chain(middlewares: Sequence[Middleware], innermost: Handler) -> Handler:
    """Chain `middlewares` from the first to the last around `innermost`."""
    handler = innermost
    for middleware in reversed(middlewares):
        handler = partial(middleware, proceed=handler)
    return handler


def check_plan(deployment: Deployment) -> None:
    """Raise `errors.NotInPlan` unless the plan, if any, allows the model. It counts language models only."""
    plan = deployment.plan
    if plan is None or not modes.of(deployment.backend).answers_messages or plan.allows(deployment.model_id):
        return
    raise errors.NotInPlan(
        f"The plan {plan.name!r} does not allow {deployment.model_id}.",
        hint=plan.problem or "Choose another model, or ask whoever set LLM_PLAN.",
        provider=deployment.provider,
        model=deployment.model,
    )


async def send(call: Call) -> Result:
    """Make one attempt at one answer with the deployment's backend."""
    deployment, meter = call.deployment, call.meter
    check_plan(deployment)
    check_vision([call.request], deployment)
    budget.cover(call.hold, call.request, deployment, meter.lost_usd)
    call.attempts += 1
    used.add((deployment.provider, deployment.base_url, deployment.model))
    meter.begin()
    started = time.monotonic()
    try:
        backend = call.backend or registry.get(deployment.backend)
        if prepare := getattr(backend, "prepare", None):
            # Before the watch begins: an import is no silence of the other side.
            await prepare(call.request, deployment)
        result = await collect(backend.stream(call.request, deployment), call)
    except errors.LLMError as error:
        error.provider = error.provider or deployment.provider
        error.model = error.model or deployment.model
        meter.lose(call.request, deployment, error)
        raise
    except asyncio.CancelledError:
        meter.lose(call.request, deployment, None)
        raise
    finally:
        meter.seconds += time.monotonic() - started
    return replace(result, seconds=time.monotonic() - started)


_answer = chain(
    [with_fallback, observed, counted, from_cache, out_of_loops, with_retry, spread, limited], send
)


async def complete(
    request: Request,
    deployment: Deployment,
    sink: Sink,
    caller: str = "",
    hold: budget.Hold | None = None,
    backend: StreamingBackend | None = None,
) -> Result:
    """Answer one request. Raises `errors.LLMError`; its `attempts` counts the calls that were made.

    `hold` is the amount already set aside for it; it is released. `backend` stands in for the deployment's.
    """
    started = time.monotonic()
    check_plan(deployment)  # a kept answer of a model that is not allowed any more is none either
    (hold,) = [hold] if hold else budget.set_aside([request], deployment)
    call = Call(request, deployment, sink, caller, hold, backend=backend)
    call.warn(hold.warning)
    try:
        result = await _answer(call)
    except errors.LLMError as error:
        error.attempts = call.attempts
        raise
    finally:
        budget.release(hold)
    sink.finish(result.text)
    return replace(
        result,
        seconds=time.monotonic() - started,
        attempts=call.attempts,
        warnings=tuple(call.warnings),
    )


def runs_in_place(deployment: Deployment) -> bool:
    """Tell whether the deployment's backend computes in the host's own thread instead of on the runner."""
    return registry.is_known(deployment.backend) and getattr(
        registry.get(deployment.backend), "runs_in_place", False
    )


async def complete_all(
    requests: Sequence[Request],
    deployment: Deployment,
    live: LiveText,
    host: Host | None = None,
    caller: str = "",
) -> list[Result | errors.LLMError]:
    """Answer many requests at once, in their order; a failed one stands as its error in the list."""

    async def one(request: Request, sink: Sink, hold: budget.Hold) -> Result | errors.LLMError:
        try:
            return await complete(request, deployment, sink, caller, hold)
        except errors.LLMError as error:
            return error

    sinks = live.start(len(requests))
    if runs_in_place(deployment):
        return _complete_in_place(requests, deployment, sinks, host or NullHost(), caller)
    try:
        holds = budget.set_aside(requests, deployment)
    except errors.BudgetExceeded as error:
        if not await keeps_all(requests, deployment):
            return [error] * len(requests)
        holds = [budget.Hold() for _ in requests]
    tasks: list[asyncio.Task[Result | errors.LLMError]] = []
    try:
        if len(requests) == 1:
            return [await one(requests[0], sinks[0], holds[0])]
        tasks += [asyncio.ensure_future(one(*three)) for three in zip(requests, sinks, holds, strict=True)]
        return list(await asyncio.gather(*tasks))
    finally:
        # A cancelled gather cancels its tasks but does not wait for them to close their connections.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for hold in holds:  # of a task that was cancelled before it began
            budget.release(hold)


def _complete_in_place(
    requests: Sequence[Request], deployment: Deployment, sinks: Sequence[Sink], host: Host, caller: str
) -> list[Result | errors.LLMError]:
    try:
        check_plan(deployment)
        check_vision(requests, deployment)
    except (errors.NotInPlan, errors.CannotSee) as error:
        return [error] * len(requests)
    calls = [Call(request, deployment, sink, caller) for request, sink in zip(requests, sinks, strict=True)]
    backend: LocalBackend = registry.get(deployment.backend)
    answers: list[Result | errors.LLMError] = []
    tellings = [begin(call) for call in calls]
    try:
        answers = backend.answer_all(requests, deployment, sinks, host)
        _write_again(answers, requests, backend, deployment, sinks, host)
    finally:
        counted_in_place(calls, answers)
        for telling, outcome in zip_longest(tellings, answers):
            if telling is not None:
                telling.end(outcome)
    for place, (answer, sink) in enumerate(zip(answers, sinks, strict=True)):
        if isinstance(answer, Result):
            sink.finish(answer.text)
            answers[place] = replace(answer, usage=priced(answer.usage, deployment))
        else:
            answer.provider = answer.provider or deployment.provider
            answer.model = answer.model or deployment.model_id
            answer.attempts = 1 + (isinstance(answer, errors.AnswerLoops) and requests[place].retries_loop)
    return answers


def _write_again(
    answers: list[Result | errors.LLMError],
    requests: Sequence[Request],
    backend: LocalBackend,
    deployment: Deployment,
    sinks: Sequence[Sink],
    host: Host,
) -> None:
    """Replace those of `answers` that go round in a loop, as `middleware.loop` does for one."""
    looping = [place for place, answer in enumerate(answers) if isinstance(answer, errors.AnswerLoops)]
    for place in looping:
        sinks[place].restart()
    again = [place for place in looping if requests[place].retries_loop]
    if not again:
        return
    others = [another_way(requests[place], in_process=True) for place in again]
    fresh = backend.answer_all(others, deployment, [sinks[place] for place in again], host)
    for place, answer in zip(again, fresh, strict=True):
        if isinstance(answer, errors.AnswerLoops):
            sinks[place].restart()
        answers[place] = replace(answer, attempts=2) if isinstance(answer, Result) else answer

"""Another attempt at an answer that goes round in a loop: one, in another way."""

from __future__ import annotations

from dataclasses import replace

from .. import errors
from ..call import Call, Handler
from ..types import Request, Result

# What is changed for another attempt: a penalty on repetition, and a step of temperature.
_PENALTY, _STEP, _WARMEST = 1.15, 0.3, 1.0
_USUAL_TEMPERATURE = 0.7


async def out_of_loops(call: Call, proceed: Handler) -> Result:
    """Ask again, once, where the model went round in a loop. Nothing of a loop stays on display."""
    asked = call.request
    try:
        return await proceed(call)
    except errors.AnswerLoops:
        call.sink.restart()
        if not asked.retries_loop:
            raise
    call.request = another_way(asked, in_process=False)
    try:
        return await proceed(call)
    except errors.AnswerLoops:
        call.sink.restart()
        raise
    finally:
        call.request = asked


def another_way(request: Request, *, in_process: bool) -> Request:
    """Return `request` with another seed and another temperature or a penalty on repetition.

    What the user has set in `extra` stays. A server may not know the penalty; a model in this process does.
    """
    temperature = request.temperature
    if temperature is not None or not in_process:
        temperature = _USUAL_TEMPERATURE if temperature is None else temperature
        temperature = temperature + _STEP if temperature + _STEP <= _WARMEST else temperature - _STEP
    seed = None if request.seed is None else (request.seed + 1) % 2**31
    extra = {"repetition_penalty": _PENALTY, **request.extra} if in_process else request.extra
    return replace(request, temperature=temperature, seed=seed, extra=extra)

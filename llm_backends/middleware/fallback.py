"""Goes to the next model when one cannot be had."""

from __future__ import annotations

from dataclasses import replace

from .. import errors
from ..call import Call, Handler
from ..types import Result

# What another model would not do better, or what the user must decide.
_FINAL = (errors.ContextOverflow, errors.NotInPlan, errors.ConsentNeeded)


async def with_fallback(call: Call, proceed: Handler) -> Result:
    """The deployment, then its `fallbacks` in their order; the first error is the one that is told."""
    failed: list[errors.LLMError] = []
    for deployment in (call.deployment, *call.deployment.fallbacks):
        if failed:
            call.sink.restart()
        call.deployment = replace(deployment, fallbacks=())
        try:
            result = await proceed(call)
        except errors.LLMError as error:
            failed.append(error)
            if isinstance(error, _FINAL):
                break
            continue
        if not failed:
            return result
        call.warn(f"{' '.join(error.message for error in failed)} {deployment.name} answered instead.")
        return replace(result, by_fallback=True)
    raise failed[0]

"""Fallbacks: the next model when one is unavailable."""

from __future__ import annotations

from dataclasses import replace

from .. import errors
from ..call import Call, Handler
from ..types import Result

# Errors that another model would not avoid, or that the user must settle.
_FINAL = (errors.ContextOverflow, errors.NotInPlan, errors.ConsentNeeded)


async def with_fallback(call: Call, proceed: Handler) -> Result:
    """Try the deployment, then its `fallbacks` in their order; the first error is the one raised."""
    failed: list[errors.LLMError] = []
    for deployment in (call.deployment, *call.deployment.fallbacks):
        if failed:
            call.sink.restart()
        call.deployment = replace(deployment, fallbacks=()) if deployment.fallbacks else deployment
        try:
            result = await proceed(call)
        except errors.LLMError as error:
            failed.append(error)
            if isinstance(error, _FINAL):
                break
            continue
        if not failed:
            return result
        call.warn(f"{' '.join(error.message for error in failed)} {deployment.name} was used instead.")
        return replace(result, by_fallback=True)
    raise failed[0]

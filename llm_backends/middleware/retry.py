"""Retries of failures that may pass."""

from __future__ import annotations

import asyncio
import random

from .. import errors
from ..call import Call, Handler
from ..types import Result

FIRST_WAIT_S = 0.8
LONGEST_WAIT_S = 60.0

# Not the global generator: its state belongs to the host, whose seeds users rely on.
_jitter = random.Random()


async def with_retry(call: Call, proceed: Handler) -> Result:
    """Make as many further attempts as the deployment allows; a Retry-After of the other side is obeyed."""
    retries = max(0, call.deployment.retries)
    for retry in range(retries + 1):
        try:
            return await proceed(call)
        except errors.LLMError as error:
            if not error.retryable or retry == retries:
                raise
            wait_s = _wait_s(error, retry)
        call.sink.restart()
        await asyncio.sleep(wait_s)
    raise AssertionError("unreachable")


def _wait_s(error: errors.LLMError, retry: int) -> float:
    asked = error.retry_after_s
    if asked is None:
        return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**retry) * _jitter.uniform(0.75, 1.25)
    if asked > LONGEST_WAIT_S:
        error.hint = f"The server asks to wait {asked:.0f} s. Run again then, or choose another model."
        raise error
    return asked + _jitter.uniform(0, 0.1)

"""Reports to observers: the start and the end of every call."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from .. import errors, modes
from ..accounting.metering import blank_record, record_of
from ..accounting.usage_totals import CallRecord
from ..call import Call, Handler
from ..observers.dispatch import Line, lines_to
from ..observers.events import CallEvent
from ..types import DIRECT_TRANSPORT, Result

Outcome = Result | errors.LLMError | None


async def observed(call: Call, proceed: Handler) -> Result:
    """Report one deployment's call: a fallback's is a call of its own."""
    telling = begin(call)
    if telling is None:
        return await proceed(call)
    try:
        result = await proceed(call)
    except errors.LLMError as error:
        telling.end(error)
        raise
    except asyncio.CancelledError:
        telling.end(None)
        raise
    telling.end(result)
    return result


def begin(call: Call) -> Telling | None:
    """Report the start; None where no observer listens."""
    lines = lines_to(call.deployment.observers)
    return Telling(call, lines) if lines else None


class Telling:
    """The events of one call."""

    def __init__(self, call: Call, lines: Sequence[Line]) -> None:
        self._call, self._lines = call, lines
        self._id, self._started = str(uuid.uuid4()), time.time()
        # Pictures would fill the queues.
        self._messages = tuple(replace(message, images=()) for message in call.request.messages)
        self._put("started", blank_record(call))

    def end(self, outcome: Outcome) -> None:
        """Report the end; an outcome of None is a cancelled call."""
        answer = outcome.text if isinstance(outcome, Result) else None
        kind: Literal["completed", "failed"] = "completed" if isinstance(outcome, Result) else "failed"
        self._put(kind, record_of(self._call, outcome), answer)

    def _put(
        self, kind: Literal["started", "completed", "failed"], record: CallRecord, answer: str | None = None
    ) -> None:
        event = CallEvent(
            kind,
            self._id,
            record,
            self._started,
            time.time(),
            self._call.deployment.backend == modes.LITELLM
            and self._call.deployment.transport != DIRECT_TRANSPORT
            and not record.cached,
            self._messages,
            answer,
        )
        for line in self._lines:
            line.put(event)

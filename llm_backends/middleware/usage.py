"""Entries in the ledger for each call, failed calls and kept answers included."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from .. import errors
from ..accounting.ledger import ledger
from ..accounting.metering import Meter, priced, record_of
from ..call import Call, Handler
from ..types import Result


async def counted(call: Call, proceed: Handler) -> Result:
    """Record one deployment's call with all its attempts: a fallback's stands under its own name."""
    call.meter = Meter()
    try:
        result = await proceed(call)
    except errors.LLMError as error:
        note(call, error)
        raise
    except asyncio.CancelledError:
        note(call, None)
        raise
    note(call, result)
    return result if result.cached else replace(result, usage=priced(result.usage, call.deployment))


def counted_in_place(calls: Sequence[Call], outcomes: Sequence[Result | errors.LLMError]) -> None:
    """Record the calls of a model in this process; those without an outcome were cancelled."""
    for place, call in enumerate(calls):
        outcome = outcomes[place] if place < len(outcomes) else None
        call.meter = Meter(attempts=1, seconds=outcome.seconds if isinstance(outcome, Result) else 0.0)
        if not isinstance(outcome, Result):
            call.meter.lose(call.request, call.deployment, outcome)
        note(call, outcome)


def note(call: Call, outcome: Result | errors.LLMError | None) -> None:
    record = record_of(call, outcome)
    if record.attempts or record.cached:
        ledger.add(record, call.deployment.usage_file)

"""Server-sent events of a call that is under way."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from ...llm_backends.errors import Cancelled
from ...llm_backends.live import LiveText
from ...llm_backends.runner import Job
from .messages import HttpError, error_answer, render

_EVERY_S = 0.05
_ALIVE_EVERY_S = 15.0


async def events_of(
    job: Job[dict[str, Any]], live: LiveText, at_end: Callable[[], None]
) -> AsyncIterator[bytes]:
    """What `job` writes into `live` as ``token`` events, then its result as ``complete`` or its error as
    ``error``. Closing ends the job; `at_end` is called in any case."""
    shown: list[str] = []
    version, sent = -1, time.monotonic()
    try:
        while not job.future.done():
            pieces = b""
            if live.version != version:
                version = live.version
                pieces = b"".join(_news(shown, live.texts()))
            elif time.monotonic() - sent > _ALIVE_EVERY_S:
                pieces = b": keep-alive\n\n"
            if pieces:
                sent = time.monotonic()
            yield pieces
            await asyncio.sleep(_EVERY_S)
        yield b"".join(_news(shown, live.texts())) + _last(job)
    finally:
        job.cancel()
        at_end()


def _news(shown: list[str], texts: list[str]) -> list[bytes]:
    """The events from the texts as they were `shown`, which are brought up to date, to `texts`."""
    events = []
    for index, text in enumerate(texts):
        if index == len(shown):
            shown.append("")
        if text.startswith(shown[index]):
            if text != shown[index]:
                events.append(event("token", {"index": index, "text": text[len(shown[index]) :]}))
        else:
            events.append(event("token", {"index": index, "text": text, "restart": True}))
        shown[index] = text
    return events


def _last(job: Job[dict[str, Any]]) -> bytes:
    try:
        return event("complete", job.future.result())
    except (concurrent.futures.CancelledError, Cancelled):
        return event("error", HttpError(503, "cancelled", "The call was stopped.").answer().content)
    except Exception as error:  # noqa: BLE001 (the stream has begun: what is wrong can only be told in it)
        try:
            return event("error", error_answer(error).content)
        except Exception:  # noqa: BLE001
            failed = HttpError(500, "internal", "Quillwork failed at this.", "See the host's log.")
            return event("error", failed.answer().content)


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: ".encode() + render(data) + b"\n\n"

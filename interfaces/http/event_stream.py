"""Server-sent events of a call that is under way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from ...llm_backends.errors import Cancelled
from ...llm_backends.host import program
from ...llm_backends.streaming.chunk_stream import ChunkStream
from ...llm_backends.types import Chunk
from .messages import HttpError, error_answer, render

T = TypeVar("T")
KEEP_ALIVE = b": keep-alive\n\n"


async def events_of(stream: ChunkStream[T], last: Callable[[T], Any]) -> AsyncIterator[bytes]:
    """Yield ``token`` events for text and thinking as they come, then ``complete`` or ``error``.

    ``complete`` holds what `last` makes of the result. Closing the generator hangs up.
    """
    async with aclosing(stream):
        try:
            async for chunk in stream:
                if chunk.text or chunk.reasoning or chunk.restart:
                    yield event("token", _token(chunk))
                elif chunk == Chunk():
                    yield KEEP_ALIVE
            yield event("complete", last(stream.result))
        except Exception as error:  # noqa: BLE001 (the stream has begun: only it can carry the error)
            yield event("error", error_content(error))


def _token(chunk: Chunk) -> dict[str, Any]:
    token: dict[str, Any] = {"index": chunk.index, "text": chunk.text}
    if chunk.reasoning:
        token["reasoning"] = chunk.reasoning
    if chunk.restart:
        token["restart"] = True
    return token


def error_content(error: Exception) -> Any:
    """Return the body of the answer for `error`, whatever it is."""
    if isinstance(error, Cancelled):
        return HttpError(503, "cancelled", "The call was stopped.").answer().content
    try:
        return error_answer(error).content
    except Exception:  # noqa: BLE001
        return (
            HttpError(
                500,
                "internal",
                "Quillwork failed with an internal error.",
                f"See the log of {program()} for details.",
            )
            .answer()
            .content
        )


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: ".encode() + render(data) + b"\n\n"

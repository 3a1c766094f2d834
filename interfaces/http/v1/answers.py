"""Answers in OpenAI's format, whole and in chunks."""

from __future__ import annotations

import base64
import struct
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from ....llm_backends.errors import StreamBroken
from ....llm_backends.streaming.chunk_stream import ChunkStream
from ....llm_backends.types import Chunk, Result, ToolCallDelta, Usage, Vector
from ..event_stream import KEEP_ALIVE, error_content
from ..messages import Answer, render, with_rows
from .errors import error_body

_DONE = b"data: [DONE]\n\n"


def completion(result: Result, model: str) -> dict[str, Any]:
    """Return the whole answer of `model`, in the form that was requested."""
    message: dict[str, Any] = {"role": "assistant", "content": result.text or None, "refusal": None}
    if result.reasoning:
        message["reasoning_content"] = result.reasoning
    if result.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in result.tool_calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": _finish(result), "logprobs": None}
    return {
        **_head("chat.completion", result.model or model),
        "choices": [choice],
        "usage": _usage(result.usage),
    }


async def completion_events(
    first: Chunk, stream: ChunkStream[Result], model: str, *, with_usage: bool
) -> AsyncIterator[bytes]:
    """Yield the answer in chunks, of which `first` has been read already.

    What was sent cannot be taken back in this protocol: where a second attempt begins after that, the
    stream ends with an error.
    """
    head, sent = _head("chat.completion.chunk", model), _Sent()
    async with aclosing(stream):
        try:
            chunk = first
            yield _event(head, {"role": "assistant", "content": ""})
            while True:
                if chunk == Chunk():
                    yield KEEP_ALIVE
                elif delta := sent.delta(chunk):
                    yield _event(head, delta)
                try:
                    chunk = await stream.__anext__()
                except StopAsyncIteration:
                    break
            result = stream.result
            sent.check(result)
            yield _event(head, {}, _finish(result))
            if with_usage:
                yield b"data: " + render({**head, "choices": [], "usage": _usage(result.usage)}) + b"\n\n"
            yield _DONE
        except Exception as error:  # noqa: BLE001 (the stream has begun: only it can carry the error)
            yield b"data: " + render(error_body(error_content(error))) + b"\n\n"


class _Sent:
    """Part of an answer that the client already has."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._has_any = self._is_over = False
        self._calls: set[int] = set()

    def delta(self, chunk: Chunk) -> dict[str, Any]:
        """Return the part of `chunk` that is sent."""
        self._is_over = self._is_over or (chunk.restart and self._has_any)
        if self._is_over:
            return {}
        self._texts.append(chunk.text)
        delta: dict[str, Any] = {}
        if chunk.text:
            delta["content"] = chunk.text
        if chunk.reasoning:
            delta["reasoning_content"] = chunk.reasoning
        if chunk.tool_calls:
            delta["tool_calls"] = [self._call(call) for call in chunk.tool_calls]
        self._has_any = self._has_any or bool(delta)
        return delta

    def _call(self, call: ToolCallDelta) -> dict[str, Any]:
        function = {"arguments": call.arguments}
        if call.index in self._calls:
            return {"index": call.index, "function": function}
        self._calls.add(call.index)
        named = {"name": call.name, **function}
        return {"index": call.index, "id": call.id, "type": "function", "function": named}

    def check(self, result: Result) -> None:
        """Raise `StreamBroken` where the answer differs from what was sent.

        Thinking that turns out as such only at the very end is no difference: it did no harm.
        """
        if self._is_over and result.text.strip() not in "".join(self._texts):
            raise StreamBroken(
                "The model stopped in the middle of its answer, and another attempt succeeded.",
                hint="Send the request again.",
            )


def embeddings(vectors: Sequence[Vector], usage: Usage, model: str, *, packed: bool) -> Answer:
    """Return vectors as numbers, or `packed` as OpenAI's own client asks for them. Not for an event loop."""
    rows = [
        {"object": "embedding", "index": place, "embedding": _packed(vector) if packed else vector}
        for place, vector in enumerate(vectors)
    ]
    tokens = usage.prompt_tokens or 0
    counts = {"prompt_tokens": tokens, "total_tokens": tokens}
    return with_rows({"object": "list", "model": model, "usage": counts}, "data", rows)


def _packed(vector: Vector) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _head(kind: str, model: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": None,
    }


def _event(head: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return b"data: " + render({**head, "choices": [choice]}) + b"\n\n"


def _finish(result: Result) -> str:
    if result.tool_calls:
        return "tool_calls"
    return "stop" if result.finish_reason == "unknown" else result.finish_reason


def _usage(usage: Usage) -> dict[str, Any] | None:
    """Return the usage, None where the model did not count."""
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    counts: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
    return counts if usage.cost_usd is None else {**counts, "cost": usage.cost_usd}

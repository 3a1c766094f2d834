"""The rehearsal of a first call: all that litellm does for it, against an answer that is already here.

litellm, openai and httpx import a good part of themselves when a provider is first called, for a second or
more. A rehearsal makes them do so beforehand. Nothing is sent, and a failure of it costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

import httpx

from ...types import Chunk, Deployment, Message, Request, Secret
from ..http_client import bundles, trust

# What is imported when a connection is made, which none is here.
_CONNECTION = ("anyio._backends._asyncio", "httpcore._async.connection", "httpcore._async.http11")
_QUESTION = Request((Message("system", "Answer."), Message("user", "a fox")))
_KEY = Secret("rehearsal")
_ANSWER = (
    b'data: {"id": "0", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": '
    b'[{"index": 0, "delta": {"role": "assistant", "content": "a fox"}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
_LONGEST_S = 30.0

Attempt = Callable[[Request, Deployment], AsyncGenerator[Chunk, None]]


class Stage(httpx.AsyncBaseTransport):
    """A transport that sends nothing and has the same answer to all."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # A stream that ends at once to all others: litellm 1.83 reads on for ever in one of a foreign format.
        known = request.url.path.rstrip("/").endswith("/chat/completions")
        return httpx.Response(
            200, headers={"content-type": "text/event-stream"}, content=_ANSWER if known else b""
        )


def rehearse(attempt: Attempt, deployment: Deployment) -> None:
    """Play a call to `deployment` through `attempt`, on a loop of this thread's own: calls on the runner's
    would stand still meanwhile."""
    for module in _CONNECTION:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    with contextlib.suppress(Exception):
        httpx.AsyncHTTPTransport(verify=trust(bundles()))
    # A key has no part in it: what litellm would keep of it is nobody's.
    actor = replace(deployment, api_key=deployment.api_key and _KEY)
    with contextlib.closing(asyncio.new_event_loop()) as loop, contextlib.suppress(Exception):
        loop.run_until_complete(_play(attempt(_QUESTION, actor)))


async def _play(chunks: AsyncGenerator[Chunk, None]) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(_listen(chunks), _LONGEST_S)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _listen(chunks: AsyncGenerator[Chunk, None]) -> None:
    async with aclosing(chunks):
        async for _ in chunks:
            pass

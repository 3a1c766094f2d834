"""OpenAI's embeddings route. The vector of a text is made of its length and its letters."""

from __future__ import annotations

import asyncio
import base64
import struct
from typing import Any

from aiohttp import web

from wire.answers import Asked
from wire.faults import Behaviour
from wire.openai_format import OpenAIFormat

PATHS = (
    "/v1/embeddings",
    "/embeddings",
    "/api/v1/embeddings",
    "/v1beta/openai/embeddings",
    "/mistral/v1/embeddings",
    "/compatibility/v1/embeddings",
    "/openai/deployments/{deployment}/embeddings",
)
# A count that no client makes up by itself.
TOKENS_A_TEXT = 5
HANG_S = 3600.0


def vector_of(text: str) -> list[float]:
    """Numbers that a 32-bit float holds exactly."""
    return [float(len(text)), sum(text.encode()) % 97 / 4, 0.5]


def embeddings(server: Any) -> Any:
    """The route's handler on the imitation server."""
    fmt = OpenAIFormat()

    async def handle(request: web.Request) -> web.StreamResponse:
        asked, behaviour = await server.take(fmt, request)
        return await server.watched(asked, request, answer(request, asked, behaviour))

    async def answer(request: web.Request, asked: Asked, behaviour: Behaviour) -> web.StreamResponse:
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        if behaviour.hang or behaviour.silent:
            await asyncio.sleep(HANG_S)
        wrong = server.error_for(fmt, asked, behaviour, request)
        if wrong is not None:
            return web.json_response(fmt.error(*wrong), status=wrong[0])
        texts = asked.body["input"]
        texts = [texts] if isinstance(texts, str) else texts
        packed = asked.body.get("encoding_format") == "base64"
        rows = [
            {"object": "embedding", "index": place, "embedding": _written(vector_of(text), packed)}
            for place, text in enumerate(texts)
        ]
        if behaviour.cut:
            rows.pop()
        count = TOKENS_A_TEXT * len(texts)
        usage = {"prompt_tokens": count, "total_tokens": count}
        listed = {"object": "list", "data": rows[::-1], "model": asked.model, "usage": usage}
        return web.json_response({} if behaviour.garbage else listed)

    return handle


def _written(vector: list[float], packed: bool) -> list[float] | str:
    if not packed:
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

"""The backend for any server that speaks OpenAI's chat protocol: a LiteLLM proxy, vLLM, LM Studio, llama.cpp,
Ollama.

Plain aiohttp, which ComfyUI brings along: no SDK. Model ids are opaque.
Protocol: https://platform.openai.com/docs/api-reference/chat/streaming
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import errors
from ..redact import scrub
from ..types import Chunk, Deployment, Request
from .http_client import bearer, client, origin_of, wire_error
from .openai_embeddings import LONGEST_ANSWER as LONGEST_VECTORS
from .openai_embeddings import embedding_body, read_embeddings
from .openai_format import FrameReader, chat_messages, chat_parameters
from .sse import EventReader, EventTooLong
from .status_errors import error_from_status, is_overflow

if TYPE_CHECKING:
    import aiohttp

# What an error's body may hold of interest; the rest of a long page is not read.
_LONGEST_ERROR = 64 * 1024
_LONGEST_BODY = 8 * 1024 * 1024

# Parameters that some server or other has never heard of. One that is refused by name is left out (or
# renamed) and the call repeated, once each; what a server refused is remembered.
_CAN_DO_WITHOUT = (
    "stream_options",
    "response_format",
    "reasoning_effort",
    "seed",
    "top_p",
    "temperature",
    "max_tokens",
)
# The first two are ours and the third is renamed; answers are read with or without a format.
_NOT_MISSED = ("stream_options", "response_format", "max_tokens")

# What `extra` may not change: which model is asked, and how its answer is read.
_OURS = frozenset({"model", "messages", "stream"})


class OpenAICompatible:
    """A `StreamingBackend` for `Deployment.base_url`; the key goes to that origin and nowhere else."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, str], set[str]] = {}

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        if not deployment.base_url:
            raise errors.NotConfigured("No endpoint is set.", hint="Set LLM_BASE_URL.")
        if request.embed:
            yield await _embed(request, deployment)
            return
        refused = self._refused.setdefault((deployment.base_url, deployment.model), set())
        wanted = _body(request, deployment, ())
        for name in sorted(refused & wanted.keys()):
            yield _left_out(name, deployment)
        for _ in range(len(_CAN_DO_WITHOUT) + 1):
            body = _body(request, deployment, refused)
            droppable = [name for name in _CAN_DO_WITHOUT if name in body and name not in request.extra]
            parameter = None
            async with aclosing(_attempt(body, droppable, deployment)) as chunks:
                async for chunk in chunks:
                    if isinstance(chunk, _Unsupported):
                        parameter = chunk
                        break
                    yield chunk
            if parameter is None:
                return
            refused.add(parameter.name)
            yield _left_out(parameter.name, deployment)

    def forget_keys(self) -> None:
        """Forget nothing: a key travels with its own request."""

    async def close(self) -> None:
        await client.close()


class _Unsupported:
    """The server refused the parameter of that name."""

    def __init__(self, name: str) -> None:
        self.name = name


def _left_out(name: str, deployment: Deployment) -> Chunk:
    """A chunk that reports the parameter `name` as left out, where that makes a difference to the user."""
    if name in _NOT_MISSED:
        return Chunk()
    return Chunk(warning=f"{deployment.name} does not take {name}: it was left out.")


def chat_url(base_url: str) -> str:
    """The address of the chat route under `base_url`; a bare origin gets the usual ``/v1``."""
    base = base_url.rstrip("/")
    if base.endswith("/chat/completions"):
        return base
    if urlsplit(base).path in ("", "/"):
        base += "/v1"
    return base + "/chat/completions"


def embeddings_url(base_url: str) -> str:
    """The address of the embeddings route under `base_url`."""
    return chat_url(base_url).removesuffix("/chat/completions") + "/embeddings"


def _body(request: Request, deployment: Deployment, refused: Collection[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": deployment.model,
        "messages": chat_messages(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        **chat_parameters(request),
    }
    if request.reasoning != "default":
        body["reasoning_effort"] = "none" if request.reasoning == "off" else request.reasoning
    if "max_tokens" in refused and "max_tokens" in body:
        body["max_completion_tokens"] = body["max_tokens"]
    for name in refused:
        body.pop(name, None)
    body.update({name: value for name, value in request.extra.items() if name not in _OURS})
    return body


def _headers(deployment: Deployment) -> dict[str, str]:
    key = bearer(deployment.api_key, deployment.key_variable or "LLM_API_KEY")
    return {"Accept": "text/event-stream", **key}


async def _embed(request: Request, deployment: Deployment) -> Chunk:
    import aiohttp

    body, begun = embedding_body(request, deployment.model), False
    url, headers = embeddings_url(deployment.base_url or ""), _headers(deployment)
    try:
        async with client.post(url, body, {**headers, "Accept": "application/json"}) as response:
            if response.status != 200:
                await _refusal(response, (), deployment)
            begun = True
            raw = await _read_all(response, LONGEST_VECTORS, deployment)
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
        raise wire_error(error, deployment, begun=begun) from None
    # A thread, because many vectors are megabytes of digits and others stream on this loop.
    return await asyncio.to_thread(read_embeddings, raw, request, deployment)


async def _attempt(
    body: dict[str, Any], droppable: Collection[str], deployment: Deployment
) -> AsyncGenerator[Chunk | _Unsupported, None]:
    """Make one POST and read the answer; a parameter that the server does not know ends it."""
    import aiohttp

    begun = False
    try:
        async with client.post(chat_url(deployment.base_url or ""), body, _headers(deployment)) as response:
            if response.status != 200:
                yield await _refusal(response, droppable, deployment)
                return
            begun = True
            read = _events if _is_stream(response) else _whole
            async with aclosing(read(response, deployment)) as chunks:
                async for chunk in chunks:
                    yield chunk
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
        raise wire_error(error, deployment, begun=begun) from None


def _is_stream(response: aiohttp.ClientResponse) -> bool:
    return "json" not in response.content_type and "html" not in response.content_type


async def _refusal(
    response: aiohttp.ClientResponse, droppable: Collection[str], deployment: Deployment
) -> _Unsupported:
    text = (await response.content.read(_LONGEST_ERROR)).decode(errors="replace")
    if response.status in (400, 422) and not is_overflow(text):
        for name in droppable:
            if re.search(rf"\b{name}\b", text):
                return _Unsupported(name)
        if "max_completion_tokens" in text and "max_tokens" in droppable:
            return _Unsupported("max_tokens")
    raise error_from_status(response.status, text, deployment, response.headers)


async def _events(response: aiohttp.ClientResponse, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
    reader, begun, finished = EventReader(), False, False
    async for piece in response.content.iter_any():
        try:
            events = reader.feed(piece)
        except EventTooLong:
            raise errors.AnswerTooLarge(f"{deployment.name} sent one piece of more than 16 MB.") from None
        if not events:
            yield Chunk()  # comments and half frames are signs of life
            continue
        chunk, done = _read(events, deployment)
        begun, finished = True, finished or chunk.finish_reason is not None
        yield chunk
        if done:
            return
    rest = reader.finish()
    if rest:
        chunk, done = _read(rest, deployment)
        begun, finished = True, done or finished or chunk.finish_reason is not None
        yield chunk
    if not begun:
        raise errors.MalformedAnswer(f"{deployment.name} sent something that is not an answer.")
    if not finished:
        raise errors.StreamBroken(f"{deployment.name} broke off in the middle of its answer.")


async def _whole(response: aiohttp.ClientResponse, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
    """Read the answer of a server that does not stream."""
    body = await _read_all(response, _LONGEST_BODY, deployment)
    if "html" in response.content_type:
        raise errors.MalformedAnswer(
            f"{origin_of(deployment.base_url or '')} answered with a web page instead of a model's answer."
        )
    chunk, _ = _read([bytes(body)], deployment, whole=True)
    yield chunk


async def _read_all(response: aiohttp.ClientResponse, most: int, deployment: Deployment) -> bytearray:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > most:
            raise errors.AnswerTooLarge(f"{deployment.name} sent more than {most >> 20} MB.")
    return body


def _read(events: list[bytes], deployment: Deployment, *, whole: bool = False) -> tuple[Chunk, bool]:
    """Read the chunk that `events` (or one `whole` answer) make up, and whether it is the last."""
    frames = FrameReader()
    for data in events:
        if data == b"[DONE]":
            return frames.chunk(), True
        try:
            frame = json.loads(data)
            if isinstance(frame, dict) and frame.get("error") and not frame.get("choices"):
                raise _error_in_stream(frame["error"], data, deployment)
            if whole and not frame["choices"]:
                raise ValueError("an answer has choices")
            frames.add(frame)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            shown = scrub(data[:80].decode(errors="replace"), [deployment.api_key])
            raise errors.MalformedAnswer(
                f"{deployment.name} sent something that is not an answer: {' '.join(shown.split())!r}."
            ) from None
    return frames.chunk(), False


def _error_in_stream(error: object, data: bytes, deployment: Deployment) -> errors.LLMError:
    code = error.get("code") if isinstance(error, dict) else None
    status = int(str(code)) if re.fullmatch("[3-5][0-9][0-9]", str(code)) else 500
    return error_from_status(status, data.decode(errors="replace"), deployment)

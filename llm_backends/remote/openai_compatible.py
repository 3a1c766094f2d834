"""The backend for any server that speaks OpenAI's chat protocol: a LiteLLM proxy, vLLM, LM Studio, llama.cpp,
Ollama.

Plain aiohttp, which ComfyUI brings along: no SDK. Model ids are opaque.
Protocol: https://platform.openai.com/docs/api-reference/chat/streaming
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from .. import errors
from ..redact import scrub
from ..types import Chunk, Deployment, Request
from .addresses import key_headers, route
from .http_client import client, origin_of, wire_error
from .openai_embeddings import LONGEST_ANSWER as LONGEST_VECTORS
from .openai_embeddings import embedding_body, read_embeddings
from .openai_format import FrameReader, chat_messages, chat_parameters
from .openai_responses import respond
from .repairs import Form, Forms, Refusal
from .sse import EventReader, EventTooLong
from .status_errors import error_from_status

if TYPE_CHECKING:
    import aiohttp

# What an error's body may hold of interest; the rest of a long page is not read.
_LONGEST_ERROR = 64 * 1024
_LONGEST_BODY = 8 * 1024 * 1024

# What `extra` may not change: which model is asked, and how its answer is read.
_OURS = frozenset({"model", "messages", "stream"})


class OpenAICompatible:
    """A `StreamingBackend` for `Deployment.base_url`; the key goes to that origin and nowhere else."""

    def __init__(self) -> None:
        self._forms = Forms()

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        if not deployment.base_url:
            raise errors.NotConfigured("No endpoint is set.", hint="Set LLM_BASE_URL.")
        if request.embed:
            yield await _embed(request, deployment)
            return

        def attempt(request: Request, form: Form) -> AsyncGenerator[Chunk, None]:
            if form.by_responses:
                return respond(request, deployment, streams=form.streams)
            return _attempt(_body(request, deployment, form), deployment)

        async with aclosing(self._forms.stream(request, deployment, attempt)) as chunks:
            async for chunk in chunks:
                yield chunk

    def forget_keys(self) -> None:
        """Forget nothing: a key travels with its own request."""

    async def close(self) -> None:
        await client.close()


def _body(request: Request, deployment: Deployment, form: Form) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": deployment.model,
        "messages": chat_messages(request.messages),
        "stream": form.streams,
        **chat_parameters(request),
    }
    if form.streams and "stream_options" not in form.without:
        body["stream_options"] = {"include_usage": True}
    if request.reasoning != "default":
        body["reasoning_effort"] = "none" if request.reasoning == "off" else request.reasoning
    body.update({name: value for name, value in request.extra.items() if name not in _OURS})
    return body


async def _embed(request: Request, deployment: Deployment) -> Chunk:
    import aiohttp

    body, begun = embedding_body(request, deployment.model), False
    url = route(deployment.base_url or "", "/embeddings")
    headers = key_headers(url, deployment.api_key, deployment.key_variable or "LLM_API_KEY")
    try:
        async with client.post(url, body, {**headers, "Accept": "application/json"}) as response:
            if response.status != 200:
                raise (await _refusal(response, deployment)).error
            begun = True
            raw = await _read_all(response, LONGEST_VECTORS, deployment)
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
        raise wire_error(error, deployment, begun=begun) from None
    # A thread, because many vectors are megabytes of digits and others stream on this loop.
    return await asyncio.to_thread(read_embeddings, raw, request, deployment)


async def _attempt(body: dict[str, Any], deployment: Deployment) -> AsyncGenerator[Chunk, None]:
    """Make one POST and read the answer. Raises `Refusal` where there is none."""
    import aiohttp

    begun, url = False, route(deployment.base_url or "", "/chat/completions")
    key = key_headers(url, deployment.api_key, deployment.key_variable or "LLM_API_KEY")
    try:
        async with client.post(url, body, {"Accept": "text/event-stream", **key}) as response:
            if response.status != 200:
                raise await _refusal(response, deployment)
            begun = True
            read = _events if _is_stream(response) else _whole
            async with aclosing(read(response, deployment)) as chunks:
                async for chunk in chunks:
                    yield chunk
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
        raise wire_error(error, deployment, begun=begun) from None


def _is_stream(response: aiohttp.ClientResponse) -> bool:
    return "json" not in response.content_type and "html" not in response.content_type


async def _refusal(response: aiohttp.ClientResponse, deployment: Deployment) -> Refusal:
    text = (await response.content.read(_LONGEST_ERROR)).decode(errors="replace")
    return Refusal(error_from_status(response.status, text, deployment, response.headers), text)


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

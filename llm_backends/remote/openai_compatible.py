"""The backend for any server that speaks OpenAI's chat protocol: a LiteLLM proxy, vLLM, LM Studio, llama.cpp,
Ollama.

Plain aiohttp, which ComfyUI brings along: no SDK. Model ids are opaque.
Protocol: https://platform.openai.com/docs/api-reference/chat/streaming
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import errors
from ..types import Chunk, Deployment, Request
from .addresses import key_headers, route
from .answer_reader import read_answer
from .http_client import aiohttp_library, client, is_good, placed, read_refusal, wire_error
from .openai_embeddings import LONGEST_ANSWER as LONGEST_VECTORS
from .openai_embeddings import embedding_body, read_embeddings
from .openai_format import chat_messages, chat_parameters
from .openai_responses import respond
from .repairs import Form, Forms, Refusal
from .status_errors import error_from_status

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class Call:
    """A place to call: its address, the headers that carry the key, the deployment for messages."""

    url: str
    key: Mapping[str, str]
    deployment: Deployment


# What `extra` may not change: which model is asked, and how its answer is read.
NOT_EXTRA = frozenset({"model", "messages", "stream"})


class OpenAICompatible:
    """A `StreamingBackend` for `Deployment.base_url`; the key goes to that origin and nowhere else."""

    def __init__(self) -> None:
        self._forms = Forms()

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        if not deployment.base_url:
            raise errors.NotConfigured("No endpoint is set.", hint="Set LLM_BASE_URL.")
        if request.embed:
            yield await embed(request, _call(deployment, "/embeddings"), "base64")
            return

        def attempt(request: Request, form: Form) -> AsyncGenerator[Chunk, None]:
            if form.by_responses:
                return respond(request, deployment, streams=form.streams)
            return answer(_body(request, deployment, form), _call(deployment, "/chat/completions"))

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
    body.update({name: value for name, value in request.extra.items() if name not in NOT_EXTRA})
    return body


def _call(deployment: Deployment, path: str) -> Call:
    url = route(deployment.base_url or "", path)
    return Call(
        url, key_headers(url, deployment.api_key, deployment.key_variable or "LLM_API_KEY"), deployment
    )


async def embed(request: Request, call: Call, encoding: str = "float") -> Chunk:
    """Make one POST for vectors and read them. Raises `LLMError`."""
    aiohttp = aiohttp_library()

    deployment = call.deployment
    body, begun = embedding_body(request, deployment.model, encoding), False
    try:
        async with client.post(call.url, body, {**call.key, "Accept": "application/json"}) as response:
            if not is_good(response):
                raise (await _refusal(response, deployment)).error
            begun = True
            raw = await _read_all(response, LONGEST_VECTORS, deployment)
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
        raise wire_error(error, deployment, begun=begun) from None
    # A thread, because many vectors are megabytes of digits and others stream on this loop.
    return await asyncio.to_thread(read_embeddings, raw, request, deployment)


async def answer(body: dict[str, Any], call: Call) -> AsyncGenerator[Chunk, None]:
    """Make one POST and read the answer. Raises `Refusal` where there is none."""
    aiohttp = aiohttp_library()

    begun, deployment = False, call.deployment
    try:
        async with client.post(call.url, body, {"Accept": "text/event-stream", **call.key}) as response:
            if not is_good(response):
                raise await _refusal(response, deployment)
            begun = True
            async with aclosing(read_answer(response, deployment)) as chunks:
                async for chunk in chunks:
                    yield chunk
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
        raise wire_error(error, deployment, begun=begun) from None


async def _refusal(response: aiohttp.ClientResponse, deployment: Deployment) -> Refusal:
    text = await read_refusal(response)
    error = error_from_status(response.status, text, deployment, response.headers)
    return Refusal(placed(error, str(response.url), text), text)


async def _read_all(response: aiohttp.ClientResponse, most: int, deployment: Deployment) -> bytearray:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > most:
            raise errors.AnswerTooLarge(f"{deployment.name} sent more than {most >> 20} MB.")
    return body

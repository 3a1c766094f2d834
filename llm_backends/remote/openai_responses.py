"""OpenAI's Responses API, on which some of its models answer only (gpt-5-pro, gpt-5-codex, o3-pro).

Our own, since litellm's way there needs a library that it does not bring.
Protocol: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import errors
from ..types import Chunk, Deployment, Message, Request, ToolCallDelta, Usage
from .addresses import key_headers, route
from .answer_decoder import DONE, AnswerDecoder, Event, EventTooLong
from .http_client import aiohttp_library, client, is_good, placed, read_refusal, wire_error
from .openai_format import TOOL_CHOICES, data_url, response_format
from .repairs import Refusal
from .status_errors import error_from_status

if TYPE_CHECKING:
    import aiohttp

_LONGEST_BODY = 8 * 1024 * 1024
_TEXT = "response.output_text.delta"
_REFUSAL = "response.refusal.delta"
_THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_ENDS = ("response.completed", "response.incomplete")
_OURS = frozenset({"model", "input", "stream", "max_completion_tokens", "reasoning_effort"})


def responses_place(deployment: Deployment) -> Deployment | None:
    """The deployment as it is called here; None for a provider that has no such API."""
    prefix = deployment.params.get("custom_llm_provider", deployment.provider)
    if prefix == "azure":
        return replace(deployment, base_url=f"{(deployment.base_url or '').rstrip('/')}/openai/v1")
    return deployment if prefix in ("openai", "xai") else None


async def respond(
    request: Request, deployment: Deployment, *, streams: bool = True
) -> AsyncGenerator[Chunk, None]:
    """Make one POST and read the answer. Raises `Refusal` where there is none."""
    aiohttp = aiohttp_library()

    begun, url = False, route(deployment.base_url or "", "/responses")
    accept = {"Accept": "text/event-stream" if streams else "application/json"}
    key = key_headers(url, deployment.api_key, deployment.key_variable or "LLM_API_KEY")
    try:
        async with client.post(
            url, responses_body(request, deployment, streams), {**accept, **key}
        ) as response:
            if not is_good(response):
                text = await read_refusal(response)
                error = error_from_status(response.status, text, deployment, response.headers)
                raise Refusal(placed(error, url, text), text)
            begun = True
            if request.seed is not None:
                yield Chunk(warning=f"{deployment.name} does not support seed, so it was left out.")
            if "json" in response.content_type:
                yield await _whole(response, deployment)
                return
            async with aclosing(_events(response, deployment)) as chunks:
                async for chunk in chunks:
                    yield chunk
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
        raise wire_error(error, deployment, begun=begun) from None


def responses_body(request: Request, deployment: Deployment, streams: bool) -> dict[str, Any]:
    """The request in this API's form. There is no seed in it."""
    tokens = request.max_tokens or request.extra.get("max_completion_tokens")
    effort = request.extra.get("reasoning_effort") or (
        None
        if request.reasoning == "default"
        else "none"
        if request.reasoning == "off"
        else request.reasoning
    )
    wanted: dict[str, Any] = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        # Less is refused.
        "max_output_tokens": None if tokens is None else max(16, tokens),
        "reasoning": {"effort": effort} if effort else None,
        "tools": [
            {"type": "function", "name": tool.name, "description": tool.description, "strict": False}
            | {"parameters": dict(tool.parameters)}
            for tool in request.tools
        ]
        or None,
        "tool_choice": _tool_choice(request.tool_choice),
    }
    if request.schema is not None:
        asked = response_format(request.schema_name, request.schema)
        wanted["text"] = {"format": {"type": asked["type"], **asked["json_schema"]}}
    return {
        "model": deployment.model,
        "input": [item for message in request.messages for item in _items(message)],
        "stream": streams,
        # What is said is kept for thirty days otherwise.
        "store": False,
        **{name: value for name, value in wanted.items() if value is not None},
        **{name: value for name, value in request.extra.items() if name not in _OURS},
    }


def _items(message: Message) -> Iterator[dict[str, Any]]:
    if message.tool_call_id is not None:
        yield {"type": "function_call_output", "call_id": message.tool_call_id, "output": message.content}
        return
    if message.images:
        text = [{"type": "input_text", "text": message.content}] if message.content else []
        pictures = [
            {"type": "input_image", "image_url": data_url(image.media_type, image.data)}
            for image in message.images
        ]
        yield {"role": message.role, "content": [*text, *pictures]}
    elif message.content:
        yield {"role": message.role, "content": message.content}
    for call in message.tool_calls:
        yield {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }


def _tool_choice(choice: str | None) -> Any:
    return choice if choice is None or choice in TOOL_CHOICES else {"type": "function", "name": choice}


async def _events(response: aiohttp.ClientResponse, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
    decoder, finished = AnswerDecoder(), False
    try:
        async for piece in response.content.iter_any():
            events = decoder.feed(piece)
            if not events:
                yield Chunk()  # half an event is a sign of life
            for event in events:
                chunk = _read(event, deployment)
                finished = finished or chunk.finish_reason is not None
                yield chunk
        for event in decoder.finish():
            chunk = _read(event, deployment)
            finished = finished or chunk.finish_reason is not None
            yield chunk
    except EventTooLong:
        raise errors.AnswerTooLarge(f"{deployment.name} sent a single chunk of more than 16 MB.") from None
    if not finished:
        raise errors.StreamBroken(f"{deployment.name} stopped in the middle of its answer.")


async def _whole(response: aiohttp.ClientResponse, deployment: Deployment) -> Chunk:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _LONGEST_BODY:
            raise errors.AnswerTooLarge(f"{deployment.name} sent more than {_LONGEST_BODY >> 20} MB.")
    try:
        answer = json.loads(body)
        if answer.get("error"):
            raise _fault(answer["error"], deployment)
        parts = [
            part
            for item in answer["output"]
            if item.get("type") == "message"
            for part in item.get("content") or ()
        ]
        calls = [item for item in answer["output"] if item.get("type") == "function_call"]
        end = _end(answer)
        return replace(
            end,
            text="".join(part.get("text") or "" for part in parts),
            tool_calls=tuple(
                ToolCallDelta(place, call.get("call_id", ""), call.get("name", ""), call.get("arguments", ""))
                for place, call in enumerate(calls)
            ),
            finish_reason="content_filter"
            if any(part.get("type") == "refusal" for part in parts)
            else "tool_calls"
            if calls and end.finish_reason == "stop"
            else end.finish_reason,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise errors.MalformedAnswer(f"{deployment.name} sent an invalid answer.") from None


def _read(read: Event, deployment: Deployment) -> Chunk:
    """Read one event; of most kinds there is nothing to read."""
    if read.is_text or read.data == DONE:
        return Chunk()
    try:
        event = json.loads(read.data)
        kind = event.get("type", "")
        if kind == _TEXT:
            return Chunk(text=event["delta"])
        if kind in _THOUGHTS:
            return Chunk(reasoning=event["delta"])
        if kind == _REFUSAL:
            return Chunk(finish_reason="content_filter")
        if kind == "response.output_item.added" and event["item"].get("type") == "function_call":
            item = event["item"]
            return Chunk(tool_calls=(ToolCallDelta(event["output_index"], item["call_id"], item["name"]),))
        if kind == "response.function_call_arguments.delta":
            return Chunk(tool_calls=(ToolCallDelta(event["output_index"], arguments=event["delta"]),))
        if kind in _ENDS:
            end = _end(event["response"])
            called = any(
                item.get("type") == "function_call" for item in event["response"].get("output") or ()
            )
            return replace(end, finish_reason="tool_calls") if called and end.finish_reason == "stop" else end
        fault = event.get("error") if kind != "response.failed" else event["response"].get("error")
        if kind in ("error", "response.failed") or fault:
            raise _fault(fault or event, deployment)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise errors.MalformedAnswer(f"{deployment.name} sent an invalid answer.") from None
    return Chunk()


def _end(response: Mapping[str, Any]) -> Chunk:
    usage, why = response.get("usage") or {}, (response.get("incomplete_details") or {}).get("reason")
    return Chunk(
        usage=Usage(usage.get("input_tokens"), usage.get("output_tokens")) if usage else None,
        finish_reason="content_filter" if why == "content_filter" else "length" if why else "stop",
        model=response.get("model"),
    )


def _fault(fault: Mapping[str, Any], deployment: Deployment) -> errors.LLMError:
    code = str(fault.get("code"))
    status = {"rate_limit_exceeded": 429, "server_error": 500, "insufficient_quota": 429}.get(code, 400)
    return error_from_status(status, json.dumps({"error": fault}, default=str), deployment)

"""Conversion between LangChain's messages and ours, and of our answers to LangChain's."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk

from ...llm_backends.errors import BadRequest
from ...llm_backends.types import Chunk, Image, Message, Result, Role, Tool, ToolCall, Usage

_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "human": "user"}
_ROLES |= {"assistant": "assistant", "ai": "assistant"}
# Content that a model wrote beside its text. It is not sent back; tool calls are, from their own field.
_NOT_SENT_BACK = ("reasoning", "thinking", "redacted_thinking", "tool_use", "tool_call", "tool_call_chunk")


def our_messages(messages: Iterable[BaseMessage]) -> tuple[Message, ...]:
    """Convert the messages to ours.

    Raises `BadRequest` for what no model of ours could be sent: audio, files, pictures by address.
    """
    return tuple(_our_message(message) for message in messages)


def _our_message(message: BaseMessage) -> Message:
    text, images = _content(message.content)
    if isinstance(message, ToolMessage):
        return Message("tool", text, tool_call_id=message.tool_call_id)
    if isinstance(message, AIMessage):
        calls = [
            *(ToolCall(one["id"] or "", one["name"], json.dumps(one["args"])) for one in message.tool_calls),
            *(
                ToolCall(one["id"] or "", one["name"] or "", one["args"] or "")
                for one in message.invalid_tool_calls
            ),
        ]
        return Message("assistant", text, tool_calls=tuple(calls))
    return Message(_role(message), text, images)


def _role(message: BaseMessage) -> Role:
    if isinstance(message, SystemMessage):
        return "system"
    if isinstance(message, HumanMessage):
        return "user"
    role = _ROLES.get(message.role) if isinstance(message, ChatMessage) else None
    if role is None:
        raise BadRequest(
            f"Messages of the type {message.type!r} cannot be sent to a model.",
            hint="Use system, human, ai and tool messages.",
        )
    return role


def _content(content: str | list[Any]) -> tuple[str, tuple[Image, ...]]:
    if isinstance(content, str):
        return content, ()
    texts, images = [], []
    for block in content:
        kind = "text" if isinstance(block, str) else block.get("type", "text")
        if isinstance(block, str):
            texts.append(block)
        elif kind == "text":
            texts.append(block.get("text") or "")
        elif kind in ("image", "image_url"):
            images.append(_image(block))
        elif kind not in _NOT_SENT_BACK:
            raise BadRequest(
                f"Content of the type {kind!r} cannot be sent to a model.", hint="Send text and images."
            )
    return "\n".join(text for text in texts if text), tuple(images)


def _image(block: Mapping[str, Any]) -> Image:
    """Return the picture from any form that LangChain has had for one; by its bytes, never by address."""
    url = block.get("image_url") or block.get("url") or ""
    url = url.get("url", "") if isinstance(url, Mapping) else url
    source = block.get("source")  # as Anthropic writes it
    if isinstance(source, Mapping):
        kind, data = source.get("media_type"), source.get("data")
    elif str(url).startswith("data:"):
        head, _, data = str(url)[5:].partition(",")
        kind = head.partition(";")[0]
    else:
        kind, data = block.get("mime_type"), block.get("base64") or block.get("data")
    if not data or not str(kind).startswith("image/"):
        raise BadRequest(
            "An image must be sent with its data: nothing is fetched from an address.",
            hint='Use {"type": "image", "base64": "...", "mime_type": "image/png"}.',
        )
    try:
        return Image(str(kind), base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise BadRequest("The data of an image is not valid base64.") from None


def our_tools(tools: Iterable[Mapping[str, Any]]) -> tuple[Tool, ...]:
    """Convert tools from OpenAI's form, which LangChain makes of everything that it takes for a tool."""
    functions = [tool["function"] for tool in tools]
    return tuple(
        Tool(one["name"], one.get("description") or "", one.get("parameters") or {}) for one in functions
    )


def ai_message(result: Result) -> AIMessage:
    """Build LangChain's message; `invalid_tool_calls` are the calls whose arguments are not JSON objects."""
    calls, invalid = [], []
    for call in result.tool_calls:
        try:
            arguments = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError):
            arguments = None
        if isinstance(arguments, dict):
            calls.append(tool_call(name=call.name, args=arguments, id=call.id))
        else:
            invalid.append(
                invalid_tool_call(
                    name=call.name,
                    args=call.arguments,
                    id=call.id,
                    error="The arguments are not a JSON object.",
                )
            )
    return AIMessage(
        content=result.text,
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=_usage(result.usage),
        additional_kwargs={"reasoning_content": result.reasoning} if result.reasoning else {},
        response_metadata={
            "model_name": result.model,
            "model_provider": result.provider,
            "finish_reason": result.finish_reason,
            "cost_usd": result.usage.cost_usd,
            "warnings": list(result.warnings),
        },
    )


def ai_chunk(chunk: Chunk) -> AIMessageChunk:
    ended = {"model_name": chunk.model or "", "finish_reason": chunk.finish_reason}
    return AIMessageChunk(
        content=chunk.text,
        tool_call_chunks=[
            tool_call_chunk(
                name=delta.name or None, args=delta.arguments, id=delta.id or None, index=delta.index
            )
            for delta in chunk.tool_calls
        ],
        usage_metadata=_usage(chunk.usage),
        additional_kwargs={"reasoning_content": chunk.reasoning} if chunk.reasoning else {},
        response_metadata=ended if chunk.finish_reason else {},
    )


def _usage(usage: Usage | None) -> UsageMetadata | None:
    """Return the usage, None where the tokens are unknown: LangChain has no value for that."""
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    read, written = usage.prompt_tokens, usage.completion_tokens
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)

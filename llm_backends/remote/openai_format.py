"""OpenAI's chat format, which half of the world's servers speak: the requests."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from ..types import Message, Request, Tool

TOOL_CHOICES = ("auto", "none", "required")
# Characters of base64 that no two pictures of one question have in common.
_ENOUGH = 48


def chat_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Convert messages into OpenAI's format; pictures become data URLs."""
    return [_chat_message(message) for message in messages]


def _chat_message(message: Message) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        wire["content"] = [
            # An empty text beside a picture is refused by some.
            *([{"type": "text", "text": message.content}] if message.content else []),
            *(
                {"type": "image_url", "image_url": {"url": data_url(image.media_type, image.data)}}
                for image in message.images
            ),
        ]
    if message.tool_calls:
        wire["content"] = message.content or None  # a text that is empty is refused by some
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def picture_ends(messages: Iterable[Message]) -> tuple[bytes, ...]:
    """The end of each picture's base64, by which a request of any form is checked for it."""
    images = [image.data for message in messages for image in message.images]
    return tuple(base64.b64encode(data)[-_ENOUGH:].rstrip(b"=") for data in images)


def data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def chat_tools(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in tools
    ]


def response_format(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The ``response_format`` that asks for answers of this JSON schema."""
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "schema": dict(schema), "strict": True},
    }


def chat_parameters(request: Request) -> dict[str, Any]:
    """The parameters of a chat call besides its model and messages, only those that were requested."""
    wanted: dict[str, Any] = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "tools": chat_tools(request.tools) or None,
        "tool_choice": _tool_choice(request.tool_choice),
        "response_format": response_format(request.schema_name, request.schema) if request.schema else None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _tool_choice(choice: str | None) -> Any:
    """The wire form of `choice`: one of OpenAI's words as it is, a tool's name as an object."""
    if choice is None or choice in TOOL_CHOICES:
        return choice
    return {"type": "function", "function": {"name": choice}}

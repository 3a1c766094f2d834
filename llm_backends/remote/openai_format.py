"""OpenAI's chat format, which half of the world's servers speak: requests out, chunks in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..types import Chunk, FinishReason, Message, Request, Tool, ToolCallDelta, Usage

TOOL_CHOICES = ("auto", "none", "required")
# Characters of base64 that no two pictures of one question have in common.
_ENOUGH = 48
FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}


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


class FrameReader:
    """A reader that joins the frames of a stream that came in one piece into one `Chunk`."""

    __slots__ = ("_finish", "_model", "_reasoning", "_texts", "_tools", "_usage")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._tools: list[ToolCallDelta] = []
        self._usage: Usage | None = None
        self._finish: FinishReason | None = None
        self._model: str | None = None

    def add(self, data: Mapping[str, Any]) -> None:
        """Add one frame, or a whole answer.

        Raises (KeyError, TypeError, AttributeError, ValueError) for data that is not of the format.
        """
        choices = data.get("choices")
        if choices:
            choice = choices[0]
            delta = choice.get("delta") or choice.get("message") or {}
            content = delta.get("content")
            if content:
                self._texts.append(content if isinstance(content, str) else _text_of(content))
            reasoning = delta.get("reasoning_content") or delta.get("reasoning")
            if reasoning:
                self._reasoning.append(_text_of(reasoning))
            for place, call in enumerate(delta.get("tool_calls") or ()):
                self._tools.append(_tool_delta(place, call))
            finish = choice.get("finish_reason")
            if finish:
                self._finish = FINISH_REASONS.get(finish, "unknown")
        usage = data.get("usage")
        if usage:
            self._usage = read_usage(usage)
        self._model = self._model or data.get("model") or None

    def chunk(self) -> Chunk:
        """All frames so far as one chunk."""
        return Chunk(
            "".join(self._texts),
            "".join(self._reasoning),
            tuple(self._tools),
            self._usage,
            self._finish,
            self._model,
        )


def _text_of(content: Any) -> str:
    """The text of `content`, which with some servers is a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content if isinstance(part, dict))


def _tool_delta(place: int, call: Mapping[str, Any]) -> ToolCallDelta:
    function, index = call.get("function") or {}, call.get("index")
    arguments = function.get("arguments") or ""
    return ToolCallDelta(
        index=index if isinstance(index, int) else place,
        id=call.get("id") or "",
        name=function.get("name") or "",
        arguments=arguments if isinstance(arguments, str) else json.dumps(arguments),
    )


def read_usage(usage: Any) -> Usage | None:
    """Read the tokens, and the cost if reported (OpenRouter does); None where the server reports neither."""
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cost_usd=float(cost) if isinstance(cost, (int, float)) else None,
    )


def _count(number: Any) -> int | None:
    return number if isinstance(number, int) else None

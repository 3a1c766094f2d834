"""Anthropic messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked

_STOP = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class AnthropicFormat:
    name = "anthropic"
    stream_type = "text/event-stream"
    preamble = 2
    blind = (400, "This model does not support image input.")

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        messages = body.get("messages") or []
        tools = tuple(tool["name"] for tool in body.get("tools") or [])
        forced = (body.get("tool_choice") or {}).get("name") == "json_tool_call"
        return Asked(
            model=str(body.get("model", "")),
            stream=bool(body.get("stream")),
            body=body,
            last_text=_plain(messages[-1].get("content")) if messages else "",
            tools=tools,
            forced_json="json_tool_call" if forced else None,
        )

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        if thought := answer.thought:
            content.append({"type": "thinking", "thinking": thought, "signature": "c2ln"})
        if text := answer.text:
            content.append({"type": "text", "text": text})
        for id_, name, arguments in answer.calls:
            content.append({"type": "tool_use", "id": id_, "name": name, "input": json.loads(arguments)})
        message = self._message(asked, answer)
        usage = {**message["usage"], "output_tokens": answer.usage[1] if answer.usage else 0}
        return {**message, "content": content, "stop_reason": _STOP[answer.finish], "usage": usage}

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        yield _event({"type": "message_start", "message": self._message(asked, answer)})
        blocks: list[tuple[dict[str, Any], str, str, Any]] = []
        if answer.reasoning:
            start = {"type": "thinking", "thinking": "", "signature": ""}
            blocks.append((start, "thinking_delta", "thinking", answer.reasoning))
        if answer.pieces:
            blocks.append(({"type": "text", "text": ""}, "text_delta", "text", answer.pieces))
        for id_, name, arguments in answer.calls:
            start = {"type": "tool_use", "id": id_, "name": name, "input": {}}
            blocks.append((start, "input_json_delta", "partial_json", (arguments[:9], arguments[9:])))
        for index, (start, kind, name, pieces) in enumerate(blocks):
            yield _event({"type": "content_block_start", "index": index, "content_block": start})
            for piece in pieces:
                delta = {"type": kind, name: piece}
                yield _event({"type": "content_block_delta", "index": index, "delta": delta})
            yield _event({"type": "content_block_stop", "index": index})
        tail: dict[str, Any] = {
            "type": "message_delta",
            "delta": {"stop_reason": _STOP[answer.finish], "stop_sequence": None},
            "usage": {"output_tokens": answer.usage[1] if answer.usage else 0},
        }
        yield _event(tail)
        yield _event({"type": "message_stop"})

    def error(self, status: int, message: str, *, overflow: bool = False) -> dict[str, Any]:
        text = "prompt is too long: 9000 tokens > 4096 maximum" if overflow else message
        return {"type": "error", "error": {"type": _KINDS.get(status, "api_error"), "message": text}}

    def stream_error(self, message: str) -> bytes:
        return _event({"type": "error", "error": {"type": "overloaded_error", "message": message}})

    def _message(self, asked: Asked, answer: Answer) -> dict[str, Any]:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": answer.usage[0] if answer.usage else 0, "output_tokens": 1},
        }


def _event(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part.get("type") == "text")
    return str(content or "")

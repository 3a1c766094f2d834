"""OpenAI chat completions: OpenAI itself and all servers that speak its format (vLLM, Groq, Mistral …)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked

_KINDS = {401: "invalid_request_error", 403: "permission_error", 404: "invalid_request_error", 429: "tokens"}


class OpenAIFormat:
    name = "openai"
    stream_type = "text/event-stream"
    # Frames before the first piece of text; faults in the middle of a stream come right after that piece.
    preamble = 1
    blind = (400, "Invalid content type. image_url is only supported by certain models.")

    def __init__(self, *, reasoning: str = "reasoning_content", counts_unasked: bool = False) -> None:
        self._reasoning = reasoning
        self._counts_unasked = counts_unasked

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        messages = body.get("messages") or []
        tools = tuple(tool["function"]["name"] for tool in body.get("tools") or [])
        forced = None
        if isinstance(body.get("tool_choice"), dict) and "json_tool_call" in tools:
            forced = "json_tool_call"
        return Asked(
            model=request.match_info.get("deployment") or str(body.get("model", "")),
            stream=bool(body.get("stream")),
            body=body,
            last_text=_plain(messages[-1].get("content")) if messages else "",
            tools=tools,
            forced_json=forced,
        )

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
        if not answer.calls and answer.finish == "stop":
            message["content"] = answer.text
        if thought := answer.thought:
            message[self._reasoning] = thought
        if answer.calls:
            message["tool_calls"] = [
                {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
                for id_, name, arguments in answer.calls
            ]
        reply = self._envelope(asked, "chat.completion")
        reply["choices"] = [
            {"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}
        ]
        if answer.usage:
            reply["usage"] = _usage(answer)
        return reply

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        yield self._delta(asked, {"role": "assistant", "content": ""})
        for piece in answer.reasoning:
            yield self._delta(asked, {self._reasoning: piece})
        for piece in answer.pieces:
            yield self._delta(asked, {"content": piece})
        for index, (id_, name, arguments) in enumerate(answer.calls):
            head = {
                "index": index,
                "id": id_,
                "type": "function",
                "function": {"name": name, "arguments": ""},
            }
            yield self._delta(asked, {"tool_calls": [head]})
            for part in (arguments[:9], arguments[9:]):
                yield self._delta(asked, {"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        if self._counts_unasked and answer.usage:
            last = self._envelope(asked, "chat.completion.chunk")
            choice = {"index": 0, "delta": {"content": ""}, "finish_reason": answer.finish}
            yield event({**last, "choices": [choice], "usage": _usage(answer)})
            yield b"data: [DONE]\n\n"
            return
        yield self._delta(asked, {}, finish=answer.finish)
        if answer.usage and (asked.body.get("stream_options") or {}).get("include_usage"):
            tail = self._envelope(asked, "chat.completion.chunk")
            yield event({**tail, "choices": [], "usage": _usage(answer)})
        yield b"data: [DONE]\n\n"

    def error(self, status: int, message: str, *, overflow: bool = False) -> dict[str, Any]:
        if overflow:
            text = (
                "This model's maximum context length is 4096 tokens. However, your messages resulted in "
                "9000 tokens. Please reduce the length of the messages."
            )
            code: str | None = "context_length_exceeded"
        else:
            text, code = message, {401: "invalid_api_key", 404: "model_not_found"}.get(status)
        kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
        return {"error": {"message": text, "type": kind, "param": None, "code": code}}

    def stream_error(self, message: str) -> bytes:
        return event({"error": {"message": message, "type": "server_error", "code": 500}})

    def _delta(self, asked: Asked, delta: dict[str, Any], finish: str | None = None) -> bytes:
        frame = self._envelope(asked, "chat.completion.chunk")
        return event({**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def _envelope(self, asked: Asked, kind: str) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": kind,
            "created": 1763650000,
            "model": asked.model,
            "service_tier": "default",
            "system_fingerprint": "fp_fox",
        }


def event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part.get("type") == "text")
    return str(content or "")


def _usage(answer: Answer) -> dict[str, float]:
    read, written = answer.usage or (0, 0)
    counts = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return counts if answer.cost is None else {**counts, "cost": answer.cost}

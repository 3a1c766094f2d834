"""Ollama's own /api: chat, generate (with unloading), tags, show, ps, version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked


class OllamaFormat:
    name = "ollama"
    stream_type = "application/x-ndjson"
    preamble = 0
    blind = (500, "this model is missing data required for image input")

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        messages = body.get("messages") or [{"content": body.get("prompt", "")}]
        return Asked(
            model=str(body.get("model", "")),
            # Ollama streams unless told not to.
            stream=body.get("stream", True) is not False,
            body=body,
            last_text=str(messages[-1].get("content") or ""),
            tools=tuple(tool["function"]["name"] for tool in body.get("tools") or []),
        )

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text}
        if thought := answer.thought:
            message["thinking"] = thought
        if answer.calls:
            message["tool_calls"] = _calls(answer)
        return self._last(asked, answer, message)

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        for piece in answer.reasoning:
            yield _line(self._frame(asked, {"role": "assistant", "content": "", "thinking": piece}))
        for piece in answer.pieces:
            yield _line(self._frame(asked, {"role": "assistant", "content": piece}))
        if answer.calls:
            message = {"role": "assistant", "content": "", "tool_calls": _calls(answer)}
            yield _line(self._frame(asked, message))
        yield _line(self._last(asked, answer, {"role": "assistant", "content": ""}))

    def error(self, status: int, message: str, *, overflow: bool = False) -> dict[str, Any]:
        if overflow:
            return {"error": "the input length exceeds the context length"}
        return {"error": 'model "fox" not found, try pulling it first' if status == 404 else message}

    def stream_error(self, message: str) -> bytes:
        return _line({"error": message})

    def _frame(self, asked: Asked, message: dict[str, Any]) -> dict[str, Any]:
        frame = {"model": asked.model, "created_at": "2026-11-20T12:00:00Z", "done": False}
        if "messages" in asked.body:
            return {**frame, "message": message}
        return {**frame, "response": message["content"]}

    def _last(self, asked: Asked, answer: Answer, message: dict[str, Any]) -> dict[str, Any]:
        reason = "length" if answer.finish == "length" else "stop"
        frame = {**self._frame(asked, message), "done": True, "done_reason": reason, "total_duration": 5}
        if answer.usage:
            frame |= {"prompt_eval_count": answer.usage[0], "eval_count": answer.usage[1]}
        return frame


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [{"function": {"name": name, "arguments": json.loads(text)}} for _, name, text in answer.calls]


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode() + b"\n"

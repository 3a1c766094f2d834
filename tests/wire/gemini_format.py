"""Google's generateContent and streamGenerateContent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked

_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GeminiFormat:
    name = "gemini"
    stream_type = "text/event-stream"
    preamble = 0
    blind = (400, "Image input modality is not enabled for models/fox")
    # Google answers a wrong key with 400, not with 401.
    bad_key = (400, "API key not valid. Please pass a valid API key.")

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        contents = body.get("contents") or []
        declared = [
            one["name"]
            for tool in body.get("tools") or []
            for one in tool.get("function_declarations") or tool.get("functionDeclarations") or []
        ]
        parts = contents[-1].get("parts") or [] if contents else []
        return Asked(
            model=request.match_info["model"],
            stream=request.match_info["verb"] == "streamGenerateContent",
            body=body,
            last_text="".join(part.get("text", "") for part in parts),
            tools=tuple(declared),
        )

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        if thought := answer.thought:
            parts.append({"text": thought, "thought": True})
        if text := answer.text:
            parts.append({"text": text})
        return self._frame(asked, parts + _calls(answer), answer, finish=answer.finish)

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        for piece in answer.reasoning:
            yield _event(self._frame(asked, [{"text": piece, "thought": True}], None))
        for piece in answer.pieces:
            yield _event(self._frame(asked, [{"text": piece}], None))
        yield _event(self._frame(asked, _calls(answer), answer, finish=answer.finish))

    def error(self, status: int, message: str, *, overflow: bool = False) -> dict[str, Any]:
        if overflow:
            message = "The input token count (9000) exceeds the maximum number of tokens allowed (4096)."
        return {"error": {"code": status, "message": message, "status": _STATUS.get(status, "INTERNAL")}}

    def stream_error(self, message: str) -> bytes:
        return _event(self.error(503, message))

    def _frame(
        self, asked: Asked, parts: list[dict[str, Any]], answer: Answer | None, finish: str | None = None
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = _FINISH[finish]
        frame: dict[str, Any] = {"candidates": [candidate], "modelVersion": asked.model, "responseId": "r1"}
        if answer is not None and answer.usage:
            into, out = answer.usage
            frame["usageMetadata"] = {
                "promptTokenCount": into,
                "candidatesTokenCount": out,
                "totalTokenCount": into + out,
            }
        return frame


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {"functionCall": {"name": name, "args": json.loads(arguments)}} for _, name, arguments in answer.calls
    ]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\r\n\r\n"

"""The formats of clouds: watsonx, SageMaker (in AWS's framing), Oracle's own; and token services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked
from wire.bedrock_format import aws_event
from wire.openai_format import OpenAIFormat, event


class WatsonxFormat(OpenAIFormat):
    name = "watsonx"

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        asked = super().read(request, body)
        return replace(asked, model=str(body.get("model_id", "")), stream=request.path.endswith("_stream"))


class SageMakerFormat(OpenAIFormat):
    name = "sagemaker"
    stream_type = "application/vnd.amazon.eventstream"

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        asked = super().read(request, body)
        stream = request.path.endswith("-stream")
        return replace(asked, model=request.match_info["model"], stream=stream)

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        for frame in super().frames(answer, asked):
            if b"[DONE]" not in frame:
                yield aws_event("PayloadPart", frame)


class OracleFormat(OpenAIFormat):
    name = "oci"

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        asked = super().read(request, {})
        model = str(body.get("servingMode", {}).get("modelId", ""))
        return replace(asked, model=model, stream=bool(body.get("chatRequest", {}).get("isStream")))

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        choice = {"index": 0, "message": _said(answer.text), "finishReason": "stop", "logprobs": None}
        chat = {
            "apiFormat": "GENERIC",
            "timeCreated": "2026-01-01T00:00:00.000Z",
            "choices": [choice],
            "usage": {"promptTokens": 11, "completionTokens": 7, "totalTokens": 18},
        }
        return {"modelId": asked.model, "modelVersion": "1.0.0", "chatResponse": chat}

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        for piece in answer.pieces:
            yield event({"index": 0, "message": _said(piece), "pad": "aa"})
        yield event({"finishReason": "stop", "pad": "a"})


def _said(text: str) -> dict[str, Any]:
    return {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": text}]}


def token_of(provider: str) -> str:
    """The token that the token service of `provider` gives out."""
    return f"planted-token-of-{provider}-0123456789"


def token_service(server: Any) -> Any:
    """The route of all token services, ``/at/{provider}/token``: `server.token_refusal` makes it refuse."""

    async def handle(request: web.Request) -> web.Response:
        server.note(request, await request.read())
        server.token_log.append(server.log.pop())
        if server.token_refusal is not None:
            status, answer = server.token_refusal
            return web.json_response(answer, status=status)
        token = token_of(request.match_info["provider"])
        return web.Response(
            text=json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}),
            content_type="application/json",
        )

    return handle

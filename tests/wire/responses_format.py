"""OpenAI's Responses API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked
from wire.openai_format import OpenAIFormat

_WHY = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponsesFormat(OpenAIFormat):
    name = "responses"

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        last = body["input"][-1].get("content") or ""
        return Asked(
            model=str(body.get("model", "")),
            stream=bool(body.get("stream")),
            body=body,
            last_text=last if isinstance(last, str) else "".join(part.get("text", "") for part in last),
            tools=tuple(tool["name"] for tool in body.get("tools") or []),
            forced_json=None,
        )

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        read, written = answer.usage or (0, 0)
        output: list[dict[str, Any]] = []
        if answer.text:
            text = {"type": "output_text", "text": answer.text, "annotations": []}
            output.append({"type": "message", "role": "assistant", "content": [text]})
        output += [
            {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}
            for id, name, arguments in answer.calls
        ]
        why = _WHY.get(answer.finish)
        return {
            "id": "resp_1",
            "object": "response",
            "status": "incomplete" if why else "completed",
            "model": asked.model,
            "error": None,
            "incomplete_details": {"reason": why} if why else None,
            "output": output,
            "usage": {"input_tokens": read, "output_tokens": written, "total_tokens": read + written},
        }

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        response = self.whole(answer, asked)
        yield _event("response.created", response={**response, "output": [], "usage": None})
        for piece in answer.pieces:
            yield _event("response.output_text.delta", output_index=0, delta=piece)
        for place, (id, name, arguments) in enumerate(answer.calls):
            item = {"type": "function_call", "call_id": id, "name": name, "arguments": ""}
            yield _event("response.output_item.added", output_index=place, item=item)
            yield _event("response.function_call_arguments.delta", output_index=place, delta=arguments)
        yield _event("response." + response["status"], response=response)


def _event(kind: str, **data: Any) -> bytes:
    text = json.dumps({"type": kind, **data}, ensure_ascii=False)
    return f"event: {kind}\ndata: {text}\n\n".encode()

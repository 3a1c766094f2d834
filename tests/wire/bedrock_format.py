"""Amazon Bedrock's converse and converse-stream, the stream in AWS's binary event framing."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked

_STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}


class BedrockFormat:
    name = "bedrock"
    stream_type = "application/vnd.amazon.eventstream"
    preamble = 1
    blind = (400, "This model doesn't support the image content block that you provided.")

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        messages = body.get("messages") or []
        config = body.get("toolConfig") or {}
        tools = tuple(tool["toolSpec"]["name"] for tool in config.get("tools") or [] if "toolSpec" in tool)
        forced = ((config.get("toolChoice") or {}).get("tool") or {}).get("name") == "json_tool_call"
        content = messages[-1].get("content") or [] if messages else []
        return Asked(
            model=request.match_info["model"],
            stream=request.path.endswith("-stream"),
            body=body,
            last_text="".join(part.get("text", "") for part in content),
            tools=tools,
            forced_json="json_tool_call" if forced else None,
        )

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        if thought := answer.thought:
            content.append({"reasoningContent": {"reasoningText": {"text": thought, "signature": "c2ln"}}})
        if text := answer.text:
            content.append({"text": text})
        for id_, name, arguments in answer.calls:
            tool = {"toolUseId": id_, "name": name, "input": json.loads(arguments)}
            content.append({"toolUse": tool})
        reply: dict[str, Any] = {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _STOP[answer.finish],
            "metrics": {"latencyMs": 5},
        }
        if answer.usage:
            reply["usage"] = _usage(answer.usage)
        return reply

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        yield _event("messageStart", {"role": "assistant"})
        index = 0
        for piece in answer.reasoning:
            delta: dict[str, Any] = {"reasoningContent": {"text": piece}}
            yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        if answer.reasoning:
            yield _event("contentBlockStop", {"contentBlockIndex": index})
            index += 1
        for piece in answer.pieces:
            yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": piece}})
        if answer.pieces:
            yield _event("contentBlockStop", {"contentBlockIndex": index})
            index += 1
        for id_, name, arguments in answer.calls:
            start = {"toolUse": {"toolUseId": id_, "name": name}}
            yield _event("contentBlockStart", {"contentBlockIndex": index, "start": start})
            for part in (arguments[:9], arguments[9:]):
                delta = {"toolUse": {"input": part}}
                yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
            yield _event("contentBlockStop", {"contentBlockIndex": index})
            index += 1
        yield _event("messageStop", {"stopReason": _STOP[answer.finish]})
        if answer.usage:
            yield _event("metadata", {"usage": _usage(answer.usage), "metrics": {"latencyMs": 5}})

    def error(self, status: int, message: str, *, overflow: bool = False) -> dict[str, Any]:
        if overflow:
            return {"message": "Input is too long for requested model."}
        return {"message": message}

    def stream_error(self, message: str) -> bytes:
        return _event("modelStreamErrorException", {"message": message}, kind="exception")


def _usage(usage: tuple[int, int]) -> dict[str, int]:
    return {"inputTokens": usage[0], "outputTokens": usage[1], "totalTokens": sum(usage)}


def _event(name: str, data: dict[str, Any], kind: str = "event") -> bytes:
    return aws_event(name, json.dumps(data).encode(), kind)


def aws_event(name: str, payload: bytes, kind: str = "event") -> bytes:
    """An event in AWS's binary framing."""
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in (
            (f":{kind}-type", name),
            (":content-type", "application/json"),
            (":message-type", kind),
        )
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack("!I", zlib.crc32(body))

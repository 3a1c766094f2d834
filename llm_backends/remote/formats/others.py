"""Frames of other chat formats than OpenAI's, as gateways pass them on: read into frames of OpenAI's.

Google's, Anthropic's, Cohere's, OpenAI's Responses, llama.cpp's completion, Text Generation Inference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Frame = Mapping[str, Any]

_SPOKEN = {"text_delta": "content", "thinking_delta": "reasoning_content"}
_RESPONSES = {
    "response.output_text.delta": "content",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "reasoning_content",
    "response.reasoning_summary_text.delta": "reasoning_content",
}
_RESPONSES_END = {"response.completed": "stop", "response.incomplete": "length"}


def in_openai_format(frame: Frame) -> Frame | None:
    """Return `frame` in OpenAI's format, without choices where it says nothing; None for an unknown one.

    Raises as `ChunkReader.add` does for data that is not of its format.
    """
    for read in (_google, _responses, _anthropic, _cohere, _llama_cpp, _inference):
        if (found := read(frame)) is not None:
            return found
    return None


def _piece(finish: Any = None, **delta: Any) -> Frame:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _whole(content: Any, finish: Any) -> Frame:
    message = {"role": "assistant", "content": content}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def _google(frame: Frame) -> Frame | None:
    blocked = (frame.get("promptFeedback") or {}).get("blockReason")
    if blocked:
        return _piece(f"content_filter: {blocked}")
    candidates = frame.get("candidates")
    if not isinstance(candidates, list) or not candidates:
        return None
    said = candidates[0]
    read = _piece(said.get("finishReason"), content=(said.get("content") or {}).get("parts") or None)
    counted = frame.get("usageMetadata") or {}
    usage = {
        "prompt_tokens": counted.get("promptTokenCount"),
        "completion_tokens": counted.get("candidatesTokenCount"),
    }
    return {**read, "usage": usage if counted else None, "model": frame.get("modelVersion")}


def _responses(frame: Frame) -> Frame | None:
    kind = str(frame.get("type"))
    if field := _RESPONSES.get(kind):
        return _piece(**{field: frame["delta"]})
    if finish := _RESPONSES_END.get(kind):
        return _piece(finish)
    if frame.get("object") == "response" and isinstance(frame.get("output"), list):
        said = [part for part in frame["output"] if part.get("type") == "message"]
        finish = "length" if frame.get("status") == "incomplete" else "stop"
        return _whole([part for message in said for part in message["content"]], finish)
    return {} if kind.startswith("response.") else None


def _anthropic(frame: Frame) -> Frame | None:
    match frame.get("type"):
        case "content_block_delta":
            delta = frame["delta"]
            field = _SPOKEN.get(delta["type"])
            return _piece(**{field: delta.get("text") or delta.get("thinking")}) if field else {}
        case "message_delta":
            return {**_piece(frame["delta"].get("stop_reason")), "usage": frame.get("usage")}
        case "message" if isinstance(frame.get("content"), list):
            return {**_whole(frame["content"], frame.get("stop_reason")), "usage": frame.get("usage")}
        case "message_start" | "content_block_start" | "content_block_stop" | "message_stop" | "ping":
            return {}
    return None


def _cohere(frame: Frame) -> Frame | None:
    match frame.get("type") or frame.get("event_type"):
        case "content-delta":
            said = frame["delta"]["message"]["content"]
            return _piece(content=said.get("text"), reasoning_content=said.get("thinking"))
        case "message-end":
            return _piece(frame["delta"].get("finish_reason"))
        case "text-generation":
            return _piece(content=frame["text"])
        case "stream-end":
            return _piece(frame.get("finish_reason"))
        case "message-start" | "content-start" | "content-end" | "stream-start":
            return {}
    message = frame.get("message")
    if isinstance(message, dict) and isinstance(message.get("content"), list) and "finish_reason" in frame:
        return _whole(message["content"], frame["finish_reason"])
    return None


def _llama_cpp(frame: Frame) -> Frame | None:
    if not isinstance(frame.get("content"), str) or not isinstance(frame.get("stop"), bool):
        return None
    limited = frame.get("stopped_limit") or frame.get("stop_type") == "limit"
    return _piece(("length" if limited else "stop") if frame["stop"] else None, content=frame["content"])


def _inference(frame: Frame) -> Frame | None:
    token, whole = frame.get("token"), frame.get("generated_text")
    if isinstance(token, dict):
        said = None if token.get("special") else token["text"]
        reason = (frame.get("details") or {}).get("finish_reason") or "stop"
        return _piece(reason if whole is not None else None, content=said)
    return _whole(whole, "stop") if isinstance(whole, str) else None

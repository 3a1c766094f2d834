"""Answers in other chat formats than OpenAI's, as a gateway may pass them on, with what comes of each."""

from __future__ import annotations

from typing import Any

from quillwork.llm_backends import errors

from .answer_shapes import PIECES, TEXT, Shape, dump, ndjson, sse

JSON = "application/json"


def _events(*frames: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: " + (frame.get("type") or frame["event_type"]).encode() + b"\ndata: " + dump(frame) + b"\n\n"
        for frame in frames
    )


def _google(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, **more}]}


_ANTHROPIC = (
    {"type": "message_start", "message": {"role": "assistant", "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
)
_SPOKEN = [
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
    for piece in PIECES
]


def _anthropic_end(word: str) -> tuple[dict[str, Any], ...]:
    delta = {"type": "message_delta", "delta": {"stop_reason": word}, "usage": {"output_tokens": 7}}
    return ({"type": "content_block_stop", "index": 0}, delta, {"type": "message_stop"})


_THOUGHT = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}
_GOOGLE = [_google({"text": piece}) for piece in PIECES[:-1]] + [
    _google({"text": PIECES[-1]}, finishReason="STOP")
]
_COHERE = [
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}}
    for piece in PIECES
]
_RESPONSES = [{"type": "response.output_text.delta", "delta": piece} for piece in PIECES]
_TOKENS = [
    {"token": {"id": n, "text": piece, "special": False}, "generated_text": None}
    for n, piece in enumerate(PIECES)
]
_END_TOKEN = {"token": {"id": 9, "text": "</s>", "special": True}, "generated_text": TEXT}

OTHER_FORMATS = (
    Shape("google-sse", sse(*_GOOGLE, done=False)),
    Shape("google-array", dump(_GOOGLE), content_type=JSON),
    Shape("google-whole", dump(_google({"text": TEXT}, finishReason="STOP")), content_type=JSON),
    Shape(
        "google-thinks",
        sse(
            _google({"text": "hm", "thought": True}), _google({"text": TEXT}, finishReason="STOP"), done=False
        ),
        reasoning="hm",
    ),
    Shape(
        "google-blocks",
        sse({"promptFeedback": {"blockReason": "OTHER"}}, done=False),
        error=errors.Refused,
        says=("OTHER",),
    ),
    Shape(
        "google-safety",
        sse(_google({"text": "half"}, finishReason="SAFETY"), done=False),
        error=errors.Refused,
        says=("SAFETY",),
    ),
    Shape("anthropic", _events(*_ANTHROPIC, *_SPOKEN, *_anthropic_end("end_turn"))),
    Shape(
        "anthropic-thinks",
        _events(*_ANTHROPIC, _THOUGHT, *_SPOKEN, *_anthropic_end("end_turn")),
        reasoning="hm",
    ),
    Shape(
        "anthropic-whole",
        dump({"type": "message", "content": [{"type": "text", "text": TEXT}], "stop_reason": "end_turn"}),
        content_type=JSON,
    ),
    Shape(
        "anthropic-refuses",
        _events(*_ANTHROPIC, *_SPOKEN, *_anthropic_end("refusal")),
        error=errors.Refused,
        says=("refusal",),
    ),
    Shape(
        "anthropic-breaks-off",
        _events(*_ANTHROPIC, *_SPOKEN),
        error=errors.StreamBroken,
    ),
    Shape(
        "cohere",
        _events(
            {"type": "message-start"},
            *_COHERE,
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
        ),
    ),
    Shape(
        "cohere-whole",
        dump(
            {
                "message": {"role": "assistant", "content": [{"type": "text", "text": TEXT}]},
                "finish_reason": "COMPLETE",
            }
        ),
        content_type=JSON,
    ),
    Shape(
        "cohere-first",
        ndjson(
            {"event_type": "stream-start"},
            *({"event_type": "text-generation", "text": piece} for piece in PIECES),
            {"event_type": "stream-end", "finish_reason": "COMPLETE"},
        ),
        content_type="application/stream+json",
    ),
    Shape(
        "responses",
        _events(
            {"type": "response.created", "response": {"status": "in_progress"}},
            *_RESPONSES,
            {"type": "response.completed", "response": {"status": "completed"}},
        ),
    ),
    Shape(
        "responses-whole",
        dump(
            {
                "object": "response",
                "status": "completed",
                "output": [
                    {"type": "reasoning", "summary": []},
                    {"type": "message", "content": [{"type": "output_text", "text": TEXT}]},
                ],
            }
        ),
        content_type=JSON,
    ),
    Shape(
        "llama-cpp-completion",
        sse(
            *({"content": piece, "stop": False} for piece in PIECES),
            {"content": "", "stop": True},
            done=False,
        ),
    ),
    Shape("text-generation-inference", sse(*_TOKENS, _END_TOKEN, done=False, prefix=b"data:")),
    Shape("text-generation-whole", dump([{"generated_text": TEXT}]), content_type=JSON),
    Shape(
        "counted-beside",
        dump({"output": {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]}, "usage": {}}),
        content_type=JSON,
    ),
)

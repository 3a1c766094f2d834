"""Bodies with thinking, faults and refusals in them, and bodies that break off: more of `answer_shapes`."""

from __future__ import annotations

import json
from typing import Any

from quillwork.llm_backends import errors
from wire.answer_shapes import (
    CUT,
    FRAMES,
    HALF,
    NONE,
    PAGE,
    STOP,
    TEXT,
    Shape,
    bad,
    chunk,
    completion,
    dump,
    good,
    native,
    ndjson,
    sse,
)

ERROR = {"error": {"message": "the GPU fell off the bus", "type": "server_error", "code": 500}}
FELL = (errors.ProviderFailed, ("fell off the bus",))

THOUGHT = "The user wants a fox."


def thinking(name: str, *frames: Any, **more: Any) -> Shape:
    return good(f"thinking: {name}", sse(*frames, *FRAMES), reasoning=THOUGHT, **more)


THINKING = [
    *(
        thinking(field, chunk({field: THOUGHT[:9]}), chunk({field: THOUGHT[9:], "content": None}))
        for field in ("reasoning_content", "reasoning", "thinking")
    ),
    thinking("both fields say the same", chunk({"reasoning": THOUGHT, "reasoning_content": THOUGHT})),
    thinking(
        "reasoning_details",
        chunk({"reasoning": THOUGHT, "reasoning_details": [{"type": "reasoning.text", "text": THOUGHT}]}),
    ),
    thinking(
        "reasoning_details alone",
        chunk(
            {
                "content": "",
                "reasoning": None,
                "reasoning_details": [{"type": "reasoning.text", "text": THOUGHT}],
            }
        ),
    ),
    thinking("a summary", chunk({"reasoning_details": [{"type": "reasoning.summary", "summary": THOUGHT}]})),
    thinking(
        "encrypted beside it",
        chunk(
            {
                "reasoning_details": [
                    {"type": "reasoning.encrypted", "data": "eyJ"},
                    {"type": "reasoning.text", "text": THOUGHT},
                ]
            }
        ),
    ),
    thinking("thinking_blocks", chunk({"thinking_blocks": [{"type": "thinking", "thinking": THOUGHT}]})),
    thinking("an object", chunk({"reasoning": {"content": THOUGHT}})),
    thinking(
        "parts of content",
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}]}),
    ),
    thinking(
        "a part beside the text",
        chunk({"content": [{"type": "reasoning", "text": THOUGHT}, {"type": "text", "text": ""}]}),
    ),
    thinking("Google's mark", chunk({"content": THOUGHT, "extra_content": {"google": {"thought": True}}})),
    thinking(
        "cumulative", *(chunk({"reasoning_content": t}) for t in ("The user", "The user wants", THOUGHT))
    ),
    good(
        "thinking: in Ollama's own field",
        ndjson(
            {"message": {"content": "", "thinking": THOUGHT}, "done": False}, native(TEXT), native("", True)
        ),
        reasoning=THOUGHT,
    ),
    good(
        "thinking: in one piece",
        dump(completion({"content": TEXT, "reasoning_content": THOUGHT})),
        reasoning=THOUGHT,
    ),
    *(
        bad(
            f"thinking alone: {field}",
            sse(chunk({field: THOUGHT}), chunk({}, finish)),
            (errors.EmptyAnswer, says),
        )
        for field, finish, says in (
            ("reasoning_content", "stop", ("reasoning",)),
            ("reasoning", "length", ("max_tokens",)),
            ("thinking", "stop", ("only reasoned",)),
            ("reasoning_details", "stop", ("reasoning",)),
        )
    ),
    bad(
        "thinking alone, in one piece",
        dump(completion({"content": None, "reasoning_content": THOUGHT})),
        (errors.EmptyAnswer, ("only reasoned",)),
    ),
]

BROKEN = [
    bad("cut between frames", sse(*HALF, done=False), CUT),
    bad("cut within a frame", sse(*HALF, b'{"choices": [{"delta": {"cont', done=False).rstrip(), CUT),
    bad(
        "cut within a character",
        (sse(*HALF, done=False) + b'data: {"choices": [{"delta": {"content": "\xe7\x8b'),
        CUT,
    ),
    bad("cut within data:", sse(*HALF, done=False) + b"dat", CUT),
    bad("torn between frames", sse(*HALF, done=False), (errors.StreamBroken, ()), torn=True),
    good("torn after the finish reason", sse(*FRAMES, done=False), torn=True),
    good("torn within a frame after the finish reason", sse(*FRAMES, done=False) + b'data: {"usa', torn=True),
    good("cut within a frame after the finish reason", sse(*FRAMES, done=False) + b'data: {"usage": {"pro'),
    bad("JSON lines, cut", ndjson(*HALF), CUT),
    bad("JSON lines, cut within one", ndjson(*HALF) + b'{"choices": [{"del', CUT),
    bad("an empty body", b"", NONE),
    bad("blank lines only", b"\n\n\n", NONE),
    bad("comments only", b": ping\n\n: ping\n\n", NONE),
    bad("a frame that is none", sse(*HALF, b'{"choices": [{"delta": {"content": ', *FRAMES), NONE),
    bad("a page", PAGE, (errors.MalformedAnswer, ("web page", "502 Bad Gateway"))),
    bad(
        "a page called JSON",
        PAGE,
        (errors.MalformedAnswer, ("502 Bad Gateway",)),
        content_type="application/json",
    ),
    bad(
        "a page in Chinese",
        "<html><head><title>网页登录</title></head></html>".encode(),
        (errors.MalformedAnswer, ("网页登录",)),
        content_type="text/html",
    ),
    bad(
        "a page in GBK",
        "<html><head><title>网页登录</title></head></html>".encode("gbk"),
        (errors.MalformedAnswer, ("网页登录",)),
        content_type="text/html; charset=gbk",
    ),
    bad("a plain sentence", b"welcome to the server", (errors.MalformedAnswer, ("welcome to the server",))),
    bad(
        "a finish reason that is a failure",
        sse(*HALF, chunk({}, "error")),
        (errors.ProviderFailed, ("gave up",)),
    ),
    bad("aborted", sse(*HALF, chunk({}, "abort")), (errors.ProviderFailed, ("abort",))),
    bad(
        "no resources",
        sse(*HALF, chunk({}, "insufficient_system_resource")),
        (errors.ProviderFailed, ("insufficient_system_resource",)),
    ),
    bad(
        "a network error", sse(*HALF, chunk({}, "network_error")), (errors.ProviderFailed, ("network_error",))
    ),
]

FAULTS = [
    bad(f"{where}: {name}", before + body + after, FELL)
    for where, before, after in (
        ("alone", b"", b""),
        ("after text", sse(*HALF, done=False), b""),
        ("before [DONE]", sse(*HALF, done=False), sse()),
        ("after a whole answer", sse(*FRAMES, done=False), b""),
    )
    for name, body in (
        ("error", sse(ERROR, done=False)),
        ("error beside an empty text", sse({**chunk({"content": ""}, "error"), **ERROR}, done=False)),
        ("error beside text", sse({**chunk({"content": " more"}), **ERROR}, done=False)),
        ("error as a sentence", sse({"error": "the GPU fell off the bus"}, done=False)),
        ("an error without the newline", sse(ERROR, done=False).rstrip()),
        ("error called true", sse({"error": True, "message": "the GPU fell off the bus"}, done=False)),
        ("code and msg", sse({"code": 50001, "msg": "the GPU fell off the bus"}, done=False)),
        (
            "code and message",
            sse({"code": "InternalError", "message": "the GPU fell off the bus"}, done=False),
        ),
        ("detail", sse({"detail": "the GPU fell off the bus"}, done=False)),
        (
            "object error",
            sse({"object": "error", "message": "the GPU fell off the bus", "code": 500}, done=False),
        ),
        ("type error", sse({"type": "error", "error": {"message": "the GPU fell off the bus"}}, done=False)),
        ("errors", sse({"errors": [{"message": "the GPU fell off the bus"}]}, done=False)),
        ("message alone", sse({"message": "the GPU fell off the bus"}, done=False)),
        (
            "base_resp",
            sse({"base_resp": {"status_code": 1000, "status_msg": "the GPU fell off the bus"}}, done=False),
        ),
        ("event: error", b"event: error\n" + sse(ERROR, done=False)),
        ("event: error with a sentence", b"event: error\ndata: the GPU fell off the bus\n\n"),
        ("event: error with a string", b'event: error\ndata: "the GPU fell off the bus"\n\n'),
        (
            "event: error with a bare message",
            b'event: error\ndata: {"message": "the GPU fell off the bus"}\n\n',
        ),
        ("error: line", b"error: the GPU fell off the bus\n\n"),
        ("error: line with JSON", b"error: " + dump(ERROR["error"]) + b"\n\n"),
        ("a bare JSON line", b"\n" + dump(ERROR) + b"\n"),
        ("pretty JSON", b"\n" + json.dumps(ERROR, indent=2).encode() + b"\n"),
        ("a sentence as data", b"data: Error: the GPU fell off the bus\n\n"),
        ("a plain line", b"Internal Server Error: the GPU fell off the bus\n"),
        ("Python's quotes", b"data: " + str(ERROR).encode() + b"\n\n"),
    )
]

SAYS_NO = "I can't help with that"
REFUSALS = [
    *(
        bad(f"finish reason {word}", sse(*HALF, chunk({}, word)), (errors.Refused, ("declined",)))
        for word in (
            "content_filter",
            "SAFETY",
            "PROHIBITED_CONTENT",
            "RECITATION",
            "BLOCKLIST",
            "SPII",
            "sensitive",
            "content_filter: PROHIBITED_CONTENT",
            "refusal",
            "content_filtered",
            "guardrail_intervened",
            "safety",
            "ERROR_TOXIC",
            "IMAGE_SAFETY",
            "contentFilter",
            "moderation",
            "flagged",
        )
    ),
    *(
        bad(
            f"finish reason {word} and no text",
            sse(chunk({"role": "assistant"}), chunk({}, word)),
            (errors.Refused, ("declined",)),
        )
        for word in ("content_filter", "SAFETY", "PROHIBITED_CONTENT", "sensitive")
    ),
    bad(
        "a native finish reason",
        sse(*HALF, {"choices": [{"delta": {}, "finish_reason": "stop", "native_finish_reason": "SAFETY"}]}),
        (errors.Refused, ("SAFETY",)),
    ),
    bad(
        "a refusal in pieces",
        sse(chunk({"refusal": SAYS_NO[:7]}), chunk({"refusal": SAYS_NO[7:]}), STOP),
        (errors.Refused, (SAYS_NO,)),
    ),
    bad("a refusal after text", sse(*HALF, chunk({"refusal": SAYS_NO}), STOP), (errors.Refused, (SAYS_NO,))),
    bad(
        "a refusal in one piece",
        dump(completion({"content": None, "refusal": SAYS_NO})),
        (errors.Refused, (SAYS_NO,)),
    ),
    bad(
        "a refusal as a part",
        sse(chunk({"content": [{"type": "refusal", "refusal": SAYS_NO}]}), STOP),
        (errors.Refused, (SAYS_NO,)),
    ),
    bad(
        "a filter in one piece",
        dump(completion({"content": "a red"}, "content_filter")),
        (errors.Refused, ("declined",)),
    ),
    bad(
        "a filter's error",
        sse({"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}}),
        (errors.Refused, ("系统检测到输入或生成内容可能包含不安全或敏感内容",)),
    ),
    bad(
        "a filter's error after text",
        sse(*HALF, {"error": {"message": "Content Exists Risk"}}),
        (errors.Refused, ("Content Exists Risk",)),
    ),
]

FAULTY_SHAPES = [*THINKING, *BROKEN, *FAULTS, *REFUSALS]

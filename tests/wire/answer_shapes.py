"""Bodies of answers as real servers send them, with what comes of each; `answer_faults` has more of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from quillwork.llm_backends import errors

BOM = b"\xef\xbb\xbf"
TEXT = "a red fox, 狐 🦊, füchsin"
PIECES = ("a red", " fox, 狐", " 🦊, ", "füchsin")


@dataclass(frozen=True)
class Shape:
    """A body and its outcome: `text` (and `reasoning`), or an `error` whose sentence has all of `says`."""

    name: str
    body: bytes
    text: str = TEXT
    error: type[errors.LLMError] | None = None
    says: tuple[str, ...] = ()
    reasoning: str = ""
    content_type: str = "text/event-stream"
    status: int = 200
    torn: bool = False


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def chunk(delta: Any, finish: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "object": "chat.completion.chunk",
        "model": "fox",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def said(*pieces: str) -> list[dict[str, Any]]:
    return [chunk({"content": piece}) for piece in pieces]


STOP = chunk({}, "stop")
USAGE = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
FRAMES = [chunk({"role": "assistant", "content": ""}), *said(*PIECES), STOP]


def sse(*frames: Any, done: bool = True, prefix: bytes = b"data: ", end: bytes = b"\n\n") -> bytes:
    lines = [frame if isinstance(frame, bytes) else dump(frame) for frame in frames]
    return b"".join(prefix + line + end for line in [*lines, *([b"[DONE]"] if done else [])])


def ndjson(*frames: Any) -> bytes:
    return b"".join(dump(frame) + b"\n" for frame in frames)


def completion(message: Any, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"object": "chat.completion", "model": "fox", "choices": [choice], **more}


WHOLE = completion({"role": "assistant", "content": TEXT})
PLAIN = sse(*FRAMES)
HALF = [chunk({"role": "assistant"}), *said(*PIECES[:2])]
CUT = (errors.StreamBroken, ("stopped in the middle",))
NONE = (errors.MalformedAnswer, ("sent an invalid answer",))
PAGE = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>\n"


def good(name: str, body: bytes, **more: Any) -> Shape:
    return Shape(name, body, **more)


def bad(name: str, body: bytes, outcome: tuple[Any, tuple[str, ...]], **more: Any) -> Shape:
    return Shape(name, body, error=outcome[0], says=outcome[1], **more)


def native(text: str, done: bool = False, **more: Any) -> dict[str, Any]:
    return {"model": "fox", "message": {"role": "assistant", "content": text}, "done": done, **more}


ENVELOPES = [
    good("plain", PLAIN),
    good("no [DONE]", sse(*FRAMES, done=False)),
    good("[DONE] and no finish reason", sse(*said(*PIECES))),
    good("quoted [DONE]", sse(*said(*PIECES), b'"[DONE]"', done=False)),
    good("[done]", sse(*said(*PIECES), b"[done]", done=False)),
    good("[DONE] with blanks", sse(*said(*PIECES), b" [DONE]  ", done=False)),
    good("DONE without brackets", sse(*said(*PIECES), b"DONE", done=False)),
    good("text after [DONE]", PLAIN + sse(*said(" and more"))),
    good("BOM", BOM + PLAIN),
    good("two BOMs", BOM + BOM + PLAIN),
    good("BOM before a blank line", BOM + b"\n\n" + PLAIN),
    good("BOM before JSON", BOM + dump(WHOLE)),
    good("BOM before JSON lines", BOM + ndjson(*FRAMES)),
    good("CRLF", PLAIN.replace(b"\n", b"\r\n")),
    good("CR alone", PLAIN.replace(b"\n", b"\r")),
    good("CRLF and LF mixed", PLAIN.replace(b"\n\n", b"\r\n\n", 3)),
    good("indented data", sse(*FRAMES, prefix=b"  data: ")),
    good("data indented by tabs", sse(*FRAMES, prefix=b"\tdata:\t")),
    good("doubled data", sse(*FRAMES, prefix=b"data: data: ")),
    good("tripled data", sse(*FRAMES, prefix=b"data:data: data:")),
    good("capital field name", sse(*FRAMES, prefix=b"Data: ")),
    good("no blank after the colon", sse(*FRAMES, prefix=b"data:")),
    good("blank before the colon", sse(*FRAMES, prefix=b"data : ")),
    good("one newline between events", sse(*FRAMES, end=b"\n")),
    good("blank lines with blanks", sse(*FRAMES, end=b"\n  \n")),
    good("many blank lines", sse(*FRAMES, end=b"\n\n\n\n")),
    good("no newline at the end", PLAIN.rstrip(b"\n")),
    good("no newline after the finish reason", sse(*FRAMES, done=False).rstrip(b"\n")),
    good("event and id lines", sse(*FRAMES, prefix=b"event: message\nid: 7\nretry: 10\ndata: ")),
    good("an event line before each, one newline", sse(*FRAMES, prefix=b"event: message\ndata: ", end=b"\n")),
    good("several frames in one event", sse(b"\ndata: ".join(map(dump, FRAMES)))),
    good("frames one behind the other", sse(b"".join(map(dump, FRAMES)))),
    good("frames with commas", sse(b",".join(map(dump, FRAMES)))),
    good(
        "a frame over several data lines",
        sse(
            *(json.dumps(f, indent=1, ensure_ascii=False).replace("\n", "\ndata: ").encode() for f in FRAMES)
        ),
    ),
    good("a list of frames", sse(dump(FRAMES))),
    good("comments", PLAIN.replace(b"data:", b": OPENROUTER PROCESSING\n\ndata:")),
    good("comments without a blank line", PLAIN.replace(b"data:", b":keep-alive\ndata:")),
    good("[DONE] as the end of a frame", sse(*FRAMES[:-1], dump(STOP) + b"\n[DONE]", done=False)),
    good("JSON lines", ndjson(*FRAMES), content_type="application/x-ndjson"),
    good("JSON lines called events", ndjson(*FRAMES)),
    good("JSON lines with [DONE]", ndjson(*FRAMES[:-1]) + b"[DONE]\n"),
    good("JSON lines without the last newline", ndjson(*FRAMES).rstrip()),
    good("JSON lines in CRLF", ndjson(*FRAMES).replace(b"\n", b"\r\n")),
    good("events called JSON", PLAIN, content_type="application/json"),
    good("events called a page", PLAIN, content_type="text/html; charset=utf-8"),
    good("events called text", PLAIN, content_type="text/plain"),
    good("events called bytes", PLAIN, content_type="application/octet-stream"),
    good("events called Latin", PLAIN, content_type="text/event-stream; charset=iso-8859-1"),
    good("events under 201", PLAIN, status=201),
    good("events under 206", PLAIN, status=206),
    good("JSON under 202", dump(WHOLE), status=202, content_type="application/json"),
    good("JSON", dump(WHOLE), content_type="application/json"),
    good("JSON called events", dump(WHOLE)),
    good("JSON called a page", dump(WHOLE), content_type="text/html"),
    good("pretty JSON", json.dumps(WHOLE, indent=2).encode()),
    good("pretty JSON in CRLF", json.dumps(WHOLE, indent=2).replace("\n", "\r\n").encode()),
    good("JSON after blank lines", b"\n \n\n" + dump(WHOLE), content_type="application/json"),
    good("JSON with escapes only", json.dumps(WHOLE).encode(), content_type="application/json"),
    good("a whole answer in one event", sse(WHOLE)),
    good("a whole answer in one event, no [DONE]", sse(WHOLE, done=False)),
    good("a whole answer without a finish reason", dump(completion({"content": TEXT}, None))),
    good("a whole answer in a list", dump([WHOLE])),
    good("a whole answer in an envelope", dump({"code": 0, "message": "ok", "data": WHOLE})),
    good("a whole answer in `result`", dump({"success": True, "errors": [], "result": WHOLE})),
    good("Ollama's own lines", ndjson(*(native(p) for p in PIECES), native("", True, done_reason="stop"))),
    good("Ollama's own answer", dump(native(TEXT, True))),
    bad("Ollama's own lines, cut", ndjson(*(native(p) for p in PIECES)), CUT),
]

FILLERS = [
    good(f"filler {filler!r}", sse(filler, *FRAMES[:2], filler, *FRAMES[2:], filler))
    for filler in (
        b"ping",
        b"[PING]",
        b"heartbeat",
        b"keep-alive",
        b"null",
        b"{}",
        b'""',
        b"",
        b'{"type": "ping"}',
        b"[]",
        b'{"object": "ping", "message": "keep-alive"}',
        b'"ping"',
        b"0",
        b"OK",
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"id": "1", "object": "chat.completion.chunk"}',
        dump(chunk(None)),
        b'{"choices": [null]}',
        b'{"choices": [{}]}',
        b'{"error": null}',
        b'{"prompt_filter_results": []}',
    )
] + [
    good("event: ping", sse(*FRAMES, prefix=b"event: ping\ndata: {}\n\ndata: ")),
    good("event: heartbeat without data", sse(*FRAMES, prefix=b"event: heartbeat\n\ndata: ")),
]


def grown(pieces: tuple[str, ...]) -> list[str]:
    return ["".join(pieces[: count + 1]) for count in range(len(pieces))]


def shaped(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"choices": list(choices), **more}


def parts(*listed: Any) -> dict[str, Any]:
    return chunk({"content": list(listed)})


CONTENTS = [
    good("cumulative", sse(*said(*grown(PIECES)), STOP)),
    good("cumulative, letter by letter", sse(*said(*grown(tuple(TEXT))), STOP)),
    good("cumulative in two frames", sse(*said("a red", TEXT), STOP)),
    good(
        "cumulative with the whole once more at the end",
        sse(*said(*grown(PIECES)), chunk({"content": TEXT}, "stop")),
    ),
    good(
        "cumulative messages",
        sse(
            *(
                shaped({"message": {"content": t}, "finish_reason": None}, object="chat.completion.chunk")
                for t in grown(PIECES)
            ),
            STOP,
        ),
    ),
    good("the whole once more at the end", sse(*said(*PIECES), chunk({"content": TEXT}, "stop"))),
    good("the whole once more as a message", sse(*said(*PIECES), WHOLE)),
    good(
        "a stray repetition of the whole", sse(*said(*PIECES, TEXT, " in snow"), STOP), text=TEXT + " in snow"
    ),
    good(
        "a message with the delta",
        sse(*(shaped({"delta": {"content": p}, "message": {"content": "x"}}) for p in PIECES), STOP),
    ),
    good("no cumulation: no, nope", sse(*said("no", "nope"), STOP), text="nonope"),
    good(
        "no cumulation: brackets", sse(*said("(", "((", "(((", "red:1.2)))"), STOP), text="((((((red:1.2)))"
    ),
    good("no cumulation: the same word", sse(*said(*["red, "] * 4), STOP), text="red, " * 4),
    good("no cumulation: newlines", sse(*said("\n", "\n", "a fox"), STOP), text="\n\na fox"),
    good(
        "no cumulation: a long piece twice",
        sse(*said(*["a red fox in fresh snow, "] * 3), STOP),
        text="a red fox in fresh snow, " * 3,
    ),
    good("no cumulation: ha", sse(*said("ha", "ha", "haha"), STOP), text="hahahaha"),
    good(
        "completions' text",
        sse(
            *(shaped({"index": 0, "text": p, "finish_reason": None}) for p in PIECES),
            shaped({"text": "", "finish_reason": "stop"}),
        ),
    ),
    good(
        "completions' text in one piece",
        dump(shaped({"text": TEXT, "finish_reason": "stop"}, object="text_completion")),
    ),
    good("text in a delta", sse(*(chunk({"text": p}) for p in PIECES), STOP)),
    good(
        "messages instead of deltas",
        sse(*(shaped({"message": {"content": p}}, object="chat.completion.chunk") for p in PIECES), STOP),
    ),
    good("content as parts", sse(*(parts({"type": "text", "text": p}) for p in PIECES), STOP)),
    good("content as a part", sse(*(chunk({"content": {"type": "text", "text": p}}) for p in PIECES), STOP)),
    good("content as strings", sse(*(parts(p) for p in PIECES), STOP)),
    good(
        "content as output_text",
        sse(*(parts({"type": "output_text", "text": p, "annotations": []}) for p in PIECES), STOP),
    ),
    good("parts with a value", sse(*(parts({"type": "text", "text": {"value": p}}) for p in PIECES), STOP)),
    good(
        "parts with others between",
        sse(
            *(
                parts(
                    {"type": "image_url", "image_url": None},
                    {"type": "text", "text": p},
                    {"type": "text", "text": None},
                    None,
                )
                for p in PIECES
            ),
            STOP,
        ),
    ),
    good("a number", sse(*said("a fox, "), chunk({"content": 7}), STOP), text="a fox, 7"),
    good(
        "missing fields",
        sse(
            *({"choices": [{"delta": {"content": p}}]} for p in PIECES),
            {"choices": [{"finish_reason": "stop"}]},
        ),
    ),
    good(
        "null fields",
        sse(
            *(
                chunk(
                    {
                        "role": None,
                        "content": p,
                        "tool_calls": None,
                        "refusal": None,
                        "reasoning": None,
                        "function_call": None,
                    },
                    usage=None,
                    error=None,
                    model=None,
                )
                for p in PIECES
            ),
            STOP,
        ),
    ),
    good("null content and delta", sse(chunk({"content": None}), chunk(None), *FRAMES)),
    good("an empty finish reason on the way", sse(*(chunk({"content": p}, "") for p in PIECES), STOP)),
    good("the finish reason null as a word", sse(*(chunk({"content": p}, "null") for p in PIECES), STOP)),
    good(
        "the finish reason with the last piece",
        sse(*said(*PIECES[:-1]), chunk({"content": PIECES[-1]}, "stop")),
    ),
    good(
        "the finish reason in Gemini's letters",
        sse(*said(*PIECES), shaped({"delta": {}, "finishReason": "STOP"}), done=False),
    ),
    good("usage in every frame", sse(*(chunk({"content": p}, usage=USAGE["usage"]) for p in PIECES), STOP)),
    good("usage at the end", sse(*FRAMES, USAGE)),
    good("usage instead of an end", sse(*said(*PIECES), USAGE, done=False)),
    good("usage with null choices", sse(*FRAMES, {**USAGE, "choices": None})),
    good("usage first", sse({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 0}}, *FRAMES)),
    good(
        "a filter's report first",
        sse({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, *FRAMES),
    ),
    good(
        "two answers, frame by frame",
        sse(
            *(
                shaped({"index": i, "delta": {"content": p if i == 0 else "x"}})
                for p in PIECES
                for i in (0, 1)
            ),
            shaped({"index": 1, "delta": {}, "finish_reason": "stop"}),
            STOP,
        ),
    ),
    good(
        "two answers in each frame",
        sse(
            *(
                shaped({"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": p}})
                for p in PIECES
            ),
            STOP,
        )
        .replace(b'"index": 1', b'"index": 5')
        .replace(b'"index": 0', b'"index": 1')
        .replace(b'"index": 5', b'"index": 0'),
        text="xxxx",
    ),
    good(
        "two whole answers",
        dump(
            {
                "choices": [
                    {"index": 0, "message": {"content": TEXT}, "finish_reason": "stop"},
                    {"index": 1, "message": {"content": "x"}, "finish_reason": "stop"},
                ]
            }
        ),
    ),
    good("numbered from one", sse(*FRAMES).replace(b'"index": 0', b'"index": 1')),
    good("without numbers", sse(*FRAMES).replace(b'"index": 0, ', b"")),
]

SHAPES = [*ENVELOPES, *FILLERS, *CONTENTS]

"""The endpoint backend against a real server: its requests, and every fault that may come back."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import traceback

import pytest
from endpoints import (
    DONE,
    HANG_S,
    answer,
    ask_all,
    delta,
    endpoint,
    event_stream,
    failure,
    picky,
    question,
    raw_server,
)
from endpoints import read_request as head_of
from wire.answers import REFUSAL, TEXT, TOOL_ARGUMENTS, USAGE

from quillwork.llm_backends import errors
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.remote.addresses import route
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.streaming import collect
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Image, Message, Request, Secret, Tool, ToolCall, Usage

KEY = "sk-planted-0123456789abcdef"
MALFORMED = "sent an invalid answer"
FOX = {"choices": [{"message": {"content": "fox"}, "finish_reason": "stop"}]}


def json_reply(status: bytes, body: bytes | dict) -> bytes:
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(data)) + data


# -- what comes back when all is well


def test_an_answer(wire):
    result = answer(endpoint(wire.url, "fox-chunks20"))
    assert result.text == TEXT
    assert result.usage == Usage(*USAGE)
    assert (result.finish_reason, result.mode, result.provider) == ("stop", "litellm", "endpoint")
    assert (result.model, result.attempts, result.cached, result.warnings) == ("fox-chunks20", 1, False, ())
    assert result.seconds > 0


@pytest.mark.parametrize(
    "model",
    [
        "fox-split1",
        "fox-split7-crlf",
        "fox-comments",
        "fox-oneshot",
        "fox-nodone",
        "fox-nostream",
        "fox-crlf",
    ],
)
def test_the_answer_is_the_same_however_it_comes(wire, model):
    wire.script(model, "füchse im Schnee 🦊, 狐")
    assert answer(endpoint(wire.url, model)).text == "füchse im Schnee 🦊, 狐"


def test_no_usage_is_unknown_and_not_nought(wire):
    assert answer(endpoint(wire.url, "fox-nousage")).usage == Usage()


@pytest.mark.parametrize("model", ["fox-think", "fox-thinktag", "fox-thinktag-split1", "fox-think-nostream"])
def test_thinking_is_no_part_of_the_answer(wire, model):
    result = answer(endpoint(wire.url, model))
    assert result.text == TEXT
    assert result.reasoning.strip() == "The user wants a fox."


@pytest.mark.parametrize("model", ["fox-tools", "fox-tools-nostream", "fox-tools-split3"])
def test_tool_calls_are_put_together(wire, model):
    tool = Tool("paint", "Paints.", {"type": "object"})
    result = answer(endpoint(wire.url, model), question(tools=(tool,)))
    assert result.tool_calls == (
        ToolCall("call_1", "paint", TOOL_ARGUMENTS),
        ToolCall("call_2", "paint", TOOL_ARGUMENTS),
    )
    assert result.finish_reason == "tool_calls"


def test_an_answer_cut_at_max_tokens_says_so(wire):
    assert answer(endpoint(wire.url, "fox-length")).finish_reason == "length"


def test_text_is_shown_while_it_comes(wire):
    live, seen = LiveText(), set()
    model = Model(endpoint(wire.url, "fox-chunks5-gap60"), live=live)
    runner.run(model.ask([question()]), on_tick=lambda: seen.add(live.text()))
    assert len(seen) >= 3
    assert all(TEXT.startswith(text) for text in seen)
    assert (live.text(), live.progress()) == (TEXT, 1.0)


# -- what goes over the wire


def body_of(wire, deployment, request):
    answer(deployment, request)
    return wire.calls()[-1].json


def test_what_is_asked_is_sent_and_nothing_else(wire):
    body = body_of(wire, endpoint(wire.url), question())
    assert body == {
        "model": "fox",
        "messages": [{"role": "user", "content": "a fox"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = wire.calls()[-1].headers
    assert "authorization" not in headers
    assert set(headers) <= {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "content-length",
        "content-type",
    }


def test_every_parameter_has_its_place(wire):
    schema = {"type": "object", "properties": {}}
    request = Request(
        (
            Message("system", "be brief"),
            Message("user", "look", images=(Image("image/png", b"\x89PNG"),)),
            Message("assistant", "", tool_calls=(ToolCall("c1", "paint", "{}"),)),
            Message("tool", "done", tool_call_id="c1"),
        ),
        temperature=0.0,
        top_p=0.5,
        max_tokens=77,
        seed=0,
        schema=schema,
        schema_name="values",
        tools=(Tool("paint", "Paints.", schema),),
        tool_choice="auto",
        reasoning="off",
        extra={"top_k": 20, "model": "other", "messages": [], "stream": False},
    )
    body = body_of(wire, endpoint(wire.url, "org/any:thing"), request)
    assert body["model"] == "org/any:thing"
    assert body["stream"] is True
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool"]
    assert body["messages"][1]["content"][1]["image_url"]["url"] == "data:image/png;base64,iVBORw=="
    assert body["messages"][2]["tool_calls"][0]["function"] == {"name": "paint", "arguments": "{}"}
    assert body["messages"][3]["tool_call_id"] == "c1"
    assert (body["temperature"], body["top_p"], body["max_tokens"], body["seed"]) == (0.0, 0.5, 77, 0)
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert (body["tool_choice"], body["tools"][0]["function"]["name"]) == ("auto", "paint")
    assert (body["reasoning_effort"], body["top_k"]) == ("none", 20)


def test_the_key_goes_into_the_authorization_header_only(wire):
    wire.require_key = KEY
    answer(endpoint(wire.url, api_key=Secret(KEY)))
    (call,) = wire.calls()
    carriers = [name for name, value in call.headers.items() if KEY in value]
    assert carriers == ["authorization"]
    assert KEY not in call.path + str(call.query) + call.body.decode()


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h:1", "http://h:1/v1/chat/completions"),
        ("http://h:1/", "http://h:1/v1/chat/completions"),
        ("http://h/v1/", "http://h/v1/chat/completions"),
        ("http://h/api/v3", "http://h/api/v3/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
    ],
)
def test_where_the_chat_route_is(base, url):
    assert route(base, "/chat/completions") == url


def test_nothing_of_the_environment_goes_astray(wire, monkeypatch, tmp_path):
    planted = "planted-in-the-environment"
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_ORG_ID",
        "OPENAI_ORGANIZATION",
        "OPENAI_PROJECT",
        "OPENAI_PROJECT_ID",
    ):
        monkeypatch.setenv(name, f"sk-{planted}")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.setenv(name, f"{wire.other_url}/{planted}")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, wire.other_url)
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login fox password {planted}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    answer(endpoint(wire.url))
    (call,) = wire.log
    assert call.origin == wire.url
    assert "authorization" not in call.headers
    assert planted not in str(call.headers) + call.path + call.body.decode()


def test_other_machines_are_reached_through_the_proxy_of_the_environment(wire, monkeypatch):
    monkeypatch.setenv("http_proxy", wire.url)
    answer(endpoint("http://models.invalid"))
    assert wire.calls()[-1].headers["host"] == "models.invalid"
    monkeypatch.setenv("no_proxy", "models.invalid")
    assert isinstance(failure(endpoint("http://models.invalid")), errors.ConnectionFailed)
    assert len(wire.calls()) == 1


def test_calls_share_one_connection():
    connections = []

    async def serve(reader, writer):
        connections.append(writer.get_extra_info("peername"))
        while True:
            await head_of(reader)
            body = json.dumps(
                {"choices": [{"message": {"content": "fox"}, "finish_reason": "stop"}]}
            ).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                + body
            )

    with raw_server(serve) as port:
        for _ in range(4):
            assert answer(endpoint(f"http://127.0.0.1:{port}")).text == "fox"
    assert len(connections) == 1


# -- refusals of the server


@pytest.mark.parametrize(
    ("model", "kind", "says"),
    [
        ("fox-status400", errors.BadRequest, "rejected the request"),
        ("fox-status401", errors.AuthenticationFailed, "Set LLM_API_KEY"),
        ("fox-status403", errors.PermissionDenied, "does not allow this"),
        ("fox-status404", errors.ModelNotFound, "LLM_BASE_URL"),
        ("fox-status408", errors.TimedOut, "did not answer in time"),
        ("fox-status413", errors.ContextOverflow, "too long"),
        ("fox-status422", errors.BadRequest, "rejected the request"),
        ("fox-status429", errors.RateLimited, "too many requests"),
        ("fox-status500", errors.ProviderFailed, "failed (500)"),
        ("fox-status503", errors.ProviderFailed, "failed (503)"),
        ("fox-ctx", errors.ContextOverflow, "Shorten the prompt"),
        ("fox-redirect", errors.RedirectRefused, "Set LLM_BASE_URL to the final address"),
    ],
)
def test_each_status_has_its_error(wire, model, kind, says):
    error = failure(endpoint(wire.url, model))
    assert type(error) is kind
    assert says in str(error)
    assert f"Fox ({model})" in error.message
    assert error.hint
    assert (error.provider, error.model, error.attempts) == ("endpoint", model, 1)
    assert len(wire.calls()) == 1


def test_a_key_that_is_refused_is_named_by_its_variable(wire):
    error = failure(endpoint(wire.url, "fox-status401", api_key=Secret(KEY)))
    assert error.hint == "Check the key in LLM_API_KEY."


def test_a_redirect_never_carries_the_key(wire):
    failure(endpoint(wire.url, "fox-redirect", api_key=Secret(KEY)))
    assert [entry.origin for entry in wire.log] == [wire.url]


def test_retry_after_is_read(wire):
    assert failure(endpoint(wire.url, "fox-status429-retryafter7")).retry_after_s == 7
    assert failure(endpoint(wire.url, "fox-status429")).retry_after_s is None


# -- connections that fail


def test_nobody_listens():
    with raw_server(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    error = failure(endpoint(f"http://127.0.0.1:{port}"))
    assert type(error) is errors.ConnectionFailed
    assert error.message == f"No server is responding at http://127.0.0.1:{port} (connection refused)."
    assert "Start the server" in error.hint
    assert error.retryable


def test_an_unknown_host():
    error = failure(endpoint("http://no-such-host.invalid:8080"))
    assert type(error) is errors.ConnectionFailed
    assert "http://no-such-host.invalid:8080 could not be resolved" in error.message
    assert "typos" in error.hint
    assert not error.retryable


@pytest.mark.parametrize("base", ["http://[::1", "http://", "nonsense", "http://h:99999999"])
def test_an_address_that_is_none(base):
    error = failure(endpoint(wire_url := base, base_url=base))
    assert isinstance(error, errors.LLMError), wire_url
    assert "LLM_BASE_URL" in error.hint


def test_a_key_that_no_header_can_carry(wire):
    error = failure(endpoint(wire.url, api_key=Secret("sk-first-line\nsecond: line")))
    assert "key" in error.message
    assert "LLM_API_KEY" in str(error)
    assert "first-line" not in str(error)
    assert not wire.log


# -- silence and endlessness


@pytest.mark.parametrize("model", ["fox-silent", "fox-hang", "fox-hang-nostream"])
def test_silence_is_not_waited_for_for_ever(wire, model):
    error = failure(endpoint(wire.url, model, idle_timeout_s=0.3))
    assert type(error) is errors.TimedOut
    assert "sent nothing for 0.3 s" in error.message
    assert "LLM_TIMEOUT_MS" in error.hint
    assert error.retryable
    wire.wait_disconnects()


def test_keep_alive_comments_are_a_sign_of_life():
    async def serve(reader, writer):
        await head_of(reader)
        writer.write(event_stream())
        for _ in range(8):
            writer.write(b": keep-alive\n\n")
            await asyncio.sleep(0.1)
        writer.write(delta("fox") + DONE)

    with raw_server(serve) as port:
        assert answer(endpoint(f"http://127.0.0.1:{port}", idle_timeout_s=0.5)).text == "fox"


def test_a_call_that_takes_too_long_in_all(wire):
    error = failure(
        endpoint(wire.url, "fox-gap50-chunks200", idle_timeout_s=5, total_timeout_s=0.5, retries=3)
    )
    assert type(error) is errors.TimedOut
    assert "not finished after 0.5 s" in error.message
    assert error.attempts == 1, "what took too long once takes too long again"
    wire.wait_disconnects()


def test_an_answer_of_ten_megabytes(wire):
    error = failure(endpoint(wire.url, "fox-huge10"))
    assert type(error) is errors.AnswerTooLarge
    assert "max_tokens" in error.hint
    assert not error.retryable
    wire.wait_disconnects()


@pytest.mark.parametrize(
    ("kind", "begin"),
    [(b"application/json", b'{"choices": [{"'), (b"text/event-stream", b'data: {"choices": "')],
)
def test_one_piece_that_never_ends(kind, begin):
    hung_up = threading.Event()

    async def serve(reader, writer):
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nConnection: close\r\n\r\n" + begin)
        try:
            while True:
                writer.write(b"x" * 2**16)
                await writer.drain()
        finally:
            hung_up.set()

    with raw_server(serve) as port:
        error = failure(endpoint(f"http://127.0.0.1:{port}"))
        assert hung_up.wait(HANG_S)
    assert type(error) is errors.AnswerTooLarge
    assert "MB" in error.message


def test_text_that_never_stops(wire, monkeypatch):
    monkeypatch.setattr(collect, "LONGEST_ANSWER", 300)
    error = failure(endpoint(wire.url, "fox-babble"))
    assert type(error) is errors.AnswerTooLarge
    assert "more than 300 characters" in error.message
    wire.wait_disconnects()


def test_thinking_that_never_stops(wire, monkeypatch):
    monkeypatch.setattr(collect, "LONGEST_THINKING", 300)
    error = failure(endpoint(wire.url, "fox-forever"))
    assert type(error) is errors.AnswerTooLarge
    assert "did not stop reasoning" in error.message
    assert "reasoning" in error.hint
    wire.wait_disconnects()


# -- answers that are none


def test_a_stream_cut_in_the_middle(wire):
    error = failure(endpoint(wire.url, "fox-cut"))
    assert type(error) is errors.StreamBroken
    assert "stopped in the middle" in error.message
    assert error.retryable


def test_half_a_body(wire):
    assert type(failure(endpoint(wire.url, "fox-cut-nostream"))) is errors.StreamBroken


def test_a_stream_that_ends_without_an_end():
    async def serve(reader, writer):
        await head_of(reader)
        writer.write(event_stream(delta("a fox in")))

    with raw_server(serve) as port:
        assert type(failure(endpoint(f"http://127.0.0.1:{port}"))) is errors.StreamBroken


def test_a_server_that_hangs_up_without_a_word():
    async def serve(reader, writer):
        await head_of(reader)

    with raw_server(serve) as port:
        error = failure(endpoint(f"http://127.0.0.1:{port}"))
    assert type(error) is errors.ConnectionFailed


@pytest.mark.parametrize("model", ["fox-garbage", "fox-badsse"])
def test_malformed_answers(wire, model):
    error = failure(endpoint(wire.url, model))
    assert type(error) is errors.MalformedAnswer
    assert "OpenAI-compatible" in error.hint
    assert not error.retryable


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"3",
        b'"fox"',
        b"{",
        b"",
        b'{"choices": [3]}',
        b'{"choices": {"a": 1}}',
        b'{"status": "ok"}',
        b"\xff",
    ],
)
def test_json_that_is_no_answer(body):
    async def serve(reader, writer):
        await head_of(reader)
        writer.write(json_reply(b"200 OK", body))

    with raw_server(serve) as port:
        error = failure(endpoint(f"http://127.0.0.1:{port}"))
    assert type(error) is errors.MalformedAnswer
    assert MALFORMED in error.message


def test_odd_fields_do_no_harm():
    frame = {
        "model": "fox",
        "usage": {"prompt_tokens": "11", "completion_tokens": None, "cost": "much"},
        "choices": [{"delta": {"content": [{"type": "text", "text": "a fox"}]}, "finish_reason": "whatever"}],
    }

    async def serve(reader, writer):
        await head_of(reader)
        writer.write(event_stream(b"data: " + json.dumps(frame).encode() + b"\n\n"))

    with raw_server(serve) as port:
        result = answer(endpoint(f"http://127.0.0.1:{port}"))
    assert (result.text, result.finish_reason, result.usage) == ("a fox", "unknown", Usage())


def test_a_web_page():
    page = b"<!doctype html><title>Welcome</title>"

    async def serve(reader, writer):
        await head_of(reader)
        writer.write(json_reply(b"200 OK", page).replace(b"application/json", b"text/html"))

    with raw_server(serve) as port:
        assert "returned a web page" in failure(endpoint(f"http://127.0.0.1:{port}")).message


def test_an_error_in_the_middle_of_a_stream(wire):
    error = failure(endpoint(wire.url, "fox-streamerror"))
    assert type(error) is errors.ProviderFailed
    assert "broke in the middle" in error.message


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'{"error": {"message": "slow down", "code": 429}}', errors.RateLimited),
        (b'{"error": {"message": "slow down", "code": "429"}}', errors.RateLimited),
        (b'{"error": "This model\'s maximum context length is 4096 tokens."}', errors.ContextOverflow),
        (b'{"error": {"message": "out of memory"}}', errors.ProviderFailed),
        (b'{"error": {"message": "odd", "code": "\xc2\xb2"}}', errors.ProviderFailed),
    ],
)
def test_errors_that_come_with_a_200(frame, kind):
    async def serve(reader, writer):
        await head_of(reader)
        writer.write(event_stream(b"data: " + frame + b"\n\n"))

    with raw_server(serve) as port:
        assert type(failure(endpoint(f"http://127.0.0.1:{port}"))) is kind


@pytest.mark.parametrize("model", ["fox-empty", "fox-empty-nostream"])
def test_an_empty_answer(wire, model):
    error = failure(endpoint(wire.url, model))
    assert type(error) is errors.EmptyAnswer
    assert "returned an empty answer" in error.message


def test_thinking_without_an_answer(wire):
    error = failure(endpoint(wire.url, "fox-think-empty"))
    assert type(error) is errors.EmptyAnswer
    assert "only reasoned" in error.message


def test_the_filter_of_the_provider_says_no(wire):
    assert type(failure(endpoint(wire.url, "fox-filtered"))) is errors.Refused


def test_a_refusal_in_words_is_for_the_caller_to_see(wire):
    assert answer(endpoint(wire.url, "fox-refusal")).text == REFUSAL


# -- keys and texts


def test_a_key_shows_nowhere(wire, caplog):
    caplog.set_level(logging.DEBUG)
    deployment = endpoint(wire.url, "fox", api_key=Secret(KEY), params={"aws_secret": Secret(KEY)})
    assert KEY not in repr(deployment)
    echoing = f"Incorrect API key provided: {KEY}. You can find it at …"
    shown = []
    for model in ("fox", "fox-status500", "fox-redirect", "fox-cut", "fox-garbage", "fox-hang", "fox-ctx"):
        changed = endpoint(wire.url, model, api_key=Secret(KEY), idle_timeout_s=0.2)
        shown += [ask_all(changed)[0]]

    async def serve(reader, writer):
        await head_of(reader)
        writer.write(event_stream(b'data: {"error": {"message": "%s"}}\n\n' % echoing.encode()))

    async def serve_garbage(reader, writer):
        await head_of(reader)
        writer.write(event_stream(b"data: <%s\n\n" % KEY.encode()))

    for handler in (serve, serve_garbage):
        with raw_server(handler) as port:
            shown.append(failure(endpoint(f"http://127.0.0.1:{port}", api_key=Secret(KEY))))
    texts = [repr(one) + str(one) + str(vars(one) if isinstance(one, Exception) else "") for one in shown]
    texts += ["".join(traceback.format_exception(one)) for one in shown if isinstance(one, Exception)]
    assert "***" in texts[-1] + texts[-2] + "".join(texts)
    assert not [text for text in texts if KEY in text]
    assert KEY not in caplog.text


def test_no_prompt_stands_in_the_log(wire, caplog):
    caplog.set_level(logging.DEBUG)
    answer(endpoint(wire.url), question("a very private fox"))
    assert "private" not in caplog.text


def test_a_lone_surrogate_in_a_prompt_is_sent(wire):
    answer(endpoint(wire.url), question("a fox \ud83d in snow"))
    assert wire.calls()[0].json["messages"][0]["content"] == "a fox \ud83d in snow"


def test_the_thread_that_asks_is_free_meanwhile(wire):
    """Two threads ask at once: a host may run two nodes at the same time."""
    wire.meeting = 2
    results: list = []
    threads = [
        threading.Thread(target=lambda: results.append(answer(endpoint(wire.url)).text)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_S)
    assert results == [TEXT, TEXT]
    assert wire.peak == 2


def test_what_the_user_insists_on_is_not_left_out():
    serve, bodies = picky({"seed"})
    with raw_server(serve) as port:
        error = failure(endpoint(f"http://127.0.0.1:{port}"), question(seed=1, extra={"seed": 2}))
    assert type(error) is errors.BadRequest
    assert len(bodies) == 1

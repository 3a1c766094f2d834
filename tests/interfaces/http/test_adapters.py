"""Adapters between a socket and the routes: the same on aiohttp as on Starlette."""

from __future__ import annotations

import http.client
import importlib.util
import json
import logging
import time

import pytest
from routes.served import on_aiohttp, on_starlette

JSON = "application/json"
# Generous: it separates hanging up at once from an answer that takes an hour.
AT_ONCE_S = 20.0


# With what the hosts have, in their lanes.
STARLETTE = pytest.param("starlette", marks=pytest.mark.webui)


@pytest.fixture(params=["aiohttp", STARLETTE])
def served(request, call, env, wire):
    if request.param == "starlette" and not importlib.util.find_spec("uvicorn"):
        pytest.skip("no uvicorn here: the lanes gradio3 and gradio4 have it")
    env(LLM_BASE_URL=f"{wire.url}/v1", LLM_MODEL="fox")
    with (on_aiohttp if request.param == "aiohttp" else on_starlette)(lambda: call.host) as served:
        yield served


def test_every_list_answers_as_json_that_nobody_keeps(served):
    for path in ("llm/models", "llm/providers", "keys", "config", "health", "targets", "variables"):
        answer = served("GET", path)
        assert answer.status == 200, (path, answer.body)
        headers = {name.lower(): text for name, text in answer.headers.items()}
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_guard_sees_who_calls_and_how(served, env):
    assert served("GET", "config").status == 200
    assert served("GET", "config", Host="evil.example").error == "forbidden"
    assert served("GET", "config", Host=f"192.0.2.7:{served.port}").error == "forbidden", "not the one called"
    assert served("GET", "config", Origin="null").error == "forbidden"
    assert served("POST", "unload", {}, X_Quillwork="0").error == "forbidden"
    assert served("POST", "unload", {}, Content_Type="text/plain").error == "bad_request"
    assert served("GET", "config", X_Forwarded_For="127.0.0.1").error == "token_not_set"
    env(LLM_SERVICE_TOKEN="planted-token-0123456789")
    forwarded = {"X_Forwarded_For": "203.0.113.9"}
    assert served("GET", "config", **forwarded).error == "wrong_token"
    bearer = "Bearer planted-token-0123456789"
    assert served("GET", "config", Authorization=bearer, **forwarded).status == 200


def test_method_path_and_query_arrive(served):
    assert served("PUT", "variables/hair%2Fstyle", {"values": ["b\u00e4r", "bun"]}).status == 200
    assert served("GET", "variables/hair/style").json()["values"] == ["b\u00e4r", "bun"]
    assert [row["name"] for row in served("GET", "variables?q=sty").json()["variables"]] == ["hair/style"]
    assert served("GET", "variables?q=nothing%20such").json()["variables"] == []
    assert served("GET", f"variables?q={'x' * 300}").error == "bad_request"
    assert served("DELETE", "variables/hair/style").status == 200
    assert served("GET", "variables/..%2f..%2fsecret").error == "invalid_name"
    assert served("PATCH", "config").error == "not_found"
    assert served("GET", "nothing/here").error == "not_found"


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe\x00", b"[]", b'{"prompt": 3}'])
def test_a_body_that_is_not_what_it_should_be(served, raw):
    assert served("POST", "enhance", raw).error == "bad_request"


def test_a_body_in_pieces_is_put_together(served):
    def pieces():
        for piece in (b'{"prompt": "a fox', b" in", b' the snow"}'):
            time.sleep(0.02)
            yield piece

    assert served("POST", "enhance", pieces()).json()["prompts"] == ["a red fox in fresh snow"]


def test_a_body_that_is_too_large_is_not_taken(served):
    assert served("POST", "enhance", b'{"prompt": "' + b"x" * (1024 * 1024) + b'"}').error == "too_large"
    try:
        answer = served("POST", "enhance", (b"x" * 65536 for _ in range(40)))
    except (ConnectionError, http.client.HTTPException):
        return  # the connection was closed in the middle: that will do
    assert answer.error == "too_large"


def test_words_come_as_they_are_written(served):
    body = {"prompt": "a fox in the snow", "llm_model": "fox-gap300", "stream": True}
    with served.begin("POST", "enhance", body, Accept_Encoding="gzip") as connection:
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert answer.getheader("Cache-Control") == "no-store"
        came, text = [], b""
        while piece := answer.read1(65536):
            came.append(time.monotonic())
            text += piece
    blocks = [block for block in text.decode().split("\n\n") if block and not block.startswith(":")]
    assert {block.partition("\n")[0] for block in blocks[:-1]} == {"event: token"}
    assert json.loads(blocks[-1].partition("data: ")[2])["prompts"] == ["a red fox in fresh snow"]
    assert len(came) > 2 and came[-1] - came[0] > 0.3, "not held back until the end"


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_ends_the_call(served, wire, stream, caplog):
    body = {"prompt": "a fox", "llm_model": "fox-hang", "stream": stream}
    with caplog.at_level(logging.WARNING), served.begin("POST", "enhance", body):
        wire.wait_calls(1)
    left = time.monotonic()
    (gone,) = wire.wait_disconnects(1)
    assert gone.at - left < AT_ONCE_S
    assert served("POST", "enhance", {"prompt": "a fox"}).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], caplog.text


def test_a_client_that_goes_away_frees_its_place(served, wire):
    for calls in range(1, 20):
        with served.begin("POST", "enhance", {"prompt": "a fox", "llm_model": "fox-hang", "stream": True}):
            wire.wait_calls(calls)
        wire.wait_disconnects(calls)
    assert served("POST", "enhance", {"prompt": "a fox"}).status == 200


def test_two_requests_on_one_connection(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    for name in ("one", "two"):
        body = json.dumps({"values": [name]}).encode()
        headers = {"X-Quillwork": "1", "Content-Type": JSON}
        connection.request("PUT", f"/quillwork/variables/{name}", body, headers)
        assert json.loads(connection.getresponse().read())["values"] == [name]
    connection.close()

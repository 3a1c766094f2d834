"""The imitation server itself: a double that misbehaves in another way than asked proves nothing."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest

from wire.answers import TEXT
from wire.server import WireServer


async def _post(wire: WireServer, model: str, *, stream: bool = False, **more):
    body = {"model": model, "messages": [{"role": "user", "content": "a fox"}], "stream": stream, **more}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{wire.url}/v1/chat/completions", json=body, allow_redirects=False) as reply,
    ):
        return reply.status, reply.headers, await reply.read()


def post(wire: WireServer, model: str, **more):
    return asyncio.run(_post(wire, model, **more))


def events(raw: bytes) -> list[dict]:
    lines = [line[6:] for line in raw.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def text_of(raw: bytes) -> str:
    choices = [choice for frame in events(raw) for choice in frame["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_answers_whole_and_in_pieces(wire):
    status, _, raw = post(wire, "fox")
    reply = json.loads(raw)
    assert (status, reply["choices"][0]["message"]["content"]) == (200, TEXT)
    assert reply["usage"] == {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    _, _, raw = post(wire, "fox-chunks20", stream=True, stream_options={"include_usage": True})
    assert text_of(raw) == TEXT
    assert len([f for f in events(raw) if f["choices"] and f["choices"][0]["delta"].get("content")]) == 20
    assert events(raw)[-1]["usage"]["completion_tokens"] == 7
    assert [entry.model for entry in wire.calls()] == ["fox", "fox-chunks20"]


@pytest.mark.parametrize(
    ("model", "status"), [("fox-status503", 503), ("fox-ctx", 400), ("fox-redirect", 307), ("fox", 200)]
)
def test_status_words(wire, model, status):
    assert post(wire, model)[0] == status


def test_fails_so_often_and_then_not(wire):
    assert [post(wire, "fox-fail429x2-retryafter3")[0] for _ in range(3)] == [429, 429, 200]
    assert post(wire, "m-status429-retryafter0.5")[1]["Retry-After"] == "0.5"
    assert "Retry-After" not in post(wire, "m-status429")[1]


def test_a_redirect_leads_to_the_other_origin(wire):
    headers = post(wire, "fox-redirect")[1]
    assert headers["Location"].startswith(wire.other_url)
    assert wire.other_url != wire.url
    assert {entry.origin for entry in wire.log} == {wire.url}


def test_scripts_by_text_function_and_list(wire):
    wire.script("a", "one")
    wire.script("b*", lambda body: body["messages"][-1]["content"].upper())
    wire.script("c", ["first", "second"])
    said = [json.loads(post(wire, model)[2])["choices"][0]["message"]["content"] for model in ("a", "bb")]
    assert said == ["one", "A FOX"]
    assert [text_of(post(wire, "c", stream=True)[2]) for _ in range(3)] == ["first", "second", "second"]


def test_a_cut_is_seen_as_a_broken_connection(wire):
    for stream in (True, False):
        with pytest.raises(aiohttp.ClientError):
            post(wire, "fox-cut", stream=stream)


def test_a_client_that_leaves_is_seen(wire):
    async def leave() -> float:
        task = asyncio.ensure_future(_post(wire, "fox-hang", stream=True))
        await asyncio.to_thread(wire.wait_calls)
        task.cancel()
        return time.monotonic()

    left = asyncio.run(leave())
    (gone,) = wire.wait_disconnects()
    assert gone.model == "fox-hang"
    assert gone.at - left < 20


def test_counts_calls_at_once(wire):
    async def many() -> None:
        await asyncio.gather(*(_post(wire, "fox") for _ in range(5)))

    wire.meeting = 5
    asyncio.run(many())
    assert wire.peak == 5


def test_a_required_key(wire):
    wire.require_key = "sk-right-key"
    assert post(wire, "fox")[0] == 401


def test_huge_and_torn_streams_stay_whole(wire):
    assert len(text_of(post(wire, "fox-huge1", stream=True)[2])) == 2**20
    assert text_of(post(wire, "fox-split3-crlf-comments", stream=True)[2].replace(b"\r", b"")) == TEXT


def test_a_reset_forgets(wire):
    post(wire, "fox")
    wire.reset()
    assert (wire.log, wire.peak, wire.disconnects) == ([], 0, [])

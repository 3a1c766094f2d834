"""Addresses, proxies and the one session."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest
from endpoints import endpoint, failure

from quillwork.llm_backends import errors
from quillwork.llm_backends.local.hub.access import HubAccess
from quillwork.llm_backends.local.hub.client import HubClient
from quillwork.llm_backends.remote import openai_responses
from quillwork.llm_backends.remote.batches.openai_batches import OpenAIBatches
from quillwork.llm_backends.remote.http_client import HttpClient, bearer, origin_of, proxy_for
from quillwork.llm_backends.remote.model_list import fetch_json
from quillwork.llm_backends.remote.openai_compatible import Call, embed
from quillwork.llm_backends.remote.token_exchange import PARAMETER, with_token
from quillwork.llm_backends.types import Deployment, Message, Request, Secret


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h:80/v1", "http://h"),
        ("https://h:443", "https://h"),
        ("https://h:80/x?y", "https://h:80"),
        ("http://user:password@h:8/x", "http://h:8"),
        ("http://[::1]:8/x", "http://[::1]:8"),
        ("http://[::1", "http://[::1"),
        ("http://user:password@h:port", "h:port"),
    ],
)
def test_origins_hold_no_password(url, origin):
    assert origin_of(url) == origin


def test_proxies_of_the_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_for("http://h/v1") is None
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://secure:3128")
    assert proxy_for("http://h/v1") == "http://proxy:3128"
    assert proxy_for("https://h/v1") == "http://secure:3128"
    for local in ("http://127.0.0.1:8/v1", "http://localhost/", "https://[::1]/"):
        assert proxy_for(local) is None
    monkeypatch.setenv("no_proxy", "internal.example,.other")
    assert proxy_for("http://internal.example/v1") is None
    assert proxy_for("http://a.other/v1") is None
    assert proxy_for("http://h/v1") == "http://proxy:3128"


def test_keys_that_no_header_can_carry():
    assert bearer(None, "V") == {}
    assert bearer(Secret("sk-1"), "V") == {"Authorization": "Bearer sk-1"}
    for text in ("sk-1\r\nX: y", "sk-“1”", "sk\x00"):
        with pytest.raises(errors.AuthenticationFailed, match="V again") as caught:
            bearer(Secret(text), "V")
        assert "sk" not in str(caught.value).replace("risk", "")


def test_one_session_for_a_loop_and_a_new_one_after_closing(wire):
    client = HttpClient()

    async def status() -> int:
        async with client.get(f"{wire.url}/v1/models", {}) as reply:
            return reply.status

    async def twice():
        first = client.session()
        assert await status() == 200
        assert client.session() is first
        await client.close()
        await client.close()
        assert first.closed
        assert await status() == 200
        await client.close()

    asyncio.run(twice())
    asyncio.run(twice())


def test_no_cookie_and_no_redirect(wire):
    client = HttpClient()

    async def run() -> int:
        session = client.session()
        assert not session.trust_env
        body = {"model": "fox-redirect", "messages": []}
        async with client.post(f"{wire.url}/v1/chat/completions", body, {}) as reply:
            status = reply.status
        await client.close()
        return status

    assert asyncio.run(run()) == 307
    assert {entry.origin for entry in wire.log} == {wire.url}


FOX = Deployment("litellm", "fox", provider="openai", base_url="http://127.0.0.1:9/v1")
GIGACHAT = replace(FOX, api_key=Secret("sk-1"), params={PARAMETER: {"url": "http://127.0.0.1:9/token"}})
ASKED = Request((Message("user", "A fox"),))


async def _all_of(chunks):
    return [chunk async for chunk in chunks]


@pytest.mark.parametrize(
    "call",
    [
        lambda: embed(ASKED, Call(f"{FOX.base_url}/embeddings", {}, FOX)),
        lambda: _all_of(openai_responses.respond(ASKED, FOX)),
        lambda: fetch_json(f"{FOX.base_url}/models", None, ""),
        lambda: with_token(GIGACHAT),
        lambda: OpenAIBatches(FOX).submit("tag", [b"{}"], ""),
        lambda: OpenAIBatches(FOX).find("tag", [], 0.0, ()),
        lambda: HubClient(HubAccess("http://127.0.0.1:9"), "a/b", 1.0).repository(""),
    ],
)
def test_without_aiohttp_every_call_says_what_to_do(call, monkeypatch):
    """Forge Neo brings none, and a start with --skip-install adds none."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(errors.DependencyMissing, match=r"package aiohttp, .* Run `python install\.py` in"):
        asyncio.run(call())


def test_without_aiohttp_so_does_an_answer(monkeypatch, wire):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert isinstance(failure(endpoint(wire.url, "fox")), errors.DependencyMissing)

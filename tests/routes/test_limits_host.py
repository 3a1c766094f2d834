"""Endless bodies, and clients that never read, on a host that goes on."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from host.fixtures import Hosts
from host.process import Host
from wire.server import WireServer

TOKEN = "planted-proxy-token-0123456789"
FOX = [{"role": "user", "content": "a fox"}]
HEADERS = {"X-Quillwork": "1", "Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
LIMITS = {
    "enhance": "1 MB",
    "llm/chat/completions": "16 MB",
    "llm/vision": "16 MB",
    "llm/embeddings": "8 MB",
    "llm/cost/estimate": "8 MB",
    "v1/chat/completions": "16 MB",
    "v1/embeddings": "8 MB",
}


@pytest.fixture
def serving(host_factory: Hosts, wire: WireServer) -> Host:
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_MAX_CONCURRENCY": "64"}
    return host_factory({**env, "LLM_ENABLE_OPENAI_PROXY": "1", "LLM_PROXY_TOKEN": TOKEN})


@contextmanager
def asked(host: Host, path: str, body: dict[str, Any]) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(host.base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("POST", f"/quillwork/{path}", json.dumps(body), HEADERS)
        yield connection
    finally:
        connection.close()


def goes_on(host: Host) -> bool:
    body = {"prompt": "a fox"}
    return host.request("POST", "/quillwork/enhance", json=body, headers=HEADERS).status == 200


@pytest.mark.parametrize("path", LIMITS)
def test_a_body_of_20_mb_is_refused_with_the_limit(serving: Host, path: str) -> None:
    body = b'{"messages": "' + b"x" * 20_000_000 + b'"}'
    try:
        answer = serving.request("POST", f"/quillwork/{path}", data=body, headers=HEADERS)
    except (ConnectionError, OSError):
        return  # the connection was closed while it was still sending
    assert answer.status == 413
    assert LIMITS[path] in answer.json()["error"]["message"]


def test_large_bodies_that_are_allowed_are_nonsense_all_the_same(serving: Host) -> None:
    picture = "A" * 8_000_000
    answer = serving.request("POST", "/quillwork/llm/vision", json={"images": [picture]}, headers=HEADERS)
    assert answer.status == 400
    assert (
        serving.request("POST", "/quillwork/enhance", json={"prompt": "a fox"}, headers=HEADERS).status == 200
    )


@pytest.mark.parametrize("path", ["llm/chat/completions", "v1/chat/completions"])
def test_who_never_reads_costs_nobody_anything(serving: Host, wire: WireServer, path: str) -> None:
    name = "model" if path.startswith("v1") else "llm_model"
    idle = {"messages": FOX, name: "fox-huge4", "stream": True}
    whole = {"messages": FOX, name: "fox-gap30", "stream": True}
    with asked(serving, path, idle), asked(serving, path, idle):
        wire.wait_calls(2)
        for _ in range(3):
            with asked(serving, path, whole) as connection:
                assert b"error" not in connection.getresponse().read()
        # An answer that nobody reads has its limit as every answer has: the model is not kept waiting.
        end = time.monotonic() + 100
        while wire.inflight:
            assert time.monotonic() < end
            time.sleep(0.02)
    assert (
        serving.request("POST", "/quillwork/enhance", json={"prompt": "a fox"}, headers=HEADERS).status == 200
    )


def test_an_answer_beyond_the_host_is_no_five_hundred(serving: Host) -> None:
    deep = b'{"model": "fox", "messages": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    answer = serving.request("POST", "/quillwork/v1/chat/completions", data=deep, headers=HEADERS)
    assert answer.status == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}

"""The OpenAI-compatible endpoint on a host."""

from __future__ import annotations

import time
from typing import Any

import pytest
from host.fixtures import Hosts
from host.process import Host
from wire.answers import TEXT
from wire.embeddings import vector_of
from wire.server import WireServer

openai = pytest.importorskip("openai", reason="the client comes with litellm, which is not installed here")

TOKEN = "planted-proxy-token-0123456789"
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
FOX = [{"role": "user", "content": "a fox"}]


@pytest.fixture
def serving(host_factory: Hosts, wire: WireServer) -> Host:
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_API_KEY": KEY}
    return host_factory({**env, "LLM_ENABLE_OPENAI_PROXY": "1", "LLM_PROXY_TOKEN": TOKEN})


def client(host: Host, token: str = TOKEN, prefix: str = "/quillwork/v1") -> Any:
    return openai.OpenAI(base_url=f"{host.base_url}{prefix}", api_key=token, max_retries=0)


@pytest.mark.parametrize("prefix", ["/quillwork/v1", "/api/quillwork/v1"])
def test_the_stock_client_is_served(serving: Host, prefix: str) -> None:
    with client(serving, prefix=prefix) as ours:
        assert "fox" in [model.id for model in ours.models.list()]
        answer = ours.chat.completions.create(model="fox", messages=FOX)
        assert answer.choices[0].message.content == TEXT
        chunks = list(ours.chat.completions.create(model="fox-gap30", messages=FOX, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
        assert len(chunks) > 4
        assert ours.embeddings.create(model="fox", input="an owl").data[0].embedding == vector_of("an owl")
        with pytest.raises(openai.NotFoundError):
            ours.chat.completions.create(model="fox-status404", messages=FOX)


def test_a_token_or_nothing(serving: Host, host: Host, wire: WireServer) -> None:
    with client(serving, "wrong") as stranger, pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="fox", messages=FOX)
    with client(host) as nobody, pytest.raises(openai.NotFoundError, match="LLM_ENABLE_OPENAI_PROXY"):
        nobody.models.list()
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example:8188"}):
        body = {"model": "fox", "messages": FOX}
        given = {"Authorization": f"Bearer {TOKEN}", **headers}
        answer = serving.request("POST", "/quillwork/v1/chat/completions", json=body, headers=given)
        assert answer.status == 403
    assert wire.calls() == []
    assert TOKEN not in serving.log() + serving.get("/quillwork/config").text


def test_who_leaves_hangs_up(serving: Host, wire: WireServer) -> None:
    with client(serving) as ours:
        stream = ours.chat.completions.create(model="fox-hang", messages=FOX, stream=True)
        next(iter(stream))
        left = time.monotonic()
        stream.close()
    (gone,) = wire.wait_disconnects(1)
    assert gone.at - left < 20, "the figure itself is in benchmarks/streams.py"

"""Tiny model of the tests, on the host's own device, behind routes and OpenAI's client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from host.client import Response
from host.fixtures import Hosts
from host.process import Host
from tiny_model.fixtures import TRAINING_S, tiny_model  # noqa: F401

pytestmark = pytest.mark.timeout(TRAINING_S + 300)
TOKEN = "planted-proxy-token-0123456789"
FOX = [{"role": "user", "content": "a fox"}]


@pytest.fixture
def local_host(host_factory: Hosts, tiny_model: Path) -> Host:  # noqa: F811
    env = {"LLM_MODE": "hf_local", "LLM_PATH": str(tiny_model), "OMP_NUM_THREADS": "1"}
    return host_factory({**env, "LLM_ENABLE_OPENAI_PROXY": "1", "LLM_PROXY_TOKEN": TOKEN})


def post(host: Host, path: str, body: dict[str, Any]) -> Response:
    headers = {"X-Quillwork": "1", "Authorization": f"Bearer {TOKEN}"}
    return host.request("POST", f"/quillwork/{path}", json=body, headers=headers)


def test_it_enhances_and_invents(local_host: Host) -> None:
    answer = post(local_host, "enhance", {"prompt": "a fox", "target": "plain"})
    assert answer.status == 200, answer.text
    assert answer.json()["info"]["mode"] == "hf_local"
    answer = post(local_host, "variables/generate", {"name": "colors", "count": 3})
    assert len(answer.json()["values"]) == 3, answer.text


@pytest.mark.parametrize("stream", [False, True])
def test_it_chats(local_host: Host, stream: bool) -> None:
    body = {"messages": FOX, "max_tokens": 64, "stream": stream}
    answer = post(local_host, "llm/chat/completions", body)
    assert answer.status == 200, answer.text
    whole = json.loads(answer.text.rstrip().rpartition("data: ")[2])
    assert whole["text"]
    assert whole["info"]["completion_tokens"] > 0
    if stream:
        assert answer.text.count("event: token") > 1


def test_it_makes_no_vectors_and_says_so(local_host: Host) -> None:
    answer = post(local_host, "llm/embeddings", {"texts": ["a fox"]})
    assert answer.status == 400
    assert "embeddings" in answer.json()["error"]["message"]


def test_openais_client_talks_with_it(local_host: Host, tiny_model: Path) -> None:  # noqa: F811
    openai = pytest.importorskip("openai")
    with openai.OpenAI(
        base_url=f"{local_host.base_url}/quillwork/v1", api_key=TOKEN, max_retries=0
    ) as client:
        name = f"local/{tiny_model.name}"
        assert {"default", name} <= {model.id for model in client.models.list()}
        how = {"messages": FOX, "max_tokens": 64, "seed": 7}
        for model in ("default", name):
            answer = client.chat.completions.create(model=model, **how)
            assert answer.choices[0].message.content
            assert answer.usage.completion_tokens > 0
        chunks = list(client.chat.completions.create(model=name, stream=True, **how))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text.strip() == answer.choices[0].message.content.strip(), "the same seed, the same words"
    assert local_host.get("/queue").json()["queue_running"] == []

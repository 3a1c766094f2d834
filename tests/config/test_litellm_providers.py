"""Every row of the table through the real litellm: moved to a loopback server, asked, and listened to.

All run in one process, with one import of litellm. Any other address than the server's is refused.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from urllib.parse import urlsplit

import pytest
from wire.answers import TEXT
from wire.deployments import PATHS
from wire.server import Logged, WireServer

from quillwork.config import providers
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.provider_table import Provider
from quillwork.llm_backends import client
from quillwork.llm_backends.errors import ConsentNeeded, MissingKey, NotConfigured

litellm = pytest.importorskip("litellm", reason="litellm is not installed here")

OPENAI_KEY = "sk-planted-key-of-openai-0123456789"
# Where litellm has its own idea of the path below an address, of the header of the key, of a model's name.
OWN_PATHS = {
    "anthropic": "/v1/messages",
    "azure": "/openai/deployments/fox/chat/completions",
    "bedrock": "/model/fox/converse-stream",
    "datarobot": "/at/datarobot/api/v2/genai/llmgw/chat/completions/",
    "gemini": "/v1beta/models/fox:streamGenerateContent",
    "heroku": "/at/heroku/v1/chat/completions",
    "ollama": "/api/chat",
    "ragflow": "/at/ragflow/api/v1/chats_openai/one/chat/completions",
}
OWN_ENDS = {"datarobot": "/api/v2"}
OWN_HEADERS = {"anthropic": "x-api-key", "azure": "api-key", "gemini": "x-goog-api-key"}
OWN_MODELS = {"clarifai": "maker.app.fox", "ragflow": "chat/one/fox"}
SENT_MODELS = {
    "clarifai": "https://clarifai.com/maker/app/models/fox",
    "fireworks_ai": "accounts/fireworks/models/fox",
}
# litellm calls it at its own address only; tests/llm_backends/remote/litellm_sdk has its calls.
IMMOVABLE = {"replicate"}

_allowed: set[int] = set()
_refused: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _only_loopback() -> Iterator[None]:
    """Refuse every address but those of the imitation server, and record it."""
    active = True

    def watch(event: str, arguments: tuple) -> None:
        if not active or event not in ("socket.getaddrinfo", "socket.connect"):
            return
        host, port = arguments[:2] if event == "socket.getaddrinfo" else _place(arguments[1])
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if name and not (name == "127.0.0.1" and port in _allowed):
            _refused.append(f"{name}:{port}")
            raise ConnectionRefusedError(f"a test may not reach {name}:{port}")

    sys.addaudithook(watch)
    yield
    active = False


def _place(address: object) -> tuple[str, int]:
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else ("", 0)


def _knows(row: Provider) -> bool:
    """Tell whether this release of litellm can carry calls to `row`."""
    known = {str(getattr(name, "value", name)) for name in litellm.provider_list}
    return row.wire == "openai" or row.litellm_prefix.partition("/")[0] in known


def move(row: Provider, wire: WireServer, env) -> str:
    """Set up `row` alone, at the imitation server, beside a key of OpenAI's; its own key."""
    key = f"planted-key-of-{row.id}-0123456789"
    base = wire.url + (PATHS[row.id] if row.id in OWN_PATHS and row.id in PATHS else path_of(row))
    variables = {"OPENAI_API_KEY": OPENAI_KEY, row.key_variables[0]: key, row.base_variables[0]: base}
    for argument, names in row.needed_variables.items():
        variables[names[0]] = row.defaults.get(argument, "us-east-1")
    env(**variables)
    return key


def path_of(row: Provider) -> str:
    """A path of the server that is the row's alone, and ends as its own address does."""
    own = urlsplit(row.default_base_url or "").path.format_map(defaultdict(lambda: "one"))
    return f"/at/{row.id}{OWN_ENDS.get(row.id, own)}"


@pytest.mark.parametrize("row", providers.every(), ids=lambda row: row.id)
def test_every_provider_answers_at_the_address_it_is_moved_to(row, wire, env):
    if row.id in IMMOVABLE:
        pytest.skip(f"litellm calls {row.id} at its own address only")
    if not _knows(row):
        pytest.skip(f"litellm {metadata.version('litellm')} does not know {row.id}")
    if row.id == "bedrock":
        pytest.importorskip("boto3", reason="litellm signs calls to Bedrock with boto3")
    key = move(row, wire, env)
    _allowed.add(int(wire.url.rpartition(":")[2]))
    _refused.clear()
    model = OWN_MODELS.get(row.id, "fox")
    deployed = deploy(Choice(llm_mode="litellm", llm_model=f"{row.id}/{model}", by_workflow=False))

    assert client.ask("a fox", deployed, max_tokens=50, temperature=0.5).text == TEXT
    with client.stream("a fox", deployed) as chunks:
        assert "".join(chunk.text for chunk in chunks) == TEXT

    assert _refused == []
    assert len(wire.log) == 2, [entry.path for entry in wire.log]
    for request in wire.log:
        check(request, row, key)


def check(request: Logged, row: Provider, key: str) -> None:
    assert (request.method, request.path) == (
        "POST",
        OWN_PATHS.get(row.id, f"{path_of(row)}/chat/completions"),
    )
    header = OWN_HEADERS.get(row.id, "authorization")
    assert request.headers[header].removeprefix("Bearer ") == key
    carriers = {name for name, value in request.headers.items() if key in value}
    # An older openai sends Azure the key under both names.
    assert carriers == {header} or (row.id == "azure" and carriers == {header, "authorization"})
    assert OPENAI_KEY not in f"{request.headers} {request.query} {request.body!r}" or row.id == "openai"
    assert request.model == SENT_MODELS.get(row.id, "fox")


def test_a_provider_that_only_litellm_knows_answers_after_a_yes(wire, env, monkeypatch):
    """The table without one of its rows stands for a litellm that is newer than the table."""
    table = {row.id: row for row in providers.every() if row.id != "xai"}
    monkeypatch.setattr(providers, "_table", lambda: table)
    monkeypatch.setattr(providers, "_by_name", lambda: table)
    choice = Choice(llm_mode="litellm", llm_model="xai/fox")
    _allowed.add(int(wire.url.rpartition(":")[2]))
    with pytest.raises(ConsentNeeded, match="not checked by Quillwork"):
        deploy(choice)
    env(LLM_ALLOW="xai")
    with pytest.raises(MissingKey, match="XAI_API_KEY"):
        deploy(choice)
    env(XAI_API_KEY="planted-key-of-xai-0123456789", OPENAI_API_KEY=OPENAI_KEY)
    with pytest.raises(NotConfigured, match="XAI_API_BASE"):
        deploy(choice)
    env(XAI_API_BASE=f"{wire.url}/at/xai")
    _refused.clear()
    assert client.ask("a fox", deploy(choice)).text == TEXT
    assert [entry.path for entry in wire.log] == ["/at/xai/chat/completions"]
    assert wire.log[0].headers["authorization"] == "Bearer planted-key-of-xai-0123456789"
    assert OPENAI_KEY not in str(wire.log[0].headers)
    assert _refused == []


@pytest.mark.parametrize("name", ["github_copilot", "chatgpt", "no_such_provider"])
def test_what_is_refused_or_unknown_stays_so_whatever_is_allowed(name, env):
    env(LLM_ALLOW=name, **{f"{name.upper()}_API_KEY": "k", f"{name.upper()}_API_BASE": "https://x.example"})
    with pytest.raises(NotConfigured):
        deploy(Choice(llm_mode="litellm", llm_model=f"{name}/fox"))

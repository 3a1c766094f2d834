"""Every row of the table through the real litellm: moved to a loopback server, asked, and listened to.

All run in one process, with one import of litellm. Any other address than the server's is refused.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from importlib import metadata

import pytest
from wire import moved
from wire.answers import TEXT
from wire.moved import OPENAI_KEY, OWN_MODELS, check, check_tokens, move

from quillwork.config import providers
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.providers.table import Provider
from quillwork.config.warm_up import warm_up
from quillwork.llm_backends import client, modes, registry
from quillwork.llm_backends.errors import ConsentNeeded, MissingKey, NotConfigured

litellm = pytest.importorskip("litellm", reason="litellm is not installed here")

# litellm calls it at its own address only; tests/llm_backends/remote/litellm_sdk has its calls.
IMMOVABLE = {"replicate"}
# What a first call does not import any more once it was rehearsed.
PREPARED = ("litellm", "openai", "httpx", "httpcore", "anyio", "h11", "boto3", "botocore", "tokenizers")
# The release from which on it was seen to go where it is moved to; 1.83.0 stays at its own address, and is
# refused there.
MOVABLE_SINCE = {"oci": (1, 106)}


@pytest.fixture(scope="module", autouse=True)
def _only_loopback() -> Iterator[None]:
    with moved.only_loopback():
        yield


def _knows(row: Provider) -> bool:
    """Tell whether this release of litellm can carry calls to `row`."""
    known = {str(getattr(name, "value", name)) for name in litellm.provider_list}
    return row.wire == "openai" or row.litellm_prefix.partition("/")[0] in known


def release() -> tuple[int, ...]:
    return tuple(map(int, metadata.version("litellm").split(".")[:2]))


@pytest.mark.parametrize("row", providers.every(), ids=lambda row: row.id)
def test_every_provider_answers_at_the_address_it_is_moved_to(row, wire, env):
    if row.id in IMMOVABLE:
        pytest.skip(f"litellm calls {row.id} at its own address only")
    if not _knows(row):
        pytest.skip(f"litellm {metadata.version('litellm')} does not know {row.id}")
    if release() < MOVABLE_SINCE.get(row.id, (0, 0)):
        pytest.skip(f"litellm {metadata.version('litellm')} calls {row.id} at its own address only")
    if row.id == "bedrock" or row.package == "botocore":
        pytest.importorskip("boto3", reason="litellm signs calls to Bedrock with boto3")
    key = move(row, wire, env)
    env(LLM_TRANSPORT="sdk")  # or what litellm breaks on would be answered without it
    moved.allowed.add(int(wire.url.rpartition(":")[2]))
    moved.refused.clear()
    model = OWN_MODELS.get(row.id, "fox")
    choice = Choice(llm_mode="litellm", llm_model=f"{row.id}/{model}", by_workflow=False)
    deployed = deploy(choice)
    # Some share an address of the server, and a refusal is remembered for it.
    registry.get(modes.LITELLM)._sdk._forms._known.clear()

    assert warm_up(choice)
    for thread in threading.enumerate():
        if thread.name == "quillwork-rehearsal":
            thread.join(60)
    assert (wire.log, wire.token_log, moved.refused) == ([], [], []), "a rehearsal sends nothing"
    prepared = set(sys.modules)
    assert client.ask("a fox", deployed, max_tokens=50, temperature=0.5).text == TEXT
    assert {name for name in sys.modules.keys() - prepared if name.startswith(PREPARED)} == set()
    with client.stream("a fox", deployed) as chunks:
        assert "".join(chunk.text for chunk in chunks) == TEXT
    wire.refuses_streams = True
    assert client.ask("a fox", deployed).text == TEXT

    assert moved.refused == []
    check_tokens(wire, row)
    assert len(wire.log) == 4, [entry.path for entry in wire.log]
    for place, request in enumerate(wire.log):
        check(request, row, key, streamed=place < 3)


def test_a_provider_that_only_litellm_knows_answers_after_a_yes(wire, env, monkeypatch):
    """The table without one of its rows stands for a litellm that is newer than the table."""
    table = {row.id: row for row in providers.every() if row.id != "xai"}
    monkeypatch.setattr(providers, "_table", lambda: table)
    monkeypatch.setattr(providers, "_by_name", lambda: table)
    choice = Choice(llm_mode="litellm", llm_model="xai/fox")
    moved.allowed.add(int(wire.url.rpartition(":")[2]))
    with pytest.raises(ConsentNeeded, match="not checked by Quillwork"):
        deploy(choice)
    env(LLM_ALLOW="xai")
    with pytest.raises(MissingKey, match="XAI_API_KEY"):
        deploy(choice)
    env(XAI_API_KEY="planted-key-of-xai-0123456789", OPENAI_API_KEY=OPENAI_KEY)
    with pytest.raises(NotConfigured, match="XAI_API_BASE"):
        deploy(choice)
    env(XAI_API_BASE=f"{wire.url}/at/xai")
    moved.refused.clear()
    assert client.ask("a fox", deploy(choice)).text == TEXT
    assert [entry.path for entry in wire.log] == ["/at/xai/chat/completions"]
    assert wire.log[0].headers["authorization"] == "Bearer planted-key-of-xai-0123456789"
    assert OPENAI_KEY not in str(wire.log[0].headers)
    assert moved.refused == []


@pytest.mark.parametrize("name", ["github_copilot", "chatgpt", "no_such_provider"])
def test_what_is_refused_or_unknown_stays_so_whatever_is_allowed(name, env):
    env(LLM_ALLOW=name, **{f"{name.upper()}_API_KEY": "k", f"{name.upper()}_API_BASE": "https://x.example"})
    with pytest.raises(NotConfigured):
        deploy(Choice(llm_mode="litellm", llm_model=f"{name}/fox"))

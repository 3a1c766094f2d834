"""Every row that speaks OpenAI's format, where litellm is not installed: moved to a loopback server, asked.

Any other address than the server's is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from wire import moved
from wire.answers import TEXT
from wire.moved import COMPATIBLE_MODELS, OWN_MODELS, check, check_compatible, move, move_compatible

from quillwork.config import providers, ways
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.diagnostics import health, status
from quillwork.config.models.catalog import Catalog
from quillwork.config.providers import litellm_table
from quillwork.config.settings.values import load
from quillwork.llm_backends import client
from quillwork.llm_backends.errors import (
    AuthenticationFailed,
    BudgetExceeded,
    ConsentNeeded,
    DependencyMissing,
    MissingKey,
    NotConfigured,
    NotInPlan,
)
from quillwork.llm_backends.remote.litellm_sdk import presence
from quillwork.llm_backends.types import Image, Message, Tool

ROWS = [row for row in providers.every() if row.wire == "openai"]
COMPATIBLE = [row for row in providers.every() if row.compatible]
PICTURE = Image("image/png", b"\x89PNG" + bytes(60))


@pytest.fixture(scope="module", autouse=True)
def _only_loopback() -> Iterator[None]:
    with moved.only_loopback():
        yield


@pytest.fixture(autouse=True)
def _without_litellm(monkeypatch):
    """Hide litellm from every import and every look for it."""
    monkeypatch.setitem(sys.modules, "litellm", None)
    monkeypatch.setattr(presence, "_failure", "")
    looks = (presence._is_installed, litellm_table._rows, litellm_table._prefixes)
    for look in looks:
        look.cache_clear()
    moved.refused.clear()
    yield
    for look in looks:
        look.cache_clear()
    assert moved.refused == []


@pytest.fixture
def ready(wire, env):
    """`ready(row)`: the deployment of a row that is moved to the imitation server, and its key."""

    def prepare(row, model="fox", **choice):
        key = move(row, wire, env)
        moved.allowed.add(int(wire.url.rpartition(":")[2]))
        id = f"{row.id}/{OWN_MODELS.get(row.id, model) if model == 'fox' else model}"
        return deploy(Choice(llm_model=id, by_workflow=False, llm_mode="litellm", **choice)), key

    return prepare


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_of_openais_format_answers_without_litellm(row, wire, ready):
    deployed, key = ready(row)
    assert client.ask("a fox", deployed, max_tokens=50, temperature=0.5).text == TEXT
    with client.stream("a fox", deployed) as chunks:
        assert "".join(chunk.text for chunk in chunks) == TEXT
    wire.refuse(moved.SENT_MODELS.get(row.id, "fox"), _no_streams)
    assert client.ask("a fox", deployed).text == TEXT
    assert [entry.json["stream"] for entry in wire.log] == [True, True, True, False]
    for request in wire.log:
        check(request, row, key)


@pytest.mark.parametrize("row", COMPATIBLE, ids=lambda row: row.id)
def test_every_row_with_a_compatible_address_answers_there_without_litellm(row, wire, env):
    key = move_compatible(row, wire, env)
    moved.allowed.add(int(wire.url.rpartition(":")[2]))
    model = COMPATIBLE_MODELS.get(row.id, "fox")
    deployed = deploy(Choice(llm_model=f"{row.id}/{model}", by_workflow=False, llm_mode="litellm"))
    lacks = row.compatible.lacks
    assert (deployed.transport, deployed.capabilities.schema is False) == (
        "direct",
        "response_format" in lacks,
    )
    assert client.ask("a fox", deployed, max_tokens=50, temperature=0.5, seed=7).text == TEXT
    with client.stream("a fox", deployed) as chunks:
        assert "".join(chunk.text for chunk in chunks) == TEXT
    client.ask("a fox", deployed, reasoning="off")
    result = client.ask("a fox", deployed, schema={"type": "object"}, reasoning="high")
    wire.refuse(model, _no_streams)
    assert client.ask("a fox", deployed).text == TEXT
    assert [entry.json["stream"] for entry in wire.log] == [True] * 5 + [False]
    for request in wire.log:
        check_compatible(request, row, key)
    assert ("seed" in wire.log[0].json) == ("seed" not in row.compatible.dialect.get("without", ()))
    assert ("response_format" in wire.log[3].json) == ("response_format" not in lacks)
    assert ("reasoning_effort" in wire.log[3].json) == ("reasoning_effort" not in lacks)
    assert len(result.warnings) == len({"response_format", "reasoning_effort"} & {*lacks})
    resting = row.compatible.dialect.get("rests", {})
    assert {name: wire.log[2].json.get(name) for name in resting} == resting


def _no_streams(body):
    said = {"error": {"message": "stream is not supported by this model", "param": "stream"}}
    return (400, said) if body["stream"] else None


def test_it_is_the_same_preflight_consent_plan_budget_and_price(wire, env, ready):
    row = providers.get("groq")
    with pytest.raises(MissingKey, match="GROQ_API_KEY is not set"):
        deploy(Choice(llm_model="groq/fox", by_workflow=False))
    deployed, _ = ready(row)
    with pytest.raises(ConsentNeeded, match="Groq"):
        deploy(Choice(llm_model="groq/fox"))
    assert (deployed.model_id, deployed.provider, deployed.key_variable) == (
        "groq/fox",
        "groq",
        "GROQ_API_KEY",
    )
    env(LLM_PLAN_MODELS_JSON='{"baseline": ["openai/*"]}')
    with pytest.raises(NotInPlan, match="does not allow groq/fox"):
        client.ask("a fox", ready(row)[0])
    env(LLM_PLAN_MODELS_JSON='{"baseline": ["groq/*"]}', LLM_BUDGET_SESSION="1")
    with pytest.raises(BudgetExceeded):
        client.ask("a fox", ready(row)[0])
    assert wire.log == []
    env(LLM_BUDGET_SESSION="", LLM_PLAN_MODELS_JSON="")
    priced, _ = ready(providers.get("openai"), "gpt-5-mini")
    assert priced.price is not None
    assert client.ask("a fox", priced).usage.cost_usd is not None


def test_errors_name_the_provider_and_its_key(wire, ready):
    deployed, key = ready(providers.get("groq"), "fox-status401", retries=0)
    with pytest.raises(AuthenticationFailed) as refused:
        client.ask("a fox", deployed)
    assert refused.value.message.startswith("Groq (fox-status401) rejected the key (401)")
    assert refused.value.hint == "Check the key in GROQ_API_KEY."
    assert key not in f"{refused.value!r}{refused.value}"


def test_pictures_vectors_and_parameters_go_the_same_way(wire, env, ready):
    ready(providers.get("openai"))
    env(OPENAI_API_BASE=f"{wire.url}/v1")
    deployed = deploy(Choice(llm_model="openai/fox", by_workflow=False))
    client.ask([Message("user", "what is it", images=(PICTURE,))], deployed)
    assert wire.log[-1].json["messages"][0]["content"][1]["type"] == "image_url"
    client.embed(["a fox"], deployed)
    assert wire.log[-1].path.endswith("/embeddings")
    assert wire.log[-1].json["encoding_format"] == "float"
    before = len(wire.log)
    for name in ("api_base", "extra_headers", "custom_llm_provider"):
        steered, _ = ready(providers.get("openai"))
        with pytest.raises(NotConfigured, match="cannot be set in `extra`"):
            client.ask("a fox", steered, extra={name: "x"})
    assert len(wire.log) == before


def test_what_speaks_another_format_says_what_to_install(env):
    env(REPLICATE_API_KEY="r8_planted_0123456789", LLM_MODEL="replicate/openai/gpt-5-mini")
    with pytest.raises(DependencyMissing, match="needs the package litellm") as missing:
        client.ask("a fox", deploy(Choice(by_workflow=False)))
    assert "providers that speak OpenAI's format" in missing.value.hint
    (check,) = [check for check in health.checks(load()) if check.name == "LiteLLM"]
    assert not check.ok


def test_doctor_says_that_no_server_can_be_called_without_aiohttp(env, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    (check,) = [check for check in health.checks(load()) if check.name == "Python"]
    assert not check.ok and "aiohttp" in check.message and "install.py" in check.hint


def test_doctor_and_models_say_which_way_a_model_goes(wire, env, ready):
    ready(providers.get("groq"))
    env(LLM_MODEL="groq/fox")
    assert status.in_effect(load())["transport"] == "direct"
    checks = {check.name: check for check in health.checks(load())}
    assert checks["LiteLLM"].ok and "is not installed" in checks["LiteLLM"].message
    assert checks["Model"].message.endswith("(Groq, called without litellm)")
    listed = Catalog().as_known(load())
    transports = {model.provider: model.transport for model in listed.models}
    assert (transports["groq"], transports["anthropic"], transports["replicate"]) == (
        "direct",
        "direct",
        "litellm",
    )


def test_of_bedrock_only_what_is_served_at_its_compatible_address_goes_there(env):
    env(AWS_BEARER_TOKEN_BEDROCK="planted-token-0123456789", AWS_REGION="us-east-1")
    way = {
        model: deploy(Choice(llm_model=f"bedrock/{model}", by_workflow=False)).transport
        for model in ("openai.gpt-oss-20b-1:0", "us.amazon.nova-lite-v1:0")
    }
    assert list(way.values()) == ["direct", "sdk"]
    listed = {model.id: model.transport for model in Catalog().as_known(load()).models}
    assert listed["bedrock/us.amazon.nova-lite-v1:0"] == "litellm"
    assert {listed[id] for id in listed if id.startswith("bedrock/openai.")} <= {"direct"}
    env(AWS_BEARER_TOKEN_BEDROCK="", AWS_ACCESS_KEY_ID="AKIAPLANTED", AWS_SECRET_ACCESS_KEY="planted-secret")
    signed = deploy(Choice(llm_model="bedrock/openai.gpt-oss-20b-1:0", by_workflow=False))
    assert signed.transport == "sdk", "a pair of keys signs, which is litellm's work"
    assert {row["id"]: row["transport"] for row in status.provider_rows(load())}["bedrock"] == "litellm"


def test_a_provider_that_was_moved_is_asked_for_nothing_at_a_guessed_address(wire, env):
    moved.allowed.add(int(wire.url.rpartition(":")[2]))
    env(
        GEMINI_API_KEY="AIza-planted-0123456789", GEMINI_API_BASE=f"{wire.url}/v1beta", LLM_MODEL="gemini/fox"
    )
    with pytest.raises(DependencyMissing) as missing:
        client.ask("a fox", deploy(Choice(by_workflow=False)))
    assert (
        f"GEMINI_COMPATIBLE_BASE names its address for OpenAI's format at {wire.url}." in missing.value.hint
    )
    (row,) = [row for row in status.provider_rows(load()) if row["id"] == "gemini"]
    assert (row["transport"], row["obstacle"]) == ("litellm", "it is not installed")
    assert wire.log == []
    env(GEMINI_COMPATIBLE_BASE=f"{wire.url}/v1beta/openai/chat/completions")
    deployed = deploy(Choice(by_workflow=False))
    assert deployed.params["compatible"]["base"] == f"{wire.url}/v1beta/openai"
    env(GEMINI_COMPATIBLE_BASE="https://elsewhere.example/v1")
    with pytest.raises(NotConfigured, match="names another server than"):
        deploy(Choice(by_workflow=False))
    env(GEMINI_COMPATIBLE_BASE="not a url")
    with pytest.raises(NotConfigured, match="GEMINI_COMPATIBLE_BASE is not a valid address"):
        deploy(Choice(by_workflow=False))


def test_tools_that_a_compatible_address_has_no_way_for_are_refused_in_a_sentence(wire, env):
    move_compatible(providers.get("gemini"), wire, env)
    tool = Tool("look", "Looks.", {"type": "object"})
    with pytest.raises(NotConfigured, match="called with tools by litellm only"):
        client.ask("a fox", deploy(Choice(llm_model="gemini/fox", by_workflow=False)), tools=(tool,))
    assert wire.log == []


def test_vectors_of_a_provider_with_a_compatible_address(wire, env):
    moved.allowed.add(int(wire.url.rpartition(":")[2]))
    for id, path in (
        ("gemini", "/v1beta/openai/embeddings"),
        ("azure", "/openai/deployments/fox/embeddings"),
        ("ollama", "/v1/embeddings"),
    ):
        key = move_compatible(providers.get(id), wire, env)
        assert client.embed(["a fox"], deploy(Choice(llm_model=f"{id}/fox", by_workflow=False))).vectors
        assert wire.log[-1].path == path
        assert key in str(wire.log[-1].headers)


@pytest.mark.parametrize(
    ("chosen", "there", "transport"),
    [
        ("auto", False, "direct"),
        ("", False, "direct"),
        ("sdk", False, "sdk"),
        ("direct", False, "direct"),
        ("auto", True, "auto"),
        ("SDK", True, "sdk"),
        ("direct", True, "direct"),
    ],
)
def test_the_transport_can_be_chosen(home, env, monkeypatch, chosen, there, transport):
    if there:
        monkeypatch.setattr(presence, "obstacle", lambda: "")
    env(LLM_TRANSPORT=chosen)
    assert ways.transport(providers.get("groq"), load()) == transport
    assert ways.transport(providers.get("anthropic"), load(), is_compatible=True) == transport
    assert ways.transport(providers.get("replicate"), load()) == "sdk", "nobody else speaks its format"


def test_a_transport_that_is_none_is_refused_in_a_sentence(ready, env):
    env(LLM_TRANSPORT="grpc")
    with pytest.raises(NotConfigured, match="LLM_TRANSPORT is 'grpc'"):
        ready(providers.get("groq"))


def test_whoever_insists_on_litellm_is_told_that_it_is_missing(wire, ready, env):
    env(LLM_TRANSPORT="sdk")
    deployed, _ = ready(providers.get("groq"))
    with pytest.raises(DependencyMissing):
        client.ask("a fox", deployed)
    assert wire.log == []

"""The two ways to a model, side by side: at its provider, and at the endpoint."""

from __future__ import annotations

import pytest

from quillwork.config import ways
from quillwork.config.access import consent
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.diagnostics.estimate import estimate
from quillwork.config.models.catalog import Catalog, _Kept, catalog
from quillwork.config.models.entries import ModelEntry
from quillwork.config.settings.values import load
from quillwork.interfaces.http.messages import HttpError
from quillwork.interfaces.http.names import check_model
from quillwork.llm_backends import client
from quillwork.llm_backends.errors import ConsentNeeded, MissingKey, NotConfigured
from quillwork.llm_backends.runner import runner

END, ONE = "sk-planted-endpoint-0123456789", "sk-planted-provider-0123456789"


@pytest.fixture
def both(env, wire):
    """An endpoint and a provider, each with its own path of the imitation server, and its own key."""
    env(
        LLM_BASE_URL=f"{wire.url}/v1",
        LLM_API_KEY=END,
        GROQ_API_BASE=f"{wire.url}/openai/v1",
        GROQ_API_KEY=ONE,
        LLM_ALLOW="groq",
    )
    return wire


@pytest.mark.parametrize(
    ("id", "way", "model"),
    [
        ("direct:anthropic/claude-haiku-4-5", "direct", "anthropic/claude-haiku-4-5"),
        ("direct: groq/openai/gpt-oss-20b", "direct", "groq/openai/gpt-oss-20b"),
        ("direct:ollama/qwen3:4b", "direct", "ollama/qwen3:4b"),
        ("endpoint:fast", "endpoint", "fast"),
        ("endpoint:groq/fox", "endpoint", "groq/fox"),
        ("endpoint:endpoint:latest", "endpoint", "endpoint:latest"),
        ("direct:7b", "", "direct:7b"),
        ("endpoint:", "", "endpoint:"),
        ("groq/fox", "", "groq/fox"),
        ("qwen3:4b", "", "qwen3:4b"),
        ("", "", ""),
    ],
)
def test_an_id_may_name_its_way(id, way, model):
    assert ways.split(id) == (way, model)


@pytest.mark.parametrize(
    ("id", "path", "key", "sent"),
    [
        ("groq/fox", "/v1/chat/completions", END, "groq/fox"),
        ("endpoint:groq/fox", "/v1/chat/completions", END, "groq/fox"),
        ("fast", "/v1/chat/completions", END, "fast"),
        ("direct:groq/fox", "/openai/v1/chat/completions", ONE, "fox"),
    ],
)
@pytest.mark.parametrize("where", ["node", "settings", "fallback"])
def test_each_way_has_its_own_address_key_and_name(both, env, id, path, key, sent, where):
    choice = Choice(llm_model=id)
    if where == "settings":
        env(LLM_MODEL=id)
        choice = Choice()
    if where == "fallback":
        choice = Choice(llm_model="direct:groq/fox-status503", fallback_models=(id,), retries=0)
    assert client.ask("a fox", deploy(choice)).text
    last = both.log[-1]
    assert (last.path, last.model) == (path, sent)
    assert last.headers["authorization"] == f"Bearer {key}"
    other = END if key == ONE else ONE
    assert other not in f"{last.headers} {last.body!r}"


def test_a_direct_call_never_borrows_the_endpoints_key(both, env):
    env(GROQ_API_KEY="")
    with pytest.raises(MissingKey, match="GROQ_API_KEY"):
        deploy(Choice(llm_model="direct:groq/fox"))
    env(GROQ_API_KEY=ONE, LLM_API_KEY="")
    client.ask("a fox", deploy(Choice(llm_model="endpoint:fox")))
    assert "authorization" not in both.log[-1].headers


def test_a_word_for_the_endpoint_needs_one(home, env):
    with pytest.raises(NotConfigured, match="no endpoint is set"):
        deploy(Choice(llm_model="endpoint:fast"))
    env(GROQ_API_KEY=ONE, LLM_ALLOW="groq")
    assert deploy(Choice(llm_model="direct:groq/fox")).model_id == "groq/fox"


@pytest.mark.parametrize("mode", ["hf_download", "gguf", "phrasebook"])
def test_a_way_contradicts_a_mode_of_this_machine(both, mode):
    with pytest.raises(NotConfigured, match=f"direct: cannot be used in the mode {mode}"):
        deploy(Choice(llm_mode=mode, llm_model="direct:groq/fox"))


@pytest.mark.parametrize("mode", ["hf_local", "phrasebook", "litellm", "auto"])
def test_a_node_that_names_a_way_says_more_than_the_mode_in_the_settings(both, env, mode):
    env(LLM_MODE=mode, LLM_PATH="/somewhere")
    assert deploy(Choice(llm_model="direct:groq/fox")).provider == "groq"
    assert deploy(Choice(llm_model="endpoint:groq/fox")).provider == "endpoint"


def test_an_unknown_provider_is_refused_with_the_usual_words(both):
    with pytest.raises(NotConfigured, match="no provider 'grok2'"):
        deploy(Choice(llm_model="direct:grok2/fox"))
    with pytest.raises(NotConfigured, match="cannot contain an address"):
        deploy(Choice(llm_model="direct:oobabooga/http://elsewhere.example"))


def test_consent_is_for_the_way_that_is_taken(both, env):
    env(LLM_ALLOW="")
    assert deploy(Choice(llm_model="groq/fox")).provider == "endpoint"
    with pytest.raises(ConsentNeeded) as refused:
        deploy(Choice(llm_model="direct:groq/fox"))
    assert refused.value.provider == "groq"
    # The settings' own model is the endpoint's, which is no yes to the provider.
    for own in ("groq/other", "endpoint:groq/other"):
        env(LLM_MODEL=own)
        with pytest.raises(ConsentNeeded):
            deploy(Choice(llm_model="direct:groq/fox"))
    env(LLM_MODEL="direct:groq/other")
    assert deploy(Choice(llm_model="direct:groq/fox")).provider == "groq"
    env(LLM_MODEL="")
    consent.allow("groq", load().folder)
    assert deploy(Choice(llm_model="direct:groq/fox")).provider == "groq"


def test_price_and_plan_follow_the_way_that_is_taken(both, env, monkeypatch):
    there = ModelEntry("groq/fox", "fox", "endpoint", "E", "endpoint", "endpoint", price=(1.0, 2.0))
    at_groq = ModelEntry("groq/fox", "fox", "groq", "Groq", "litellm", "provider", price=(3.0, 4.0))
    monkeypatch.setattr(catalog, "_kept", {"e": _Kept(0.0, [there], 0.0), "g": _Kept(0.0, [at_groq], 0.0)})
    assert deploy(Choice(llm_model="groq/fox")).price == (1.0, 2.0)
    assert deploy(Choice(llm_model="direct:groq/fox")).price == (3.0, 4.0)
    assert estimate("auto", "groq/fox").price == (1.0, 2.0)
    assert estimate("auto", "direct:groq/fox").price == (3.0, 4.0)
    assert deploy(Choice(llm_model="direct:groq/fox")).model_id == "groq/fox"


def test_the_catalogue_lists_both_ways_with_their_transport(both, env):
    env(LLM_MODEL="direct:groq/own")
    listed = runner.run(Catalog().listing(load()))
    assert not listed.stale
    by_id = {model.id: model for model in listed.models if model.configured}
    assert by_id["fox-small"].transport == "endpoint"
    for name in ("fox-small", "own"):
        assert by_id[f"direct:groq/{name}"].provider == "groq"
        assert by_id[f"direct:groq/{name}"].transport == "litellm"
    # Chosen from the list, each is called where it was listed.
    assert deploy(Choice(llm_model="fox-small")).provider == "endpoint"
    assert deploy(Choice(llm_model="direct:groq/fox-small")).provider == "groq"
    assert {source.id for source in listed.sources} == {"endpoint", "groq"}


def test_a_caller_over_http_may_name_a_way_and_no_path(both, env):
    settings = load()
    assert check_model(" direct:groq/fox ", "auto", settings) == "direct:groq/fox"
    assert check_model("endpoint:/models/fox.gguf", "auto", settings) == "endpoint:/models/fox.gguf"
    for name in ("direct:/models/fox.gguf", "direct:../fox/x", "/models/fox.gguf"):
        with pytest.raises(HttpError):
            check_model(name, "auto", settings)

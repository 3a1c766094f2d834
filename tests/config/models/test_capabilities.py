"""Known capabilities of models, tools and context, without a request."""

from __future__ import annotations

import pytest

from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.models.catalog import _Kept, catalog
from quillwork.config.models.entries import ModelEntry

KEYS = {"ANTHROPIC_API_KEY": "sk-1", "REPLICATE_API_KEY": "r-4", "REPLICATE_API_TOKEN": "r-4"}


def known(**fields):
    found = deploy(Choice(by_workflow=False, **fields)).capabilities
    return found.tools, found.context_window


@pytest.fixture
def heard(home, monkeypatch):
    """`heard(model_id, **facts)`: a server has said so of its model."""
    monkeypatch.setattr(catalog, "_kept", {})

    def say(model_id, **facts):
        server = model_id.partition("/")[0] if "/" in model_id else "endpoint"
        entry = ModelEntry(model_id, model_id, server, "P", "litellm", "provider", **facts)
        catalog._kept[model_id] = _Kept(0.0, [entry], 0.0)

    return say


def test_models_of_providers(env, heard):
    env(**KEYS)
    assert known(llm_model="anthropic/claude-haiku-4-5") == (True, 200_000)
    assert known(llm_model="anthropic/some-model-of-tomorrow") == (True, None)
    assert known(llm_model="replicate/openai/gpt-5-mini")[0] is False
    assert known(llm_model="ollama/fox") == (None, None)
    heard("ollama/fox", tools=False, context_window=8192)
    assert known(llm_model="ollama/fox") == (False, 8192)
    # litellm makes one text of the messages for Replicate, whatever the model there could call.
    heard("replicate/openai/gpt-5-mini", tools=True)
    assert known(llm_model="replicate/openai/gpt-5-mini")[0] is False


def test_a_model_at_an_endpoint_is_as_the_endpoint_says(env, heard):
    env(LLM_BASE_URL="http://127.0.0.1:4000/v1", LLM_MODEL="fox")
    assert known() == (None, None)
    heard("fox", tools=True, context_window=4096)
    assert known() == (True, 4096)
    heard("fox", tools=False)
    assert known() == (None, None), "a proxy says so of every model that it has never heard of"

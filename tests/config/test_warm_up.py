"""Preparation of a chosen model's first call: begun by each choice, and by nothing before one."""

from __future__ import annotations

import pytest

from quillwork.config.choice import Choice
from quillwork.config.warm_up import warm_up
from quillwork.interfaces.http.routes.settings import apply_settings
from quillwork.llm_backends import modes, registry
from quillwork.llm_backends.remote.litellm_sdk import presence
from quillwork.llm_backends.remote.provider.backend import Provider
from quillwork.llm_backends.types import Chunk, Deployment, Secret

pytest.importorskip("litellm", reason="litellm is not installed here")


@pytest.fixture
def begun(env, monkeypatch):
    """`begun()` tells whether the import of litellm has begun; providers are set up, no model is chosen."""
    provider = Provider()
    before = registry._backends.get(modes.LITELLM)
    registry.register(modes.LITELLM, lambda: provider, replace=True, mode=modes.of(modes.LITELLM))
    env(ANTHROPIC_API_KEY="sk-ant-planted-0123456789", GROQ_API_KEY="gsk_planted-0123456789")
    yield lambda: provider._sdk.library._coming is not None
    if before is not None:
        registry._backends[modes.LITELLM] = before
    else:
        registry._backends.pop(modes.LITELLM, None)


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", "groq/fox", "direct:groq/fox"])
def test_a_choice_of_a_provider_begins_it(begun, model):
    assert not begun()
    assert warm_up(Choice(llm_model=model, by_workflow=False))
    assert begun()


@pytest.mark.parametrize(
    "choice",
    [
        Choice(),
        Choice(llm_model="openai/gpt-5-mini", by_workflow=False),
        Choice(llm_model="groq/fox"),
        Choice(llm_mode="phrasebook"),
        Choice(llm_mode="no such mode"),
        Choice(llm_model="org/some-repository", by_workflow=False),
    ],
    ids=["nothing", "no key", "no consent", "phrasebook", "no mode", "local"],
)
def test_what_cannot_be_called_or_needs_no_library_begins_nothing(begun, choice):
    assert not warm_up(choice)
    assert not begun()


def test_an_endpoint_and_a_direct_call_need_no_library(begun, env):
    env(LLM_TRANSPORT="direct")
    assert not warm_up(Choice(llm_model="groq/fox", by_workflow=False))
    env(LLM_TRANSPORT="", LLM_BASE_URL="http://127.0.0.1:9/v1")
    assert not warm_up(Choice(llm_model="groq/fox", by_workflow=False))
    assert not begun()
    assert warm_up(Choice(llm_model="fast", fallback_models=("direct:groq/fox",), by_workflow=False)) is False
    env(LLM_BASE_URL="http://endpoint.example/v1")
    assert warm_up(Choice(llm_model="fast", fallback_models=("direct:groq/fox",), by_workflow=False))


def test_where_litellm_cannot_be_nothing_begins(begun, monkeypatch):
    monkeypatch.setattr(presence, "obstacle", lambda: "it is not installed")
    assert not warm_up(Choice(llm_model="groq/fox", by_workflow=False))
    assert not begun()


def test_choosing_it_in_the_settings_begins_it(begun, home):
    apply_settings({"LLM_TIMEOUT_MS": 5000}, False)
    assert not begun()
    apply_settings({"LLM_MODEL": "anthropic/claude-haiku-4-5"}, False)
    assert begun()


def test_a_rehearsal_that_fails_costs_nothing():
    from quillwork.llm_backends.remote.litellm_sdk.rehearsal import rehearse

    async def attempt(request, deployment):
        yield Chunk()
        raise RuntimeError("litellm is not what it was")

    deployed = Deployment(backend="litellm", model="fox", provider="groq", api_key=Secret("gsk_planted"))
    rehearse(attempt, deployed)
    rehearse(lambda *_: None, deployed)


def test_a_rehearsal_is_played_without_the_key():
    from quillwork.llm_backends.remote.litellm_sdk.rehearsal import rehearse

    played = []

    async def attempt(request, deployment):
        played.append(deployment.api_key.reveal())
        yield Chunk()

    rehearse(
        attempt, Deployment(backend="litellm", model="fox", provider="groq", api_key=Secret("gsk_planted"))
    )
    assert played == ["rehearsal"]

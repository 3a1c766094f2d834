"""The real litellm asks for vectors, at the address and with the key that it is given."""

from __future__ import annotations

import pytest
from endpoints import answer, failure
from wire.deployments import deployment, key_of
from wire.embeddings import vector_of

from quillwork.llm_backends import errors
from quillwork.llm_backends.types import Request

pytest.importorskip("litellm", reason="litellm is not installed here")

WORDS = Request((), embed=("a red fox", "an owl"))
VECTORS = tuple(tuple(vector_of(text)) for text in WORDS.embed)
MAKERS = ["openai", "ollama", "hosted_vllm", "lm_studio", "mistral", "together_ai", "openrouter", "cohere"]


@pytest.mark.parametrize("provider", [*MAKERS, "azure", "gemini"])
def test_a_provider_gives_vectors(wire, monkeypatch, provider):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "planted-key-of-somebody-else")
    deployed = deployment(wire, provider)
    assert answer(deployed, WORDS).vectors == VECTORS
    (call,) = wire.calls()
    sent = " ".join([*call.headers.values(), *call.query.values()])
    assert "somebody-else" not in sent
    assert (key_of(provider) in sent) == (deployed.api_key is not None)


@pytest.mark.parametrize("provider", ["anthropic", "groq", "deepseek", "huggingface"])
def test_who_makes_none_says_so_before_anything_is_sent(wire, provider):
    error = failure(deployment(wire, provider), WORDS)
    assert isinstance(error, errors.BadRequest)
    assert "embeddings" in error.message
    assert wire.calls() == []


def test_a_refused_key_is_told_as_such(wire):
    assert isinstance(
        failure(deployment(wire, "openai", "fox-status401"), WORDS), errors.AuthenticationFailed
    )


def test_nothing_steers_it_elsewhere(wire):
    request = Request((), embed=("a",), extra={"api_base": "http://127.0.0.1:9"})
    assert isinstance(failure(deployment(wire, "openai"), request), errors.NotConfigured)
    assert wire.calls() == []

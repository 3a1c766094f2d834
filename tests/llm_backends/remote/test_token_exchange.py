"""The exchange of a key for a token: at its own address, once, and what is said where it fails."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from wire.cloud_formats import token_of

from quillwork.config import providers
from quillwork.llm_backends import errors
from quillwork.llm_backends.remote import token_exchange
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Deployment

KEY = "planted-key-0123456789"


@pytest.fixture(autouse=True)
def _no_tokens():
    token_exchange.forget()
    yield
    token_exchange.forget()


def deployed(wire, provider: str, key: str = KEY) -> Deployment:
    row = providers.get(provider)
    env = {row.key_variables[0]: key, "WATSONX_PROJECT_ID": "fox"}
    access = providers.preflight(row, {**env, row.token_variables[0]: f"{wire.url}/at/{provider}/token"})
    return Deployment(
        "litellm",
        "fox",
        provider=provider,
        provider_label=row.label,
        base_url=access.base_url,
        api_key=access.api_key,
        key_variable=access.key_variable,
        params=access.params,
    )


def exchanged(deployment: Deployment) -> Deployment:
    return runner.run(token_exchange.with_token(deployment))


@pytest.mark.parametrize("provider", ["watsonx", "gigachat"])
def test_a_token_is_fetched_once_and_again_when_it_was_refused(wire, provider):
    given = deployed(wire, provider)
    for _ in range(2):
        with_token = exchanged(given)
        assert with_token.api_key is not None and with_token.api_key.reveal() == token_of(provider)
        assert KEY not in repr(with_token)
    assert len(wire.token_log) == 1
    token_exchange.forget_token(given)
    exchanged(given)
    exchanged(deployed(wire, provider, f"{KEY}-of-another"))
    assert len(wire.token_log) == 3


def test_a_token_at_the_end_of_its_life_is_not_used(wire):
    given = deployed(wire, "watsonx")
    wire.token_refusal = 200, {"access_token": "short", "expires_in": 30}
    exchanged(given)
    exchanged(given)
    assert len(wire.token_log) == 2


def test_a_call_without_an_exchange_is_as_it_was(wire):
    plain = Deployment("litellm", "fox", provider="openai", params={})
    assert exchanged(plain) is plain
    assert wire.token_log == []


IBM = {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((400, IBM), errors.AuthenticationFailed, r"rejected the key \(400\): Provided API key could not"),
        ((401, {"message": "expired"}), errors.AuthenticationFailed, r"rejected the key \(401\): expired"),
        ((401, {"message": f"bad key {KEY}"}), errors.AuthenticationFailed, r"rejected the key \(401\)"),
        ((403, {}), errors.AuthenticationFailed, r"rejected the key \(403\)"),
        ((404, {}), errors.BadRequest, r"rejected the request \(404\)"),
        ((429, {}), errors.RateLimited, r"received too many requests \(429\)"),
        ((500, {}), errors.ProviderFailed, r"failed \(500\)"),
        ((302, {}), errors.RedirectRefused, "redirects to another address"),
        ((200, {}), errors.MalformedAnswer, "sent no token"),
        ((200, {"access_token": ""}), errors.MalformedAnswer, "sent no token"),
        ((200, ["token"]), errors.MalformedAnswer, "sent no token"),
    ],
)
def test_a_token_service_that_gives_none_is_told_in_a_sentence(wire, answer, kind, said):
    wire.token_refusal = answer
    with pytest.raises(kind, match=f"The token service of IBM watsonx.ai at {wire.url} {said}") as caught:
        exchanged(deployed(wire, "watsonx"))
    assert KEY not in f"{caught.value} {caught.value.hint}"
    if kind is errors.AuthenticationFailed:
        assert "WATSONX_APIKEY" in caught.value.hint and "expired" in caught.value.hint


def test_a_token_service_that_is_not_there_is_told(wire):
    given = deployed(wire, "watsonx")
    params = {**given.params, "token_exchange": {"kind": "ibm", "url": "http://127.0.0.1:9/token"}}
    with pytest.raises(errors.ConnectionFailed, match=r"No server is responding at http://127\.0\.0\.1:9"):
        exchanged(replace(given, params=params))


def test_a_private_key_that_cannot_be_read_is_told(wire):
    pytest.importorskip("cryptography", reason="a service account signs with cryptography")
    pem = "-----BEGIN PRIVATE KEY-----\nplanted-key\n-----END PRIVATE KEY-----"
    account = {"type": "service_account", "client_email": "a@b", "project_id": "fox", "private_key": pem}
    given = deployed(wire, "vertex_ai", json.dumps(account))
    with pytest.raises(
        errors.NotConfigured, match="The private key in the service account of GOOGLE_"
    ) as caught:
        exchanged(given)
    assert "planted" not in str(caught.value)
    assert wire.token_log == []

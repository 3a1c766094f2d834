"""The words of real servers become the error that says what to do, in their own script and whole."""

from __future__ import annotations

import pytest
from endpoints import endpoint, failure
from wire.answer_shapes import sse
from wire.answers import Raw
from wire.fault_words import FAULT_WORDS, Said

from quillwork.llm_backends.errors import LLMError
from quillwork.llm_backends.remote.reasons import decode_text
from quillwork.llm_backends.remote.status_errors import error_from_status
from quillwork.llm_backends.types import Deployment, Secret

FOX = Deployment(
    "openai_compatible",
    "fox",
    provider="endpoint",
    provider_label="Fox",
    base_url="http://fox/v1",
    api_key=Secret("planted-key-of-no-known-shape"),
    key_variable="FOX_API_KEY",
)


def named(said: Said) -> str:
    return f"{said.status} {said.says or said.hint}"[:60]


every_refusal = pytest.mark.parametrize("said", FAULT_WORDS, ids=named)
# Where there is no status, the words alone decide.
IN_WORDS = [
    said
    for said in FAULT_WORDS
    if said.about != "reasons" and said.body.startswith(b"{") and b'{"detail"' not in said.body
]


def check(error: LLMError, said: Said) -> None:
    assert type(error) is said.error, repr(error)
    assert said.says in error.message
    assert said.hint in error.hint
    assert error.hint
    assert (error.retryable, error.status) == (said.retryable, said.status)
    assert error.retry_after_s == (pytest.approx(said.wait_s) if said.wait_s is not None else None)
    assert "\n" not in str(error)
    assert "litellm." not in str(error)


@every_refusal
def test_what_a_refusal_means(said: Said):
    text = decode_text(said.body, said.content_type)
    check(error_from_status(said.status, text, FOX), said)


@every_refusal
def test_what_a_user_is_told(wire, said: Said):
    wire.script("fox", Raw(said.body, said.content_type, said.status))
    check(failure(endpoint(wire.url, api_key=FOX.api_key, key_variable="FOX_API_KEY")), said)


@pytest.mark.parametrize("said", IN_WORDS, ids=named)
def test_the_same_words_in_the_middle_of_an_answer(wire, said: Said):
    begun = b'{"choices": [{"delta": {"content": "half a prompt"}}]}'
    wire.script("fox", Raw(b"event: x\n" + sse(begun, done=False) + b"event: error\n" + sse(said.body)))
    error = failure(endpoint(wire.url, api_key=FOX.api_key))
    assert type(error) is said.error, repr(error)
    assert said.says.removesuffix(".").removeprefix(": ") in error.message

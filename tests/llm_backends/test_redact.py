"""Keys are removed from every text; all else stays."""

from __future__ import annotations

import copy
import pickle

import pytest

from quillwork.llm_backends.redact import scrub
from quillwork.llm_backends.types import Deployment, Secret


@pytest.mark.parametrize(
    "key",
    [
        "sk-abcdefghijkl",
        "sk-proj-AbC_123-xyz0987654",
        "sk-ant-api03-AbCdEfGh123456",
        "gsk_abcdefghijklmnop",
        "hf_abcdefghijklmnop",
        "r8_abcdefghijklmnop",
        "xai-abcdefghijklmnop",
        "AIzaSyA1234567890abcdefghijkl",
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_shapes_of_keys_are_scrubbed(key):
    assert scrub(f"Incorrect API key provided: {key}.") == "Incorrect API key provided: ***."
    assert key not in scrub(f'{{"key":"{key}"}}')


def test_bearer_tokens_and_query_keys():
    assert scrub("Authorization: Bearer abc.DEF-123456==") == "Authorization: Bearer ***"
    assert scrub("https://h/v1?key=secret99&alt=sse") == "https://h/v1?key=***&alt=sse"


def test_given_secrets_of_any_shape_are_scrubbed():
    assert scrub("the token was hunter2hunter2!", [None, Secret("hunter2hunter2!")]) == "the token was ***"


def test_a_secret_too_short_to_be_one_does_not_eat_the_text():
    assert scrub("a fox", [Secret("a"), Secret("")]) == "a fox"


@pytest.mark.parametrize(
    "text",
    [
        "Model fox-large was not found.",
        "skiing in the snow, risk-taking, task-1234567890123",
        "the maximum context length is 4096 tokens",
        "keyboard key-lime pie, co-op",
    ],
)
def test_plain_words_stay(text):
    assert scrub(text) == text


def test_a_secret_shows_itself_nowhere():
    secret = Secret("sk-planted-0123456789")
    deployment = Deployment("b", "m", api_key=secret, params={"k": secret})
    for text in (
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r}",
        repr(deployment),
        str([secret]),
        str((secret,)),
    ):
        assert "planted" not in text
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert copy.deepcopy(deployment).api_key is secret
    assert secret == Secret("sk-planted-0123456789")
    assert secret != Secret("other")
    assert secret != "sk-planted-0123456789"
    assert len({secret, Secret("sk-planted-0123456789")}) == 1

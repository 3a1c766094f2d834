"""Texts become vectors through the same calls as answers do."""

from __future__ import annotations

import json

import pytest
from endpoints import answer, endpoint, failure
from wire.embeddings import TOKENS_A_TEXT, vector_of

from quillwork.llm_backends import errors
from quillwork.llm_backends.remote.addresses import route
from quillwork.llm_backends.remote.openai_embeddings import read_embeddings
from quillwork.llm_backends.types import Deployment, Plan, Request

WORDS = Request((), embed=("a red fox", "an owl", "snow"))
VECTORS = tuple(tuple(vector_of(text)) for text in WORDS.embed)


def test_an_endpoint_gives_the_vectors_in_the_texts_order(wire):
    result = answer(endpoint(wire.url, "fox"), WORDS)
    assert result.vectors == VECTORS
    assert result.text == ""
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (3 * TOKENS_A_TEXT, 0)
    assert result.model == "fox"
    assert wire.calls("/v1/embeddings")[0].json == {
        "model": "fox",
        "input": list(WORDS.embed),
        "encoding_format": "base64",
    }


def test_the_address_of_the_route():
    assert route("http://a:1", "/embeddings") == "http://a:1/v1/embeddings"
    assert route("http://a:1/x/", "/embeddings") == "http://a:1/x/embeddings"
    assert route("http://a:1/v1/chat/completions", "/embeddings") == "http://a:1/v1/embeddings"


def test_an_extra_parameter_goes_along_and_takes_nothing_over(wire):
    extra = {"dimensions": 3, "encoding_format": "x", "model": "owl", "input": ["x"]}
    assert answer(endpoint(wire.url), Request((), embed=("a",), extra=extra)).vectors
    sent = wire.calls()[0].json
    assert (sent["model"], sent["input"], sent["dimensions"]) == ("fox", ["a"], 3)
    assert sent["encoding_format"] == "base64"


@pytest.mark.parametrize("written", ["AACAPwAAAEA=", [1, 2.0]])
def test_vectors_are_read_as_either_form(wire, written):
    raw = json.dumps({"data": [{"embedding": written}]}).encode()
    assert read_embeddings(raw, Request((), embed=("a",)), endpoint(wire.url)).vectors == ((1.0, 2.0),)


@pytest.mark.parametrize("written", ["AACAPwA=", "%%%", ["x"], None, [], {}, [float("nan")]])
def test_what_is_no_vector_is_told(wire, written):
    raw = json.dumps({"data": [{"embedding": written}]}).encode()
    with pytest.raises(errors.MalformedAnswer):
        read_embeddings(raw, Request((), embed=("a",)), endpoint(wire.url))


def test_retry_fallback_plan_and_cache_hold_for_vectors_too(wire, tmp_path):
    result = answer(endpoint(wire.url, "fox-fail429x1-retryafter0", retries=1), WORDS)
    assert (result.attempts, result.vectors) == (2, VECTORS)
    other = endpoint(wire.url, "owl")
    assert answer(endpoint(wire.url, "fox-status500", fallbacks=(other,)), WORDS).by_fallback
    plan = Plan("small", ("owl",))
    assert isinstance(failure(endpoint(wire.url, "fox", plan=plan), WORDS), errors.NotInPlan)
    kept = endpoint(wire.url, "hare", cache_file=tmp_path / "answers.sqlite")
    first, again = answer(kept, WORDS), answer(kept, WORDS)
    assert (first.vectors, first.cached) == (again.vectors, not again.cached)
    other_words = answer(kept, Request((), embed=("b",)))
    assert other_words.vectors == (tuple(vector_of("b")),)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("fox-status401", errors.AuthenticationFailed),
        ("fox-status404", errors.ModelNotFound),
        ("fox-cut", errors.MalformedAnswer),
        ("fox-garbage", errors.MalformedAnswer),
        ("fox-hang", errors.TimedOut),
    ],
)
def test_what_goes_wrong_is_told(wire, model, kind):
    assert isinstance(failure(endpoint(wire.url, model, idle_timeout_s=0.5), WORDS), kind)


@pytest.mark.parametrize("backend", ["gguf", "host_encoder"])
def test_who_makes_no_vectors_says_so(backend):
    deployment = Deployment(backend, "fox", mode=backend, params={"file": "fox.gguf"}, is_local=True)
    assert isinstance(failure(deployment, WORDS), errors.LLMError)


def test_the_sentence_of_who_makes_none():
    from quillwork.llm_backends.local.answer_writer import refuse_what_it_cannot

    with pytest.raises(errors.BadRequest, match="The fox does not support embeddings"):
        refuse_what_it_cannot(WORDS, "The fox")

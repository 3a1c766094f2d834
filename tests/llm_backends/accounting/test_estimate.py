"""Estimates before a call: rough, and for every part of the request."""

from __future__ import annotations

import pytest
from endpoints import endpoint

from quillwork.llm_backends.accounting import estimate
from quillwork.llm_backends.types import Image, Message, Request, Tool, ToolCall


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("a fox in the snow", 5), ("雪中的狐狸", 5), ("a 狐狸", 3)]
)
def test_tokens_of_a_text(text, tokens):
    assert estimate.tokens_of(text) == tokens


BASE = Request((Message("user", "a fox"),))


@pytest.mark.parametrize(
    "more",
    [
        Request((*BASE.messages, Message("assistant", "yes"))),
        Request((Message("user", "a fox", images=(Image("image/png", b"1"),)),)),
        Request((Message("user", "a fox", tool_calls=(ToolCall("1", "x", "{}" * 9),)),)),
        Request(BASE.messages, tools=(Tool("x", "looks", {"type": "object"}),)),
        Request(BASE.messages, schema={"type": "object"}),
        Request((), embed=("a fox in the snow " * 9,)),
    ],
)
def test_all_that_is_sent_counts(more):
    assert estimate.prompt_tokens(more) > estimate.prompt_tokens(BASE)


def test_embeddings_write_nothing():
    request = Request((), embed=("a fox",))
    assert estimate.most_answer_tokens(request, endpoint("http://h")) == 0
    assert estimate.worst_cost(request, endpoint("http://h", price=(1_000_000.0, 9.0))) == 2.0


def test_an_unknown_price_is_an_unknown_cost():
    assert estimate.worst_cost(BASE, endpoint("http://h")) is None
    assert estimate.worst_cost(BASE, endpoint("http://h", price=(0.0, 0.0))) == 0

"""The real litellm gives the prompt or the reason, whatever shape an answer or a refusal has."""

from __future__ import annotations

import random

import pytest
from endpoints import ask
from wire.answer_faults import FAULTY_SHAPES
from wire.answer_shapes import SHAPES, Shape
from wire.answers import Raw
from wire.deployments import deployment
from wire.fault_words import FAULT_WORDS, Said

from quillwork.llm_backends.errors import LLMError, MalformedAnswer
from quillwork.llm_backends.types import Result

pytest.importorskip("litellm", reason="litellm is not installed here")

# Other servers' formats, and answers within answers: what only the endpoint reads.
NOT_OPENAI = ("Ollama", "envelope", "`result`", "in a list", "a list of frames")
ALL = [shape for shape in (*SHAPES, *FAULTY_SHAPES) if not any(words in shape.name for words in NOT_OPENAI)]


@pytest.mark.parametrize("shape", ALL, ids=lambda shape: shape.name)
def test_what_comes_of_each_shape(wire, shape: Shape):
    draw = random.Random(shape.name)
    sizes = tuple(draw.choice((1, 7, 40, 200)) for _ in range(20))
    wire.script("fox", Raw(shape.body, shape.content_type, shape.status, sizes, shape.torn))
    outcome = ask(deployment(wire, "openai", "fox", retries=0))
    if shape.error is None:
        assert isinstance(outcome, Result), repr(outcome)
        assert outcome.text == shape.text
    else:
        assert type(outcome) is shape.error, repr(outcome)
        for words in shape.says if shape.error is not MalformedAnswer else ():
            assert words in str(outcome)


@pytest.mark.parametrize("said", FAULT_WORDS, ids=lambda said: f"{said.status} {said.says or said.hint}"[:60])
def test_what_a_refusal_means(wire, said: Said):
    wire.script("fox", Raw(said.body, said.content_type, said.status))
    error = ask(deployment(wire, "openai", "fox", retries=0))
    assert isinstance(error, LLMError)
    assert type(error) is said.error, repr(error)
    assert said.says in error.message
    assert said.hint.replace("FOX_API_KEY", "OPENAI_API_KEY") in error.hint
    assert error.retryable == said.retryable

"""The Python interface over a model in this process."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_model.asking import deployment, echo, outcomes

from quillwork.llm_backends import Cancelled, ask, ask_async, stream
from quillwork.llm_backends.local.unload import unload_in_place


@pytest.fixture
def tiny(tiny_model):
    yield deployment(tiny_model)
    unload_in_place()


def test_it_answers_as_it_does_for_a_node(tiny, tiny_model, backend):
    (expected,) = outcomes(backend, tiny_model, echo("a fox"))
    assert ask(echo("a fox"), tiny).text == expected.text
    assert asyncio.run(ask_async(echo("a fox"), tiny)).text == expected.text
    pieces = stream(echo("a fox"), tiny)
    assert "".join(piece.text for piece in pieces) == expected.text
    assert pieces.result.usage.completion_tokens == expected.usage.completion_tokens


def test_it_is_stopped(tiny):
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(Cancelled):
        ask(echo("a fox in the snow"), tiny, cancelled=cancelled)


def test_what_is_raised_in_the_middle_leaves_it_usable(tiny):
    """An exception such as Ctrl+C's."""

    def cancelled() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(echo("a fox"), tiny, cancelled=cancelled)
    assert ask(echo("a fox"), tiny).text

"""An answer that loops: stopped, asked for once more in another way, and never left on display."""

from __future__ import annotations

import itertools

import pytest
from endpoints import answer, ask_all, endpoint, failure, question
from wire.answers import Answer

from quillwork.llm_backends import errors, registry
from quillwork.llm_backends.host import NullHost
from quillwork.llm_backends.pipeline import _complete_in_place
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Result


def loop() -> Answer:
    return Answer(pieces=itertools.chain(["A fox. "], itertools.repeat("binocular ")))


def test_a_loop_is_stopped_and_asked_for_once_more(wire):
    wire.script("fox-gap1", [loop(), "a red fox"])
    got = answer(endpoint(wire.url, "fox-gap1"), question(seed=7))
    assert (got.text, got.attempts) == ("a red fox", 2)
    first, second = (call.json for call in wire.calls())
    assert first["seed"] != second["seed"]
    assert first.get("temperature") != second["temperature"]
    wire.wait_disconnects()


def test_a_loop_again_is_an_error_and_leaves_nothing_on_display(wire):
    wire.script("fox-gap1", [loop(), loop(), "never"])
    live = LiveText()
    (error,) = ask_all(endpoint(wire.url, "fox-gap1", retries=2), live=live)
    assert type(error) is errors.AnswerLoops
    assert error.text.startswith("A fox. binocular")
    assert "repeated itself without end" in str(error)
    assert live.text() == ""
    assert len(wire.calls()) == 2
    wire.wait_disconnects(2)


def test_thinking_that_loops_is_stopped_too(wire):
    wire.script("fox-gap1", Answer(reasoning=itertools.repeat("Wait, but the fox is red. ")))
    assert type(failure(endpoint(wire.url, "fox-gap1"))) is errors.AnswerLoops
    wire.wait_disconnects(2)


def test_a_caller_who_goes_on_from_it_is_not_asked_for(wire):
    wire.script("fox-gap1", [loop(), "never"])
    error = failure(endpoint(wire.url, "fox-gap1"), question(retries_loop=False))
    assert isinstance(error, errors.AnswerLoops)
    assert len(wire.calls()) == 1


def test_a_prompt_is_stopped_sooner(wire):
    wire.script("fox-gap1", [loop(), loop(), loop(), loop()])
    long = failure(endpoint(wire.url, "fox-gap1"))
    short = failure(endpoint(wire.url, "fox-gap1"), question(answer_tokens=400))
    assert len(short.text) < len(long.text)


class InPlace:
    """A local backend that gives what is left of a list, and keeps what it was asked."""

    runs_in_place = True

    def __init__(self, *outcomes) -> None:
        self.outcomes, self.asked = list(outcomes), []

    def answer_all(self, requests, deployment, sinks, host):
        self.asked += requests
        return [self.outcomes.pop(0) for _ in requests]

    def unload(self) -> list[str]:
        return []


def test_a_model_in_this_process_is_asked_once_more(monkeypatch):
    stuck = errors.AnswerLoops.of("Fox", "binocular binocular")
    backend = InPlace(Result("a fox"), stuck, Result("an owl"))
    monkeypatch.setattr(registry, "get", lambda _: backend)
    live = LiveText()
    first, second = _complete_in_place(
        [question("a"), question("b", seed=3)], Deployment("any", "fox"), live.start(2), NullHost(), ""
    )
    assert (first.text, second.text, second.attempts) == ("a fox", "an owl", 2)
    assert [request.messages[0].content for request in backend.asked] == ["a", "b", "b"]
    assert backend.asked[2].extra["repetition_penalty"] > 1
    assert backend.asked[2].seed != 3


@pytest.mark.parametrize("retries", [True, False])
def test_and_no_more_often(monkeypatch, retries):
    backend = InPlace(*(errors.AnswerLoops.of("Fox", "binocular") for _ in range(3)))
    monkeypatch.setattr(registry, "get", lambda _: backend)
    live = LiveText()
    (error,) = _complete_in_place(
        [question(retries_loop=retries)], Deployment("any", "fox"), live.start(1), NullHost(), ""
    )
    assert isinstance(error, errors.AnswerLoops)
    assert error.attempts == len(backend.asked) == 1 + retries
    assert live.text() == ""

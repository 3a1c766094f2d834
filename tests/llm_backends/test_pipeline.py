"""Many calls at once, and calls that are stopped: nothing goes on behind the user's back."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from endpoints import HANG_S, answer, ask_all, endpoint, question, raw_server
from wire.answers import TEXT

from quillwork.llm_backends import errors
from quillwork.llm_backends.accounting.estimate import ROOM_FOR_THOUGHTS
from quillwork.llm_backends.model import Model, Sampling
from quillwork.llm_backends.pipeline import used
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Plan, Result


def stop_when(deployment: Deployment, ready, requests: int = 1) -> float:
    """Ask, and stop when `ready` says so; the moment of the stop."""
    stopped: list[float] = []

    def cancelled() -> bool:
        if ready() and not stopped:
            stopped.append(time.monotonic())
        return bool(stopped)

    with pytest.raises(errors.Cancelled):
        runner.run(Model(deployment).ask([question()] * requests), cancelled=cancelled)
    assert time.monotonic() - stopped[0] < 20, "stopping took long"
    return stopped[0]


@pytest.mark.parametrize("model", ["fox-silent", "fox-hang", "fox-gap50-chunks999", "fox-hang-nostream"])
def test_stopping_hangs_up(wire, model):
    stopped = stop_when(endpoint(wire.url, model), wire.calls)
    (gone,) = wire.wait_disconnects()
    assert gone.at - stopped < 2


def test_stopping_many_hangs_up_on_all(wire):
    stop_when(endpoint(wire.url, "fox-hang"), lambda: len(wire.calls()) == 5, requests=5)
    assert len(wire.wait_disconnects(5)) == 5


def test_stopping_while_connecting():
    arrived, hung_up = threading.Event(), threading.Event()

    async def never_greet(reader, writer):
        arrived.set()
        while await reader.read(4096):
            pass
        hung_up.set()

    with raw_server(never_greet) as port:
        stop_when(endpoint(f"https://127.0.0.1:{port}"), arrived.is_set)
        assert hung_up.wait(HANG_S)


def test_stopping_while_waiting_on_retry_after(wire):
    began = time.monotonic()
    ready = lambda: wire.calls() and time.monotonic() - wire.calls()[0].at > 0.1  # noqa: E731
    stop_when(endpoint(wire.url, "fox-status429-retryafter30", retries=2), ready)
    assert time.monotonic() - began < 10
    assert len(wire.calls()) == 1


def test_stopping_while_others_are_in_front(wire):
    deployment = endpoint(wire.url, "fox-hang", max_concurrency=1)
    stop_when(deployment, wire.calls, requests=4)
    assert len(wire.wait_disconnects()) == 1
    assert answer(endpoint(wire.url, "fox", max_concurrency=1)).text == TEXT
    assert len(wire.calls()) == 2


def test_after_a_stop_the_next_call_works(wire):
    stop_when(endpoint(wire.url, "fox-hang"), wire.calls)
    assert answer(endpoint(wire.url)).text == TEXT


def test_answers_come_in_the_order_of_the_questions(wire):
    wire.script("fox*", lambda body: body["messages"][-1]["content"].upper())
    texts = [f"fox {number}" for number in range(12)]
    wire.meeting = 2
    results = ask_all(endpoint(wire.url, "fox-delay30"), *map(question, texts))
    assert [result.text for result in results] == [text.upper() for text in texts]
    assert wire.peak > 1


def test_one_failure_leaves_the_others_alone(wire):
    from wire.answers import Answer

    wire.script("fox", lambda body: Answer() if "bad" in body["messages"][-1]["content"] else "good")
    good, bad, also_good = ask_all(endpoint(wire.url), question("a"), question("bad"), question("c"))
    assert (good.text, also_good.text) == ("good", "good")
    assert type(bad) is errors.EmptyAnswer
    assert (bad.provider, bad.model) == ("endpoint", "fox")


def test_a_backend_that_is_not_there(wire):
    (error,) = ask_all(endpoint(wire.url, backend="no_such"))
    assert type(error) is errors.BackendUnavailable


def test_attempts_are_counted_over_retries_and_errors(wire):
    ok = answer(endpoint(wire.url, "fox-fail503x2-retryafter0", retries=2))
    assert (ok.attempts, ok.text) == (3, TEXT)
    (error,) = ask_all(endpoint(wire.url, "fox-status503-retryafter0", retries=1))
    assert error.attempts == 2
    (error,) = ask_all(endpoint(wire.url, plan=Plan("small", ("owl",))))
    assert (type(error), error.attempts) == (errors.NotInPlan, 0), "nothing was sent"


def test_what_was_used_is_remembered_for_unloading(wire):
    answer(endpoint(wire.url, "fox-used", provider="ollama"))
    assert ("ollama", f"{wire.url}/v1", "fox-used") in used


def test_sampling_wins_over_the_request_where_it_is_set(wire):
    sampling = Sampling(temperature=0.0, max_tokens=9, reasoning="low", extra={"top_k": 1})
    model = Model(endpoint(wire.url), sampling)
    runner.run(
        model.ask([question(temperature=0.7, top_p=0.5, max_tokens=99, extra={"min_p": 0.1, "top_k": 5})])
    )
    body = wire.calls()[-1].json
    assert (body["temperature"], body["top_p"]) == (0.0, 0.5)
    assert body["max_tokens"] == 9 + ROOM_FOR_THOUGHTS["low"]
    assert (body["reasoning_effort"], body["top_k"], body["min_p"]) == ("low", 1, 0.1)


def test_what_a_retry_shows_does_not_begin_with_the_last_try(wire):
    live = LiveText()
    seen: list[str] = []

    def tick() -> None:
        seen.append(live.text())

    model = Model(endpoint(wire.url, "fox-cut-gap50", retries=1), live=live)
    (outcome,) = runner.run(model.ask([question()]), on_tick=tick)
    assert type(outcome) is errors.StreamBroken
    assert all(text in ("", "a ") for text in seen)


def test_answers_can_be_awaited_on_the_runner_itself(wire):
    async def twice() -> list[Result]:
        model = Model(endpoint(wire.url))
        first, second = await asyncio.gather(model.ask([question()]), model.ask([question()]))
        return [first[0], second[0]]

    assert [result.text for result in runner.run(twice())] == [TEXT, TEXT]

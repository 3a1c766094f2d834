"""Calls begun by a button: followed, stopped, and in turn with the host where the model is a local one."""

from __future__ import annotations

import asyncio
import copy
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from quillwork.config.choice import Choice
from quillwork.interfaces.sdwebui import button_call
from quillwork.interfaces.sdwebui.button_call import ButtonCall, Session
from quillwork.interfaces.sdwebui.wording import sentence_of
from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import Cancelled, ConsentNeeded, NotConfigured
from quillwork.llm_backends.types import Chunk, Message, Request, Result

PATIENCE_S = 60.0


class Local:
    """Model that computes where it is called, and goes on until it is stopped or has written enough."""

    runs_in_place = True
    words = 3

    def answer_all(self, requests, deployment, sinks, host):
        for number in range(self.words):
            if host.cancelled():
                raise Cancelled
            for sink in sinks:
                sink.add(Chunk(f"word{number} "))
            time.sleep(0.02)
        return [Result("written", mode="tiny", finish_reason="stop") for _ in requests]


class Memory:
    """Counter in place of the host's memory, whose real work needs torch and is tested with it."""

    def __init__(self):
        self.ways = 0

    def make_way(self):
        self.ways += 1


@pytest.fixture
def local(home, monkeypatch):
    monkeypatch.setattr(registry, "_makers", {**registry._makers, "tiny": Local})
    monkeypatch.setattr(registry, "_backends", {})
    monkeypatch.setattr(Local, "words", 3)
    monkeypatch.setattr(ButtonCall, "memory", Memory())
    return Local


def write(desk):
    model = desk.open(Choice(llm_mode="tiny", by_workflow=False))
    (answer,) = desk.perform(model.ask([Request((Message("user", "a fox"),))]), model)
    return answer


def follow(call, at_step=lambda number: None):
    """Return all steps of a call, in a loop of their own."""

    async def steps():
        found = []
        async for step in call.follow():
            found.append(step)
            at_step(len(found))
        return found

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, steps()).result(PATIENCE_S)


def ended(call):
    deadline = time.monotonic() + PATIENCE_S
    while not call._future.done():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return call


def test_a_local_model_writes_in_turn_and_makes_way(local, queue):
    local.words = 20
    with queue.lock:
        call = ButtonCall(write)
        time.sleep(0.1)
        assert not call._future.done(), "the host generates"
    steps = follow(call)
    assert call.result().text == "written"
    assert queue.locked == [True] and not queue.lock.locked()
    assert ButtonCall.memory.ways == 1
    assert any(text.startswith("word0") for text, _ in steps)


def test_stop_ends_a_local_model_at_once(local, queue):
    local.words = 10_000
    call = ButtonCall(write)
    follow(call, lambda number: call.stop() if number == 3 else None)
    with pytest.raises(Cancelled):
        call.result()
    ended(call)
    assert not queue.lock.locked() and ButtonCall.memory.ways == 1


def test_a_stopped_call_computes_nothing_when_its_turn_comes(local, queue):
    with queue.lock:
        call = ButtonCall(write)
        call.stop()
        with pytest.raises(Cancelled):
            call.result()
    ended(call)
    assert ButtonCall.memory.ways == 0


def test_the_hosts_interrupt_is_for_generations(local, queue):
    queue.state.interrupted = True
    assert ended(ButtonCall(write)).result().text == "written"


def test_an_error_comes_back(home):
    def fail(desk):
        raise NotConfigured("No such thing.", hint="Choose another.")

    with pytest.raises(NotConfigured):
        ended(ButtonCall(fail)).result()


def test_a_call_that_nobody_follows_any_more_stops(local, queue, monkeypatch):
    """Gradio silently drops the steps of a browser that is gone."""
    monkeypatch.setattr(button_call, "_ABANDONED_S", 0.1)
    local.words = 10_000
    call = ButtonCall(write)

    async def leave():
        steps = call.follow()
        await steps.__anext__()
        while not call.cancelled():
            await asyncio.sleep(0.01)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, leave()).result(PATIENCE_S)
    ended(call)


def test_each_browser_has_a_session_of_its_own(home):
    class More(Session):
        pass

    first = More()
    first.call = ButtonCall(lambda desk: None)
    other = copy.deepcopy(first)
    assert type(other) is More and other.call is None
    first.stop()
    assert first.call.cancelled()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NotConfigured("No such thing.", hint="Choose another."), "No such thing. Choose another."),
        (
            ConsentNeeded("Not allowed yet.", hint="Use a terminal.", provider="openai"),
            "Not allowed yet. Allow it once on the Quillwork tab, under Settings.",
        ),
        (ValueError("The name is empty."), "The name is empty."),
        (Cancelled(), "Stopped."),
        (
            KeyError("sk-planted-Zq3vX9tR7mKb2LwYp5"),
            "Quillwork failed with an internal error. See the web UI's log for details.",
        ),
    ],
)
def test_what_a_user_reads_of_an_error(error, sentence, caplog):
    assert sentence_of(error) == sentence
    assert "Zq3vX9tR7" not in caplog.text

"""The tool loop for a model that computes in the host's own thread, where nothing may wait on a loop."""

from __future__ import annotations

import threading
import time

import pytest
from endpoints import HANG_S, question

from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import Cancelled
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import run_in_place
from quillwork.llm_backends.tools.loop import answer_with_tools
from quillwork.llm_backends.types import Deployment, Result, ToolCall, Usage

RED = '{"colour": "red"}'


class Painter:
    """A backend as another pack may bring one: it calls every tool twice and repeats the results."""

    runs_in_place = True

    def answer_all(self, requests, deployment, sinks, host):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        outcomes = [message.content for message in request.messages if message.role == "tool"]
        if outcomes:
            return Result(" and ".join(outcomes), usage=Usage(1, 1), finish_reason="stop")
        calls = tuple(ToolCall("", tool.name, RED) for tool in request.tools for _ in range(2))
        return Result("", tool_calls=calls, usage=Usage(1, 1), finish_reason="tool_calls")

    def unload(self):
        return []


class Host:
    def __init__(self) -> None:
        self.stopped, self.threads = False, set()

    def cancelled(self):
        return self.stopped

    def tick(self):
        self.threads.add(threading.current_thread())


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setattr(registry, "_makers", {**registry._makers, "painter": Painter})
    return Model(Deployment("painter", "painter", is_local=True), host=Host())


def test_tools_are_called_without_a_loop(model, tool):
    together = threading.Barrier(2, timeout=HANG_S)

    def meet(colour):
        together.wait()
        time.sleep(0.1)
        return colour

    said = run_in_place(answer_with_tools(model, question(), [tool(meet)]))
    assert said.result.text == "red and red"
    assert said.result.usage == Usage(2, 2)
    assert model.host.threads == {threading.current_thread()}, "the host is ticked from its own thread"


def test_a_tool_that_hangs_is_given_up(model, tool, hanging):
    said = run_in_place(answer_with_tools(model, question(), [tool(hanging, time_limit_s=0.2)]))
    assert said.result.text.count("was stopped") == 2


def test_a_stop_ends_it_at_once(model, tool, hanging):
    threading.Timer(0.2, lambda: setattr(model.host, "stopped", True)).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        run_in_place(answer_with_tools(model, question(), [tool(hanging, time_limit_s=HANG_S)]))
    assert time.monotonic() - began < HANG_S / 2


def test_what_the_host_raises_in_a_tick_comes_out(model, tool, hanging):
    class Interrupt(BaseException):
        pass

    def tick():
        raise Interrupt

    model.host.tick = tick
    with pytest.raises(Interrupt):
        run_in_place(answer_with_tools(model, question(), [tool(hanging)]))

"""The runner's thread: waiting, cancelling, refusing, and ending before the interpreter does."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from endpoints import HANG_S

from quillwork.llm_backends.errors import Cancelled
from quillwork.llm_backends.runner import Runner, run_in_place

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def runner():
    runner = Runner()
    yield runner
    runner.close()


class Sleeper:
    """A coroutine that sleeps for long and remembers how it ended."""

    def __init__(self) -> None:
        self.started, self.ended = threading.Event(), threading.Event()

    async def sleep(self) -> None:
        self.started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.05)  # as a connection that takes a moment to close
            self.ended.set()


def test_gives_the_result_and_runs_on_a_thread_of_its_own(runner):
    async def where() -> str:
        return threading.current_thread().name

    assert runner.run(where()) == "quillwork-runner"
    assert {runner.run(where()) for _ in range(3)} == {"quillwork-runner"}


def test_an_error_comes_through_as_it_is(runner):
    async def fail() -> None:
        raise KeyError("fox")

    with pytest.raises(KeyError, match="fox"):
        runner.run(fail())


def test_cancelled_ends_the_coroutine_before_it_returns(runner):
    sleeper = Sleeper()
    with pytest.raises(Cancelled):
        runner.run(sleeper.sleep(), cancelled=sleeper.started.is_set)
    assert sleeper.ended.is_set()


def test_what_on_tick_raises_cancels_and_comes_through(runner):
    sleeper = Sleeper()

    def tick() -> None:
        assert threading.current_thread() is threading.main_thread()
        if sleeper.started.is_set():
            raise ZeroDivisionError("the host's own interrupt")

    with pytest.raises(ZeroDivisionError, match="interrupt"):
        runner.run(sleeper.sleep(), on_tick=tick)
    assert sleeper.ended.is_set()


def test_a_synchronous_call_from_its_own_loop_is_refused(runner):
    async def wait_for_itself() -> None:
        runner.run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="own thread"):
        runner.run(wait_for_itself())


def test_a_call_cancelled_before_it_began_is_over_at_once(runner):
    blocking, begun = threading.Event(), []

    async def block() -> None:
        blocking.set()
        time.sleep(0.3)  # as the import of a heavy library does

    async def begin() -> None:
        begun.append(True)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runner.submit(block())
        assert blocking.wait(HANG_S)
        job = runner.submit(begin())
        job.cancel()
        job.stop()
        assert job.ended, "stop() gave up on a coroutine that never began"
        gc.collect()
    assert not begun
    assert not [str(w.message) for w in caught if "begin" in str(w.message)]


def test_jobs_end_once_they_are_over(runner):
    job = runner.submit(asyncio.sleep(0, "fox"))
    assert job.future.result(HANG_S) == "fox"
    runner.run(asyncio.sleep(0))
    assert job.ended


def test_nothing_starts_after_close():
    runner = Runner()
    runner.run(asyncio.sleep(0))
    runner.close()
    runner.close()
    coroutine = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="shutting down"):
        runner.run(coroutine)
    assert coroutine.cr_frame is None, "the coroutine was left open"


def test_close_cancels_what_is_in_flight_and_awaits_the_closers():
    runner, sleeper, closed = Runner(), Sleeper(), []

    async def closer() -> None:
        closed.append(threading.current_thread().name)

    async def broken() -> None:
        raise OSError

    runner.on_close(broken)
    runner.on_close(closer)
    job = runner.submit(sleeper.sleep())
    assert sleeper.started.wait(HANG_S)
    runner.close()
    assert sleeper.ended.is_set()
    assert job.future.cancelled()
    assert closed == ["quillwork-runner"]


PROGRAM = """
import importlib.util, sys, threading, time
root, url, end = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from quillwork.llm_backends.errors import Cancelled
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Deployment, Message, Request

model = Model(Deployment("openai_compatible", "fox-hang", base_url=url + "/v1", retries=0))
question = Request((Message("user", "a fox"),))
runner.run(Model(Deployment("openai_compatible", "fox", base_url=url + "/v1")).ask([question]))
jobs = [runner.submit(model.ask([question, question])) for _ in range(2)]

def wait():
    try:
        runner.run(model.ask([question]))
    except Cancelled:
        pass

if end == "waiting":
    threading.Thread(target=wait, daemon=True).start()
while not model.live.text():
    time.sleep(0.01)
time.sleep(0.3)
print("in flight", flush=True)
"""


@pytest.mark.parametrize("end", ["idle", "waiting"])
def test_ends_before_the_interpreter_with_calls_in_flight(wire, end):
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", PROGRAM, str(ROOT), wire.url, end],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "in flight\n"
    assert done.stderr == ""
    assert done.returncode == 0
    wire.wait_disconnects(len(wire.calls()) - 1)


def test_a_coroutine_that_never_waits_runs_in_place():
    async def compute() -> str:
        return threading.current_thread().name

    async def fail() -> None:
        raise KeyError("fox")

    assert run_in_place(compute()) == threading.current_thread().name
    with pytest.raises(KeyError, match="fox"):
        run_in_place(fail())
    with pytest.raises(RuntimeError, match="must not wait"):
        run_in_place(asyncio.sleep(0))

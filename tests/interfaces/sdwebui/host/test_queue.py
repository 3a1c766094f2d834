"""Jobs in turn with the host's own."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from quillwork.interfaces.sdwebui.host.http import WebUiHttpHost
from quillwork.interfaces.sdwebui.host.queue import QueuedWork, in_turn
from quillwork.llm_backends.errors import Cancelled

PATIENCE_S = 60.0


def run(coroutine):
    """Run as `asyncio.run` does, in a thread: a browser's tests may have left a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def until_stopped(host):
    until(host.cancelled)
    return "stopped"


def test_work_waits_for_the_queue_and_runs_where_models_live(queue):
    ran = threading.Event()
    with queue.lock:
        turn = QueuedWork(lambda host: ran.set())
        assert not ran.wait(0.1)
    turn.future.result(PATIENCE_S)
    assert ran.is_set() and queue.locked == [True] and not queue.lock.locked()


def test_what_work_raises_comes_back_and_not_to_the_host(queue):
    def fail(*_):
        raise ValueError("planted")

    host = WebUiHttpHost(SimpleNamespace())
    for call in (lambda: in_turn(fail), lambda: run(host.run_in_turn(fail))):
        with pytest.raises(ValueError, match="planted"):
            call()
    assert queue.errors == [] and not queue.lock.locked()
    assert run(host.run_in_turn(lambda host: 7)) == 7


def test_cancelled_work_leaves_the_queue(queue):
    ran = []
    with queue.lock:
        turn = QueuedWork(lambda host: ran.append(1))
        turn.future.cancel()
    until(lambda: queue.locked == [True] and not queue.lock.locked())
    assert ran == []


def test_work_under_way_hears_that_nobody_waits_any_more(queue):
    begun, ended = threading.Event(), []

    def work(host):
        begun.set()
        ended.append(until_stopped(host))

    async def leave():
        task = asyncio.ensure_future(WebUiHttpHost(SimpleNamespace()).run_in_turn(work))
        while not begun.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(leave())
    until(lambda: ended)


def test_the_hosts_interrupt_stops_what_runs_but_not_what_comes_later(queue):
    begun = threading.Event()

    def work(host):
        begun.set()
        until_stopped(host)
        raise Cancelled

    turn = QueuedWork(work)
    assert begun.wait(PATIENCE_S)
    queue.state.interrupted = True
    with pytest.raises(Cancelled):
        turn.future.result(PATIENCE_S)
    assert QueuedWork(lambda host: host.cancelled()).future.result(PATIENCE_S) is False, (
        "the flag is an old one"
    )


def test_a_host_without_a_queue_just_runs_it():
    assert in_turn(lambda: 7) == 7
    assert QueuedWork(lambda host: host.cancelled()).future.result(PATIENCE_S) is False

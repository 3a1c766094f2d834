"""The limit on concurrent calls to one endpoint."""

from __future__ import annotations

import asyncio

import pytest
from endpoints import HANG_S, ask_all, endpoint, question

from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import Runner, runner
from quillwork.llm_backends.types import Result


@pytest.mark.parametrize("limit", [1, 3])
def test_never_more_than_the_limit(wire, limit):
    wire.meeting = limit
    results = ask_all(endpoint(wire.url, "fox-delay20", max_concurrency=limit), *[question()] * 8)
    assert all(isinstance(result, Result) for result in results)
    assert wire.peak == limit


def test_the_limit_is_of_the_endpoint_and_not_of_one_run(wire):
    wire.meeting = 2
    jobs = [
        runner.submit(Model(endpoint(wire.url, model, max_concurrency=2)).ask([question()] * 3))
        for model in ("fox-delay30", "owl-delay30")
    ]
    for job in jobs:
        job.future.result(HANG_S)
    assert wire.peak == 2


def test_waiting_in_the_queue_is_no_silence(wire):
    slow = endpoint(wire.url, "fox-delay150", max_concurrency=1, idle_timeout_s=0.4, total_timeout_s=0.4)
    results = ask_all(slow, *[question()] * 5)
    assert all(isinstance(result, Result) for result in results), results


def test_a_failure_makes_room(wire):
    ask_all(endpoint(wire.url, "fox-status500", max_concurrency=1), *[question()] * 3)
    assert len(wire.calls()) == 3


def test_every_loop_has_its_own_queue(wire):
    deployment = endpoint(wire.url, "fox-delay20", max_concurrency=1)
    for _ in range(3):
        other = Runner()
        other.run(asyncio.wait_for(Model(deployment).ask([question()] * 3), HANG_S))
        other.close()
    assert wire.peak == 1

"""Retries: of which errors, how often, and after how long."""

from __future__ import annotations

import time

import pytest
from endpoints import answer, endpoint, failure

from quillwork.llm_backends import errors
from quillwork.llm_backends.middleware.retry import FIRST_WAIT_S


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_a_passing_fault_is_tried_again(wire, status):
    assert answer(endpoint(wire.url, f"fox-fail{status}x1-retryafter0", retries=1)).attempts == 2


@pytest.mark.parametrize("word", ["status400", "status401", "status403", "status404", "ctx", "redirect"])
def test_a_lasting_fault_is_not(wire, word):
    assert failure(endpoint(wire.url, f"fox-{word}", retries=3)).attempts == 1
    assert len(wire.calls()) == 1


def test_silence_is_tried_again(wire):
    error = failure(endpoint(wire.url, "fox-silent", retries=1, idle_timeout_s=0.1))
    assert type(error) is errors.TimedOut
    assert len(wire.calls()) == 2


def test_no_more_often_than_allowed(wire):
    assert failure(endpoint(wire.url, "fox-status503-retryafter0", retries=3)).attempts == 4
    assert len(wire.calls()) == 4


def test_retry_after_is_obeyed(wire):
    answer(endpoint(wire.url, "fox-fail429x1-retryafter0.5", retries=1))
    first, second = wire.calls()
    assert second.at - first.at >= 0.5


def test_without_retry_after_it_waits_a_while(wire):
    answer(endpoint(wire.url, "fox-fail503x1", retries=1))
    first, second = wire.calls()
    assert second.at - first.at >= FIRST_WAIT_S * 0.75


def test_a_wait_of_minutes_is_left_to_the_user(wire):
    began = time.monotonic()
    error = failure(endpoint(wire.url, "fox-status429-retryafter3600", retries=2))
    assert "asks to wait 3600 s" in str(error)
    assert error.attempts == 1
    assert time.monotonic() - began < 10

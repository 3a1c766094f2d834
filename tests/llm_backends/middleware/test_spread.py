"""Several servers of one model: the calls are shared, and one that fails is left alone for a while."""

from __future__ import annotations

from collections import Counter

import pytest
from endpoints import answer, ask_all, endpoint, failure, question
from wire.answers import TEXT
from wire.server import WireServer

from quillwork.llm_backends import errors
from quillwork.llm_backends.middleware import spread


@pytest.fixture(autouse=True)
def nobody_rests(monkeypatch):
    monkeypatch.setattr(spread, "_rests_until", {})


def both(wire: WireServer, model: str = "fox", **changes):
    return endpoint(wire.url, model, replicas=(f"{wire.other_url}/v1",), **changes)


def origins(wire: WireServer) -> list[str]:
    return [call.origin for call in wire.calls()]


def test_calls_are_shared(wire):
    answers = ask_all(both(wire, "fox-delay50"), *[question() for _ in range(10)])
    assert [one.text for one in answers] == [TEXT] * 10
    assert Counter(origins(wire)) == {wire.url: 5, wire.other_url: 5}


def test_a_server_that_is_gone_is_left_alone(wire):
    deployment = endpoint(wire.url, "fox", replicas=("http://127.0.0.1:9/v1",), retries=0)
    gone_first = endpoint("http://127.0.0.1:9", "fox", replicas=(f"{wire.url}/v1",), retries=0)
    for one in (gone_first, deployment, deployment):
        assert answer(one).text == TEXT
    assert len(wire.calls()) == 3


def test_where_one_refuses_the_other_is_asked(wire):
    assert answer(both(wire, "fox-fail503x1", retries=0)).text == TEXT
    assert sorted(origins(wire)) == sorted([wire.url, wire.other_url])


def test_a_fault_of_the_request_goes_nowhere_else(wire):
    assert type(failure(both(wire, "fox-status400", retries=0))) is errors.BadRequest
    assert len(wire.calls()) == 1


def test_where_all_fail_the_error_is_told(wire):
    assert type(failure(both(wire, "fox-status503", retries=0))) is errors.ProviderFailed
    assert len(wire.calls()) == 2
    assert not any(spread._busy.values())

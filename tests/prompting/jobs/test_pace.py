"""The pace of a job against imagined servers: time is counted, not waited for."""

from __future__ import annotations

import pytest

from quillwork.prompting.jobs.pace import Pace


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def settled(pace, seconds_at, calls=3000):
    """The limit after so many calls, each answered as fast as `seconds_at` says for that many at once."""
    for _ in range(calls):
        pace.answered(seconds_at(pace.limit))
    return pace.limit


def test_it_rises_while_the_other_side_keeps_up():
    assert settled(Pace(128), lambda at_once: 0.2) == 128


@pytest.mark.parametrize("slots", [1, 4, 8, 32])
def test_it_stops_where_calls_begin_to_queue(slots):
    limit = settled(Pace(128), lambda at_once: 0.2 * max(1.0, at_once / slots))
    assert slots <= limit <= slots * 2 + 4


@pytest.mark.parametrize(("seconds", "limit"), [(0.2, 36), (8.0, 9)])
def test_it_rises_faster_where_answers_are_quick(seconds, limit):
    pace = Pace(128)
    for _ in range(4 + 12):
        pace.answered(seconds)
    assert pace.limit == limit


def test_a_first_answer_that_was_luck_does_not_hold_it_down():
    """Keep the pace where it is slow for another reason than its calls, a busy machine say."""
    pace = Pace(32)
    for _ in range(16):
        pace.answered(0.2)
    assert settled(pace, lambda at_once: 0.3) == 32


def test_it_never_passes_what_the_user_allows():
    pace = Pace(3)
    assert pace.limit == 3
    assert settled(pace, lambda at_once: 0.1) == 3
    assert Pace(0).limit == 1


def test_a_refusal_halves_it_once_and_holds_everybody_back():
    clock = Clock()
    pace = Pace(128, clock)
    settled(pace, lambda at_once: 0.2, 200)
    before = pace.limit
    for _ in range(before):  # all that were under way
        pace.refused(7.0)
    assert pace.limit == before // 2
    assert pace.closed_s == pytest.approx(7.0)
    clock.now += 7.5
    assert pace.closed_s == 0.0


def test_without_a_time_it_waits_longer_each_time():
    clock = Clock()
    pace = Pace(8, clock)
    waits = []
    for _ in range(4):
        pace.refused(None)
        waits.append(pace.closed_s)
        clock.now += pace.closed_s + 0.1
    assert waits == sorted(waits) and waits[-1] > waits[0]
    pace.answered(0.2)
    pace.refused(None)
    assert pace.closed_s == waits[0]


def test_it_recovers_after_a_refusal():
    clock = Clock()
    pace = Pace(64, clock)
    settled(pace, lambda at_once: 0.2, 500)
    pace.refused(1.0)
    clock.now += 2
    assert settled(pace, lambda at_once: 0.2) == 64

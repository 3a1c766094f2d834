"""Texts of a download's progress."""

from __future__ import annotations

import pytest

from quillwork.llm_backends.local.hub.progress import Progress, duration, size
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Chunk


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def live() -> LiveText:
    return LiveText()


def test_bytes_speed_and_time_left(live):
    clock = Clock()
    progress = Progress("org/fox", live.start(1)[0], clock)
    progress.total = 2_700_000_000
    progress.add(0)
    assert live.text() == "Downloading org/fox: 0.0 of 2.7 GB"
    for _ in range(40):
        clock.now += 1
        progress.add(30_000_000)
    assert live.text() == "Downloading org/fox: 1.2 of 2.7 GB, 30 MB/s, 50 s left"
    assert live.progress() == pytest.approx(1.2 / 2.7)


def test_the_speed_is_that_of_the_last_seconds(live):
    clock = Clock()
    progress = Progress("org/fox", live.start(1)[0], clock)
    progress.total = 400_000_000
    for step in (40_000_000, 40_000_000, *[1_000_000] * 8):
        clock.now += 1
        progress.add(step)
    assert live.text() == "Downloading org/fox: 88 of 400 MB, 1 MB/s, 5 min left"
    for _ in range(8):
        clock.now += 1
        progress.add(0)
    assert live.text() == "Downloading org/fox: 88 of 400 MB, stalled"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (3e6, "3 MB"),
        (340e6, "340 MB"),
        (2.7e9, "2.7 GB"),
    ],
)
def test_sizes(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.1, "1 s"), (89, "89 s"), (95, "2 min"), (3600, "60 min"), (7500, "2 h 5 min"), (1e6, "11 days")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_first_words_take_the_announcement_away(live):
    first, second = live.start(2)
    first.announce("Downloading", 0.5)
    second.add(Chunk(reasoning="hm"))
    assert (live.text(), live.progress()) == ("Downloading", 0.5)
    second.add(Chunk("a fox"))
    assert live.text() == "1. \n\n2. a fox"
    assert live.progress() < 0.5


def test_one_of_earlier_answers_announces_nothing(live):
    (old,) = live.start(1)
    live.start(1)
    old.announce("Downloading", 0.5)
    assert (live.text(), live.progress()) == ("", 0.0)

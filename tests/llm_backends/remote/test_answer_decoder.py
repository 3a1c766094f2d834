"""Events are the same however the bytes were cut up."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.llm_backends.remote.answer_decoder import AnswerDecoder, EventTooLong

STREAMS = st.lists(
    st.sampled_from(
        [b"data: {}", b"data:x", b"data:", b"\n", b"\r\n", b"\n\n", b": ping\n\n", b"event: e\n",
         b"id: 1\n", b"d", "data: füchsin\n\n".encode(), b"data: [DONE]\n\n", b"retry: 1\r\n\r\n"]
    ),
    max_size=10,
).map(b"".join)  # fmt: skip


def read(raw: bytes, cuts: list[int]) -> list[bytes]:
    reader = AnswerDecoder()
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    events = [event for a, b in itertools.pairwise(edges) for event in reader.feed(raw[a:b])]
    return [event.data for event in events + reader.finish()]


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data:a\r\n\r\ndata:  b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b": keep-alive\n\nevent: message\nid: 7\ndata: a\n\n", [b"a"]),
        (b"data: a\n\ndata: no blank line", [b"a", b"no blank line"]),
        (b"", []),
        (b"\n\n\n", []),
        (b"<html>nothing</html>", [b"<html>nothing</html>"]),
        (b"data: a\n\ndata:\n\ndata: \n\ndata: b\n\n", [b"a", b"b"]),
    ],
)
def test_reads_events(raw, events):
    assert read(raw, []) == events
    assert read(raw, list(range(len(raw)))) == events


@given(STREAMS, st.lists(st.integers(0, 120), max_size=15))
def test_any_split_gives_what_the_whole_gives(raw, cuts):
    assert read(raw, cuts) == read(raw, [])


@pytest.mark.parametrize("raw", [b"data: " + b"x" * 200, b"data: xxxxxxxxxxxxxxxxxxxx\n" * 10])
def test_an_endless_event_is_refused(raw):
    with pytest.raises(EventTooLong):
        AnswerDecoder(longest=100).feed(raw)


def test_many_events_are_not_one_long_one():
    assert len(AnswerDecoder(longest=100).feed(b"data: xxxxxxxxxx\n\n" * 50)) == 50

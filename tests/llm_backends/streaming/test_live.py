"""The live text of answers while they are written."""

from __future__ import annotations

import threading

from endpoints import HANG_S

from quillwork.llm_backends.streaming.live import LiveText, show_all
from quillwork.llm_backends.types import Chunk


def test_several_texts_are_numbered_and_one_is_not():
    assert show_all([]) == ""
    assert show_all(["a fox"]) == "a fox"
    assert show_all(["a fox", "an owl"]) == "1. a fox\n\n2. an owl"


def test_texts_grow_start_again_and_finish():
    live = LiveText()
    first, second = live.start(2)
    first.add(Chunk("a "))
    first.add(Chunk("fox"))
    second.add(Chunk("an owl"))
    assert live.texts() == ["a fox", "an owl"]
    first.restart()
    assert live.texts() == ["", "an owl"]
    first.finish("an elk")
    assert live.texts() == ["an elk", "an owl"]
    live.start(1)
    assert live.texts() == [""]


def test_a_caller_says_what_of_an_answer_is_shown():
    live = LiveText()
    live.show_with(lambda place, text: f"{place}: {text.upper()}")
    first, _ = live.start(2)
    first.add(Chunk("a fox"))
    assert live.texts() == ["0: A FOX", "1: "]
    live.show_with(None)
    assert live.texts() == ["a fox", ""]


def test_every_change_moves_the_version():
    live = LiveText()
    versions = [live.version]
    (sink,) = live.start(1)
    for change in (lambda: sink.add(Chunk("a")), sink.restart, lambda: sink.finish("b")):
        versions.append(live.version)
        change()
    assert len({*versions, live.version}) == 5


def test_progress_grows_to_one_and_not_before_the_end():
    live = LiveText()
    assert live.progress() == 0
    first, second = live.start(2)
    shown = [live.progress()]
    for _ in range(50):
        first.add(Chunk("word " * 20))
        shown.append(live.progress())
    assert shown == sorted(shown)
    assert 0.4 < shown[-1] < 0.5
    first.finish("done")
    assert 0.5 <= live.progress() < 1
    second.add(Chunk(reasoning="hm " * 500))
    assert live.progress() < 1
    assert live.texts()[1] == ""
    second.finish("done")
    assert live.progress() == 1


def test_a_sink_of_an_earlier_run_does_no_harm():
    live = LiveText()
    _, late = live.start(2)
    (now,) = live.start(1)
    now.add(Chunk("a fox"))
    late.add(Chunk("late"))
    late.restart()
    late.finish("late")
    assert live.texts() == ["a fox"]


def test_many_threads_write_at_once():
    live = LiveText()
    sinks = live.start(4)

    def write(sink):
        for _ in range(500):
            sink.add(Chunk("x"))

    threads = [threading.Thread(target=write, args=(sink,)) for sink in sinks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_S)
    assert [len(text) for text in live.texts()] == [500] * 4

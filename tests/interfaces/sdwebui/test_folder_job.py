"""A job with a local model in a web UI: generations go first."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from routes.parrot import Parrot
from training_sets import texts, training_set

from quillwork.config.choice import Choice
from quillwork.config.opening import open_model
from quillwork.interfaces.background_jobs import Turns, preview, start
from quillwork.interfaces.sdwebui.host.queue import QueuedWork, others_wait
from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import Cancelled
from quillwork.prompting.jobs.caption_job import CaptionOrder
from quillwork.prompting.jobs.captions import Wishes
from quillwork.prompting.jobs.control import Control

pytest.importorskip("PIL.Image", reason="pictures need Pillow")
PATIENCE_S = 60.0
TURNS = Turns(lambda work: QueuedWork(work).future, others_wait)


def until(came):
    end = time.monotonic() + PATIENCE_S
    while not came():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def order(library, queue, monkeypatch, tmp_path):
    monkeypatch.setenv("PARROT_NOTES", str(tmp_path / "notes"))
    registry.register("parrot_of_folders", Parrot, replace=True)
    return CaptionOrder("set", training_set(tmp_path / "set", 16), Wishes())


def parrot():
    return open_model(Choice(llm_mode="parrot_of_folders", llm_model="words4-gap20"))


def test_a_generation_goes_first_and_is_let_in_between(order, queue):
    with queue.lock:
        job = start(order, parrot(), TURNS, {})
        until(lambda: job.state()["state"] == "waiting")
        time.sleep(0.2)
        assert texts(order.folder) == {}
    until(lambda: len(texts(order.folder)) >= 4)
    # One that comes while it works gets its turn, and is not overtaken.
    with queue.lock:
        before = len(texts(order.folder))
        assert before < 16
        time.sleep(0.3)
        assert len(texts(order.folder)) == before
        assert job.state()["state"] == "waiting"
    until(lambda: job.end)
    assert job.end == "16 of 16 images have their caption."
    assert queue.locked and all(queue.locked), "it computes where the host does"


def test_it_keeps_its_turn_where_the_host_says_that_nobody_waits(order, queue, monkeypatch):
    progress = SimpleNamespace(pending_tasks={})
    monkeypatch.setitem(sys.modules, "modules.progress", progress)
    monkeypatch.setattr(sys.modules["modules"], "progress", progress, raising=False)
    job = start(order, parrot(), TURNS, {})
    until(lambda: job.end)
    assert len(queue.locked) == 1
    progress.pending_tasks["task(1)"] = 1.0
    again = start(replace(order, existing="replace"), parrot(), TURNS, {})
    until(lambda: again.end)
    assert len(queue.locked) == 1 + 4, "four texts at a time"


def test_a_preview_that_is_left_lets_go_of_the_queue(order, queue):
    control, ended = Control(), threading.Event()

    def look():
        with pytest.raises(Cancelled):
            preview(
                order,
                open_model(Choice(llm_mode="parrot_of_folders", llm_model="words500-gap20")),
                TURNS,
                control,
            )
        ended.set()

    threading.Thread(target=look).start()
    until(lambda: queue.lock.locked())
    control.stop()
    assert ended.wait(PATIENCE_S)
    until(lambda: not queue.lock.locked())
    assert texts(order.folder) == {}

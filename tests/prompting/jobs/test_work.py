"""The work of a job: every entry once, failures last, what is under way kept."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest

from quillwork.llm_backends import errors
from quillwork.prompting.jobs.control import Control
from quillwork.prompting.jobs.journal import Journal
from quillwork.prompting.jobs.pace import Pace
from quillwork.prompting.jobs.work import Entry, Progress, Question, Work, Written


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "job.sqlite") as journal:
        yield journal


def entries(*names, key=lambda name: f"key of {name}"):
    return [Entry(name, "1", lambda name=name: Question(key(name), name)) for name in names]


class Model:
    """Answers each payload, or fails as its `faults` say, once for each."""

    def __init__(self, faults=None):
        self.faults = {name: list(several) for name, several in (faults or {}).items()}
        self.asked = Counter()
        self.order = []
        self.at_once = self.peak = 0

    async def __call__(self, payloads):
        self.at_once += 1
        self.peak = max(self.peak, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        answers = []
        for name in payloads:
            self.asked[name] += 1
            self.order.append(name)
            if self.faults.get(name):
                raise self.faults[name].pop(0)
            answers.append(Written({"text": f"a {name}"}, 0.5))
        return answers


class InPlace(Model):
    async def __call__(self, payloads):
        for name in payloads:
            if self.faults.get(name):
                raise self.faults[name].pop(0)
        return [Written({"text": f"a {name}"}) for name in payloads]


def run(work, most=4):
    asyncio.run(work.run(Pace(most)))
    return work.progress


def test_each_is_asked_once_and_journalled(journal):
    model, seen = Model(), []
    work = Work(entries("fox", "owl", "cat"), journal, model, lambda *told: seen.append(told))
    progress = run(work)
    assert model.asked == {"fox": 1, "owl": 1, "cat": 1}
    assert (progress.done, progress.failed, progress.called, progress.cost_usd) == (3, 0, 3, 1.5)
    assert journal.texts() == {name: {"text": f"a {name}"} for name in ("fox", "owl", "cat")}
    assert sorted(name for name, _ in seen) == ["cat", "fox", "owl"]


def test_equal_questions_are_asked_once(journal):
    model = Model()
    progress = run(Work(entries(*"abcdef", key=lambda name: "same"), journal, model))
    assert sum(model.asked.values()) == 1
    assert progress.done == 6
    assert set(journal.stamps()) == set("abcdef")


def test_what_is_journalled_is_not_asked_again(journal):
    run(Work(entries("fox"), journal, Model()))
    model = Model()
    assert run(Work(entries("fox", "owl"), journal, model)).done == 2
    assert model.asked == {"owl": 1}


def test_a_failure_is_told_and_tried_last_the_next_time(journal):
    told = []
    model = Model({"fox": [errors.Refused("It declined.")]})
    progress = run(Work(entries("fox", "owl"), journal, model, lambda *one: told.append(one)), most=1)
    assert (progress.done, progress.failed) == (1, 1)
    said = "It declined. Reword the prompt or choose another model."
    assert ("fox", said) in told
    assert journal.failures() == {"fox": said}
    again = Model()
    run(Work(entries("fox", "cat", "dog"), journal, again), most=1)
    assert again.order[-1] == "fox"
    assert journal.failures() == {}


def test_a_file_that_cannot_be_read_is_one_failure(journal):
    def broken():
        raise PermissionError(13, "Permission denied")

    model = Model()
    progress = run(Work([Entry("x.png", "1", broken), *entries("fox")], journal, model))
    assert (progress.done, progress.failed) == (1, 1)
    assert journal.failures() == {"x.png": "The file cannot be read (Permission denied)."}


def test_what_may_pass_is_tried_again(journal):
    model = Model({"fox": [errors.RateLimited("Too many.", retry_after_s=0.0), errors.ProviderFailed("503")]})
    assert run(Work(entries("fox", "owl"), journal, model)).done == 2
    assert model.asked == {"fox": 3, "owl": 1}


def test_what_would_fail_for_all_ends_it(journal):
    names = [f"n{number}" for number in range(50)]
    model = Model({"n5": [errors.AuthenticationFailed("The key was refused.")]})
    with pytest.raises(errors.AuthenticationFailed):
        run(Work(entries(*names), journal, model))
    assert set(journal.stamps()) == {name for name in model.asked if name != "n5"}
    assert len(model.asked) < 50


@pytest.mark.parametrize("is_local", [False, True])
def test_a_text_that_asks_for_nothing_is_one_failure(journal, is_local):
    kind = InPlace if is_local else Model
    model = kind({"n2": [errors.NothingAsked("The prompt is empty.")] * 2})
    work = Work(entries("n1", "n2", "n3"), journal, model)
    if is_local:
        work.run_in_place(2)
    else:
        run(work)
    assert set(journal.stamps()) == {"n1", "n3"}
    assert journal.failures() == {"n2": "The prompt is empty."}


def test_a_budget_that_ends_in_the_middle_can_be_gone_on_from(journal):
    names = [f"n{number}" for number in range(12)]
    model = Model({"n7": [errors.BudgetExceeded("The budget is spent.")]})
    with pytest.raises(errors.BudgetExceeded):
        run(Work(entries(*names), journal, model))
    known = journal.stamps()
    left = [entry for entry in entries(*names) if entry.name not in known]
    assert run(Work(left, journal, model)).failed == 0
    assert set(journal.stamps()) == set(names)
    assert model.asked == Counter(names) + Counter(["n7"])


@pytest.mark.parametrize("is_local", [False, True])
def test_a_stopped_job_ends_before_its_next_call(journal, is_local):
    control = Control()
    control.pause()
    control.stop()
    assert not control.is_paused
    model = Model()
    work = Work(entries("a", "b"), journal, model, control=control)
    with pytest.raises(errors.Cancelled):
        work.run_in_place(1) if is_local else run(work)
    assert not model.asked


def test_a_local_job_waits_while_it_is_paused(journal):
    control, looks = Control(), []
    control.pause()

    def between():
        looks.append(len(journal.stamps()))
        if len(looks) == 3:
            control.resume()

    work = Work(entries("a", "b"), journal, InPlace(), control=control)
    work.run_in_place(1, between)
    assert looks[:3] == [0, 0, 0] and work.progress.done == 2


def test_neither_what_was_there_before_nor_a_pause_counts_for_the_pace(monkeypatch):
    now = 100.0
    monkeypatch.setattr("quillwork.prompting.jobs.work.time.monotonic", lambda: now)
    progress = Progress(10, before=990, _works_since=now)
    now, progress.done, progress.failed = 104.0, 1, 1
    assert progress.line() == "992 of 1,000 · 990 from before · 0.5/s · 0:00:16 left · 1 failed"
    progress.rest()
    now = 9000.0
    progress.rest()
    assert (progress.seconds, progress.rate, progress.left_s) == (4.0, 0.5, 16.0)
    progress.go_on()
    progress.go_on()
    now = 9004.0
    assert (progress.seconds, progress.left_s) == (8.0, 32.0)
    shown = progress.shown()
    assert (shown["done"], shown["total"], shown["before"], shown["failed"]) == (991, 1000, 990, 1)


@pytest.mark.parametrize("is_local", [True, False])
def test_the_clock_stands_still_while_a_job_is_paused(journal, is_local):
    control, seconds = Control(), []
    model = InPlace() if is_local else Model()
    work = Work(entries("fox", "owl"), journal, model, lambda *told: control.pause(), control)

    def wait_and_resume():
        while work.progress.done < 2:
            if control.is_paused:
                time.sleep(0.2)
                seconds.append(work.progress.seconds)
                time.sleep(0.5)
                seconds.append(work.progress.seconds)
                control.resume()
            time.sleep(0.01)

    resuming = threading.Thread(target=wait_and_resume)
    resuming.start()
    if is_local:
        work.run_in_place(1)
    else:
        run(work, most=1)
    control.resume()
    resuming.join()
    assert seconds[0] == seconds[1]
    assert work.progress.seconds < 0.5


def test_nobody_there_ends_it(journal):
    names = [f"n{number}" for number in range(50)]
    gone = {name: [errors.ConnectionFailed("Nobody answers.", retry_after_s=0.0)] * 4 for name in names}
    with pytest.raises(errors.ConnectionFailed):
        run(Work(entries(*names), journal, Model(gone)))


def test_it_never_asks_more_at_once_than_allowed(journal):
    model = Model()
    run(Work(entries(*(f"n{number}" for number in range(60))), journal, model), most=3)
    assert model.peak <= 3


def test_entries_are_read_ahead_while_the_first_are_asked_for(journal):
    """The first answer does not come before 50 others are ready for the pace to rise."""
    ready = set()

    def entry(name):
        def prepare():
            ready.add(name)
            return Question(name, name)

        return Entry(name, "1", prepare)

    class Slow(Model):
        async def __call__(self, payloads):
            while len(ready) < 50:
                await asyncio.sleep(0.01)
            return await super().__call__(payloads)

    work = Work([entry(f"p{number}") for number in range(200)], journal, Slow())
    asyncio.run(asyncio.wait_for(work.run(Pace(4), 2), 30))
    assert work.progress.done == 200
    assert len(ready) == 200


def test_a_stop_leaves_nothing_running(journal):
    async def stopped():
        started = asyncio.Event()

        async def hang(payloads):
            started.set()
            await asyncio.sleep(3600)

        task = asyncio.ensure_future(Work(entries("fox", "owl"), journal, hang).run(Pace(2)))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]

    assert asyncio.run(stopped()) == []


def test_a_local_model_is_asked_in_this_thread(journal):
    work = Work(entries("fox", "owl", "cat"), journal, InPlace())
    work.run_in_place(2)
    assert work.progress.done == 3
    assert set(journal.texts()) == {"fox", "owl", "cat"}

"""Jobs begun on a page: in a thread of their own, outside of the host's queue, whose own work goes first."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..config.settings.home import home
from ..config.settings.values import load
from ..llm_backends.errors import Cancelled, LLMError
from ..llm_backends.host import Host, program
from ..llm_backends.model import Model
from ..llm_backends.redact import scrub
from ..llm_backends.runner import runner
from ..prompting.jobs.caption_job import CaptionJob, most_at_once
from ..prompting.jobs.control import Control, RunningJob, announced, running_jobs
from ..prompting.jobs.file_job import FileJob
from ..prompting.jobs.journal import JobError, Journal
from ..prompting.jobs.pace import Pace
from ..prompting.jobs.work import Entry, Progress, Sample, Work, Written

J = TypeVar("J", CaptionJob, FileJob)

MOST_RUNNING = 8
_AT_ONCE_HERE = 4
# A turn in the host's queue ends after so long even where nobody is known to wait.
_TURN_S = 15.0
# Not every host's lock lets those in first who waited first.
_BETWEEN_TURNS_S = 0.1
_LOOK_EVERY_S = 0.1
_log = logging.getLogger("quillwork")


class Order(Protocol[J]):
    """Order for a job of the kind `J`: `CaptionOrder`, or `FileOrder` for a file called `source`."""

    @property
    def kind(self) -> str: ...

    @property
    def source(self) -> str: ...

    def what(self, job: J) -> str: ...

    def opened(self, jobs: Path, model: Model) -> contextlib.AbstractContextManager[J]: ...

    def entries(self, job: J, model: Model, opening: contextlib.ExitStack) -> list[Entry]: ...

    def sample(self, job: J) -> Sample: ...


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns in the host's queue, for a model that computes in its process.

    `take` runs a function where the host does its own work, after what is queued there, as
    `HttpHost.run_in_turn` does. `others_wait` tells whether something may be waiting behind it by now.
    """

    take: Callable[[Callable[[Host], bool]], concurrent.futures.Future[bool]]
    others_wait: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Preview:
    """A few texts of a job that has not begun: nothing is written where it will write.

    `samples` are names or ideas with a text or an error. `seconds` and `cost_usd` are an upper estimate for
    the rest, None where nothing is known.
    """

    total: int
    left: int
    kept: int
    samples: Sequence[tuple[str, str, str]]
    seconds: float | None
    cost_usd: float | None


def preview(order: Order[J], model: Model, turns: Turns, control: Control) -> Preview:
    """Ask for the first texts of `order` and keep them in its journal, where the job finds them.

    Raises `JobError` where the job could not begin, the `LLMError` that would end it, and `Cancelled` once
    `control` stops it.
    """
    outcomes: dict[str, Mapping[str, Any] | str] = {}
    with order.opened(home() / "jobs", model) as job:
        sample = order.sample(job)
        work = _Execution(job, model, turns, RunningJob(job.journal.id, order.kind, "", control))
        progress = work.carry_out_sample(sample.entries, outcomes)
    rest, ended = sample.unasked - len(sample.entries), max(1, progress.called)
    return Preview(
        total=sample.total,
        left=sample.left,
        kept=sample.kept,
        samples=[
            job.spoken(entry.name, outcomes[entry.name]) for entry in sample.entries if entry.name in outcomes
        ],
        seconds=progress.seconds / ended * rest if progress.called else None,
        cost_usd=progress.cost_usd / ended * rest if progress.cost_usd else None,
    )


def start(order: Order[J], model: Model, turns: Turns, asked: Mapping[str, Any]) -> RunningJob:
    """Begin the job in a thread of its own; `asked` is kept with it, for whoever begins it again.

    Raises `JobError` where it cannot begin. What ends it later is noted in its journal.
    """
    if len(running_jobs()) >= MOST_RUNNING:
        raise JobError(f"{MOST_RUNNING} jobs are running already. Wait until one of them has finished.")
    with contextlib.ExitStack() as opening:
        job = opening.enter_context(order.opened(home() / "jobs", model))
        what = order.what(job)
        about = {"kind": order.kind, "what": what, "source": order.source, "asked": dict(asked)}
        job.journal.note(**about, began=time.time(), ended=None, error="")
        running = RunningJob(job.journal.id, order.kind, what)
        execution = _Execution(job, model, turns, running)
        entries = order.entries(job, model, opening)
        work = execution.prepare(entries, job.journal, job.settle)
        work.progress.before = job.before
        opening.enter_context(announced(running))
        held = opening.pop_all()
    threading.Thread(target=execution.carry_out, args=(work, held), name="quillwork-job", daemon=True).start()
    return running


class _Execution:
    """One execution of `job`, wherever its model is."""

    def __init__(self, job: CaptionJob | FileJob, model: Model, turns: Turns, running: RunningJob) -> None:
        self._job, self._model, self._turns, self._running = job, model, turns, running
        # What is under way when it is stopped is finished, unless nobody will ever want it.
        self._is_sample = False

    def prepare(self, entries: Sequence[Any], keeper: Any, settle: Any) -> Work:
        work = Work(entries, keeper, self._ask, settle, self._running.control)
        self._running.progress = work.progress
        return work

    async def _ask(self, payloads: Sequence[Any]) -> list[Written | LLMError]:
        # In this process the model has another port to the host at each turn.
        return await self._job.asking(self._model)(payloads)

    def carry_out_sample(
        self, entries: Sequence[Any], outcomes: dict[str, Mapping[str, Any] | str]
    ) -> Progress:
        self._is_sample = True
        work = self.prepare(entries, _SampleKeeper(self._job.journal), outcomes.__setitem__)
        if entries:
            self._perform(work)
        return work.progress

    def carry_out(self, work: Work, held: contextlib.ExitStack) -> None:
        """Do the work, note its end, and let go of what it `held`. Raises nothing."""
        running = self._running
        try:
            with held:
                running.has_ended_well, end = self._end_of(work)
        except Exception as fault:  # noqa: BLE001 (the journal itself cannot be written)
            _log.error("The end of a job could not be noted (%s).", scrub(str(fault)))
            end = str(fault)
        # Not before another one may begin.
        running.end = end

    def _end_of(self, work: Work) -> tuple[bool, str]:
        """Do the work and note its end; return whether that is no error, and a sentence about it."""
        job, error, is_stopped = self._job, "", False
        try:
            if work.progress.total:
                self._perform(work)
        except Cancelled:
            is_stopped = True
        except (LLMError, JobError) as fault:
            error = str(fault)
        except Exception as fault:  # noqa: BLE001 (a fault of ours, shown without its details)
            _log.error("A job failed (%s).", scrub(f"{type(fault).__name__}: {fault}"))
            error = f"The job failed with an internal error. See the log of {program()} for details."
        try:
            job.flush()
        except JobError as fault:
            error = error or str(fault)
        if not error and not is_stopped:
            return True, job.report(time.time()).line()
        job.note_stop(error)
        progress = work.progress
        return not error, error or f"Stopped. {progress.ended:,} of {progress.in_all:,} {job.unit} are done."

    def _perform(self, work: Work) -> None:
        if self._model.runs_in_place:
            self._locally(work)
        else:
            pace = Pace(most_at_once(self._model, load().number("LLM_MAX_CONCURRENCY")))
            runner.run(work.run(pace), cancelled=self._is_abandoned)

    def _is_abandoned(self) -> bool:
        return self._is_sample and self._running.control.is_stopped

    def _locally(self, work: Work) -> None:
        """Work in turns with the host's prompts: each ends as soon as another one waits."""
        control, is_left = self._running.control, True
        while is_left:
            # What is waited for the host says nothing about the rest.
            work.progress.rest()
            while control.is_paused:
                time.sleep(_LOOK_EVERY_S)
            if control.is_stopped:
                raise Cancelled
            self._running.waits = True
            try:
                is_left = self._outcome(self._turns.take(lambda host: self._turn(work, host)))
            finally:
                self._running.waits = False
            time.sleep(_BETWEEN_TURNS_S)

    def _outcome(self, turn: concurrent.futures.Future[bool]) -> bool:
        control = self._running.control
        try:
            while not concurrent.futures.wait([turn], _LOOK_EVERY_S).done:
                if self._is_abandoned() or (self._running.waits and control.is_stopped):
                    turn.cancel()
            return turn.result()
        except concurrent.futures.CancelledError:
            raise Cancelled from None

    def _turn(self, work: Work, host: Host) -> bool:
        """Take one turn in the host's own thread; return whether entries are left."""
        running, over = self._running, time.monotonic() + _TURN_S
        control = running.control
        running.waits = False
        self._model = replace(self._model, host=host)

        def look() -> None:
            if host.cancelled():
                raise Cancelled
            if control.is_paused:
                raise _Paused

        def gives_way() -> bool:
            return control.is_stopped or time.monotonic() > over or self._turns.others_wait()

        try:
            return work.run_in_place(_AT_ONCE_HERE, look, gives_way)
        except _Paused:
            return True


class _Paused(Exception):
    """The job was paused: its turn ends, so that the host need not wait for it to go on."""


class _SampleKeeper:
    """Journal of a preview: texts are kept by their question, and belong to no picture yet."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def text(self, key: str) -> dict[str, Any] | None:
        return self._journal.text(key)

    def failures(self) -> dict[str, str]:
        return {}

    def write(self, name: str, stamp: str, key: str, written: Mapping[str, Any]) -> None:
        self._journal.remember(key, written)

    def fail(self, name: str, error: str) -> None:
        pass

"""Run of Caption Folder: a job as the command line has it, in the host's queue."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ...config.choice import Choice
from ...config.settings.home import home, targets_folder
from ...config.settings.values import load
from ...llm_backends.errors import LLMError
from ...llm_backends.model import Model
from ...prompting import targets
from ...prompting.jobs.caption_job import CaptionJob, CaptionOrder, Report, describing, most_at_once
from ...prompting.jobs.captions import Wishes, split_words
from ...prompting.jobs.control import RunningJob, announced
from ...prompting.jobs.journal import JobError
from ...prompting.jobs.pace import Pace
from ...prompting.jobs.picture_readers import PictureReaders
from ...prompting.jobs.work import Progress, Work
from ...prompting.report import report as report_of
from ...prompting.tasks import Existing, SaveAs
from .. import inputs
from ..host.picture_folder import picture_folder
from ..host.port import PromptOver
from .running import Run, answer, record_of

_AT_ONCE_HERE = 4
_ENDED_WITHIN_S = 5.0
_MOST_LISTED = 20


async def caption_folder(
    node: Any,
    *,
    folder: str,
    target: str,
    always: str,
    never: str,
    wishes: Mapping[str, Any],
    existing: Existing,
    save_as: SaveAs,
    with_subfolders: bool,
    with_videos: bool,
    limit: int,
    seed: int,
    choice: Choice,
) -> io.NodeOutput:
    """Return the node's outputs once every image has its caption or has failed."""
    run = Run(node)
    try:
        place = picture_folder(folder)
        wanted = Wishes(
            target=None if target == inputs.AUTO else targets.load(target, targets_folder()),
            always=split_words(always),
            never=split_words(never),
            **wishes,
        )
        order = CaptionOrder(
            folder, place, wanted, existing, save_as, with_subfolders, with_videos, limit, seed
        )
        model = run.open_model(choice)
        with order.opened(home() / "jobs", model) as job:
            job.journal.note(kind="caption", what=str(place), began=time.time(), ended=None, error="")
            return await _Execution(run, model, job).carry_out(seed)
    except (LLMError, JobError) as error:
        raise error.with_traceback(None) from None
    except PromptOver:
        return io.NodeOutput(0, 0, 0, "")


class _Execution:
    """One execution of the job, which shows its progress on the node."""

    def __init__(self, run: Run, model: Model, job: CaptionJob) -> None:
        self._run, self._model, self._job = run, model, job
        self._remarks: list[str] = []
        job.say = self._remarks.append
        self._ended = threading.Event()
        self._ended.set()

    async def carry_out(self, seed: int) -> io.NodeOutput:
        job, journal = self._job, self._job.journal
        running = RunningJob(journal.id, "caption", str(job.pictures[0].folder))

        def settle(name: str, outcome: Mapping[str, Any] | str) -> None:
            job.settle(name, outcome)
            self._show(work.progress)

        with PictureReaders(0 if self._model.runs_in_place else len(job.pictures)) as readers:
            entries = job.entries(seed, readers.read)
            work = Work(entries, journal, describing(self._model), settle, running.control)
            work.progress.before = job.before
            running.progress = work.progress
            is_over = False
            try:
                if work.progress.total:
                    self._show(work.progress)
                    with announced(running):
                        await self._perform(work)
                is_over = True
            finally:
                job.flush()
                if not is_over:
                    # What ended it counts, the host's interrupt above all.
                    with contextlib.suppress(JobError):
                        job.note_stop("")
        return self._answer(job.report(time.time()), work.progress, seed)

    async def _perform(self, work: Work) -> None:
        model = self._model
        try:
            await self._run.perform(
                self._locally(work) if model.runs_in_place else self._remotely(work), model
            )
        except LLMError as error:
            progress = work.progress
            error.hint = (
                f"{error.hint} {progress.before + progress.done:,} of {progress.in_all:,} images have their "
                "caption; the next run continues."
            )
            raise
        finally:
            # The journal is closed next: what still writes in it has to end first.
            self._ended.wait(_ENDED_WITHIN_S)

    async def _locally(self, work: Work) -> None:
        work.run_in_place(_AT_ONCE_HERE, self._run.look_up)

    async def _remotely(self, work: Work) -> None:
        self._ended.clear()
        try:
            await work.run(Pace(most_at_once(self._model, load().number("LLM_MAX_CONCURRENCY"))))
        finally:
            self._ended.set()

    def _show(self, progress: Progress) -> None:
        self._run.announce(progress.line(), progress.ended / max(1, progress.in_all))

    def _answer(self, report: Report, progress: Progress, seed: int) -> io.NodeOutput:
        summary = report.line()
        remarks = [*_failures(report), *self._remarks]
        info = report_of([], self._model.deployment, progress.seconds, remarks[:_MOST_LISTED])
        info |= {"cost_usd": progress.cost_usd, "finish_reason": "stop"}
        # Names of files stay out of what a workflow is saved with.
        record = record_of("captions", [summary], info, seed)
        text = "\n".join([summary, *remarks])
        return answer(record, info, report.written, report.kept, len(report.failures), text)


def _failures(report: Report) -> list[str]:
    return [f"{name}: {said}" for name, said in report.failures.items()]

"""The running of a job from the command line: its journal, its progress, its end."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ....config.settings.home import home
from ....config.settings.values import load
from ....llm_backends import errors
from ....llm_backends.model import Model
from ....llm_backends.remote.batches.service import BatchService
from ....llm_backends.runner import runner
from ....prompting.jobs.batches import Asking, BatchWork
from ....prompting.jobs.caption_job import most_at_once
from ....prompting.jobs.journal import JobError, Journal, journal_file
from ....prompting.jobs.pace import Pace
from ....prompting.jobs.work import Entry, Progress, Work
from .progress_display import ProgressDisplay

SOME_FAILED = 3
_AT_ONCE_HERE = 4
_MOST_LISTED = 20


class Stopped(Exception):
    """The user has stopped the job and was told how it goes on."""


def carry_out(
    entries: Sequence[Entry],
    journal: Journal,
    asking: Asking,
    model: Model,
    settle: Callable[[str, Mapping[str, Any] | str], None],
    service: BatchService | None = None,
    before: int = 0,
) -> Progress:
    """Ask `model` for `entries`, with a `service` in batches of it; so many others were there `before`.

    Raises `Stopped`, or the `LLMError` that ended the job.
    """
    if service is not None:
        work: Work = BatchWork(entries, journal, asking, model, service, settle, time.time, say)
    else:
        work = Work(entries, journal, asking(model), settle)
    work.progress.before = before
    display = ProgressDisplay(work.progress)
    try:
        if model.runs_in_place:
            work.run_in_place(_AT_ONCE_HERE, display.tick)
        elif entries:
            runner.run(
                work.run(Pace(most_at_once(model, load().number("LLM_MAX_CONCURRENCY")))),
                on_tick=display.tick,
            )
    except (KeyboardInterrupt, errors.Cancelled, errors.LLMError) as ended:
        display.end()
        say(
            f"Stopped after {work.progress.ended:,} of {work.progress.in_all:,}. Run the same command to go "
            f"on, or `python . jobs resume {journal.id}`."
        )
        if service is not None and journal.batches.open():
            say(f"The batch goes on at {service.label}: either of the two fetches its answers.")
        if isinstance(ended, errors.LLMError):
            raise
        raise Stopped from None
    finally:
        display.end()
    return work.progress


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def jobs_folder() -> Path:
    return home() / "jobs"


@contextlib.contextmanager
def job_journal(job_id: str, kind: str, options: argparse.Namespace, what: str) -> Iterator[Journal]:
    """Open the journal `job_id`, with the arguments that resume the job.

    Raises `JobError` where its questions wait in a batch and are to be asked at once.
    """
    with Journal(journal_file(jobs_folder(), job_id)) as journal:
        waiting = sum(batch.total for batch in journal.batches.open())
        if waiting and options.cheap != "batch":
            raise JobError(
                f"{waiting} questions of this job wait in a batch, which is paid for. Add --when-cheap to "
                "fetch the answers."
            )
        journal.note(kind=kind, what=what, arguments=options.arguments, began=time.time(), ended=None)
        yield journal


def list_failures(failures: Mapping[str, str], job_id: str) -> None:
    if not failures:
        return
    print(f"{len(failures)} failed:", file=sys.stderr)
    for name, said in list(failures.items())[:_MOST_LISTED]:
        # A name may hold line breaks, and signs by which a terminal is steered.
        shown = "".join(sign if sign.isprintable() else "�" for sign in name)
        print(f"  {shown}: {said}", file=sys.stderr)
    if len(failures) > _MOST_LISTED:
        print(f"  … all of them: python . jobs show {job_id}", file=sys.stderr)
    print("Run the same command to try them once more.", file=sys.stderr)

"""The running of a job from the command line: its journal, its progress, its end."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from ....config.settings.home import home
from ....config.settings.values import load
from ....llm_backends import errors
from ....llm_backends.model import Model
from ....llm_backends.runner import runner
from ....prompting.jobs.caption_job import most_at_once
from ....prompting.jobs.journal import Journal, journal_file
from ....prompting.jobs.pace import Pace
from ....prompting.jobs.work import Ask, Entry, Progress, Work

SOME_FAILED = 3
_AT_ONCE_HERE = 4
_SHOW_EVERY_S, _LINE_EVERY_S = 0.2, 10.0
_MOST_LISTED = 20


def carry_out(
    entries: Sequence[Entry],
    journal: Journal,
    ask: Ask,
    model: Model,
    settle: Callable[[str, Mapping[str, Any] | str], None],
) -> Progress:
    work = Work(entries, journal, ask, settle)
    display = _Display(work.progress)
    try:
        if model.runs_in_place:
            work.run_in_place(_AT_ONCE_HERE)
        elif entries:
            runner.run(
                work.run(Pace(most_at_once(model, load().number("LLM_MAX_CONCURRENCY")))),
                on_tick=display.tick,
            )
    except (KeyboardInterrupt, errors.Cancelled, errors.LLMError):
        display.end()
        done = work.progress.done + work.progress.failed
        print(
            f"Stopped after {done} of {work.progress.total}. Run the same command to go on, or "
            f"`python . jobs resume {journal.id}`.",
            file=sys.stderr,
        )
        raise
    finally:
        display.end()
    return work.progress


class _Display:
    """The progress of a job: on one line of a terminal, elsewhere a line every ten seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._is_there = sys.stderr is not None and sys.stderr.isatty()
        self._every = _SHOW_EVERY_S if self._is_there else _LINE_EVERY_S
        self._shown = time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._shown < self._every or sys.stderr is None:
            return
        self._shown = now
        done = self._progress.done + self._progress.failed
        parts = [
            f"{done} of {self._progress.total}",
            f"{self._progress.rate:.1f}/s",
            f"{self._progress.at_once} at once",
        ]
        if (left := self._progress.left_s) is not None:
            parts.append(f"{spoken_time(left)} left")
        if self._progress.cost_usd:
            parts.append(f"${self._progress.cost_usd:.4f}")
        if self._progress.failed:
            parts.append(f"{self._progress.failed} failed")
        line = " · ".join(parts)
        print(
            f"\r\033[2K{line}" if self._is_there else line,
            end="" if self._is_there else "\n",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        if self._is_there:
            print("\r\033[2K", end="", file=sys.stderr, flush=True)


def jobs_folder() -> Path:
    return home() / "jobs"


@contextlib.contextmanager
def job_journal(job_id: str, kind: str, options: argparse.Namespace, what: str) -> Iterator[Journal]:
    """Open the journal `job_id`, with the arguments that resume the job."""
    with Journal(journal_file(jobs_folder(), job_id)) as journal:
        journal.note(kind=kind, what=what, arguments=options.arguments, began=time.time(), ended=None)
        yield journal


def list_failures(failures: Mapping[str, str], job_id: str) -> None:
    if not failures:
        return
    print(f"{len(failures)} failed:", file=sys.stderr)
    for name, said in list(failures.items())[:_MOST_LISTED]:
        print(f"  {name}: {said}", file=sys.stderr)
    if len(failures) > _MOST_LISTED:
        print(f"  … all of them: python . jobs show {job_id}", file=sys.stderr)
    print("Run the same command to try them once more.", file=sys.stderr)


def spoken_time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))

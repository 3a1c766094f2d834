"""Command caption: a text beside each picture of a folder."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ....config.settings.home import targets_folder
from ....llm_backends.model import Model
from ....llm_backends.remote.batches.offers import SHARE
from ....llm_backends.remote.batches.service import BatchService
from ....prompting import targets
from ....prompting.jobs import captions
from ....prompting.jobs.caption_job import SHOWN, CaptionJob, caption_job_id, describing
from ....prompting.jobs.caption_places import TextFiles, place_for
from ....prompting.jobs.cheap import cheaper
from ....prompting.jobs.journal import JobError, hold_place
from ....prompting.jobs.picture_readers import PictureReaders
from ....prompting.jobs.work import Entry, Progress, spoken_time
from ..writing import open_chosen, print_json
from .carry_out import SOME_FAILED, carry_out, job_journal, jobs_folder, list_failures, say

CANCELLED = 130
# Pictures above which a job does not begin unasked.
_UNASKED = 20


def caption_command(options: argparse.Namespace) -> int:
    folder = Path(options.folder).expanduser().resolve()
    options.arguments = [str(folder) if word == options.folder else word for word in options.arguments]
    wishes = captions.Wishes(
        target=targets.load(options.target, targets_folder()) if options.target else None,
        instruction=options.instruction,
        trigger=options.trigger,
        omit=options.omit,
        always=captions.split_words(options.always),
        never=captions.split_words(options.never),
        form=options.form,
        words=options.words,
        hint=options.hint,
    )
    suffix = f".{options.suffix.lstrip('.')}" if options.suffix else ""
    place = TextFiles(suffix) if suffix else place_for(options.save_as, folder)
    found = captions.find_pictures(
        folder, place.suffix, with_subfolders=options.subfolders, with_videos=options.videos
    )
    if not found:
        raise JobError(f"{folder} holds no images. Name the folder that they are in, or add --subfolders.")
    model, service = cheaper(open_chosen(options, "caption, command line"), options.cheap)
    job_id = caption_job_id(folder, wishes, suffix or options.save_as, options.existing, options.seed, model)
    pictures = captions.in_order(found)[: options.limit] if options.limit else found
    with (
        hold_place(jobs_folder(), folder),
        job_journal(job_id, "caption", options, str(folder)) as journal,
        PictureReaders(0 if model.runs_in_place else len(pictures)) as readers,
    ):
        job = CaptionJob(wishes, options.existing, journal, pictures, place, say)
        run = _Run(job, model, service)
        entries = job.entries(options.seed, readers.read)
        first, rest = entries[:SHOWN], entries[SHOWN:]
        if rest and not options.yes and not journal.batches.open():
            if not sys.stdin.isatty() and len(rest) > _UNASKED:
                raise JobError(
                    f"{len(entries)} images are to be captioned. Add --yes to begin, or --limit N."
                )
            run.carry_out(first, at_once=True)
            if sys.stdin.isatty() and not run.goes_on(len(rest)):
                return CANCELLED
            entries = rest
        run.carry_out(entries)
        return run.report(options)


class _Run:
    """One run of `caption`, with its sample of texts, its question and its report."""

    def __init__(self, job: CaptionJob, model: Model, service: BatchService | None) -> None:
        self._job, self._model, self._service = job, model, service
        self._runs: list[Progress] = []

    def carry_out(self, entries: Sequence[Entry], *, at_once: bool = False) -> None:
        """Caption `entries`, where that is wanted in batches and not `at_once`."""
        job, service = self._job, None if at_once else self._service
        # The few that are shown first are a run of their own.
        before = 0 if at_once else job.before + sum(run.total for run in self._runs)
        try:
            self._runs.append(
                carry_out(entries, job.journal, describing, self._model, job.settle, service, before)
            )
        finally:
            job.flush()

    def goes_on(self, left: int) -> bool:
        """Show the first texts, and ask whether the rest is wanted."""
        print("\n".join(f"{name}\n    {text}" for name, text in self._job.shown))
        run = self._runs[-1]
        ended = max(1, run.done + run.failed)
        seconds = run.seconds / ended * left
        share = SHARE if self._service else 1.0
        cost = f" and ${run.cost_usd / ended * left * share:.2f}" if run.cost_usd else ""
        time_left = (
            "as a batch at half the price, within 24 hours"
            if self._service
            else f"at most about {spoken_time(seconds)}"
        )
        return input(f"{left} more images, {time_left}{cost}. Go on? [y/N] ").strip().lower() in ("y", "yes")

    def report(self, options: argparse.Namespace) -> int:
        report, job_id = self._job.report(time.time()), self._job.journal.id
        if options.json:
            failed = [{"file": name, "error": said} for name, said in report.failures.items()]
            print_json(
                {
                    "job": job_id,
                    "written": report.written,
                    "kept": report.kept,
                    "failed": failed,
                    "calls": sum(run.called for run in self._runs),
                    "cost_usd": sum(run.cost_usd for run in self._runs),
                }
            )
        else:
            print(f"{report.summary()}.")
            list_failures(report.failures, job_id)
        return SOME_FAILED if report.failures else 0

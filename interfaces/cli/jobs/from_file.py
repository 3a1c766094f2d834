"""Commands enhance and variables with --file: one result for each line."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ....config.opening import library_folders
from ....config.settings.home import targets_folder
from ....llm_backends.model import Model
from ....llm_backends.remote.batches.service import BatchService
from ....prompting.jobs.cheap import cheaper
from ....prompting.jobs.file_job import FileJob
from ....prompting.jobs.journal import JobError, digest, hold_place
from ....prompting.jobs.line_tasks import (
    IDEAS,
    NAMES,
    IdeaOptions,
    LineTasks,
    ValueOptions,
    prompts_for,
    values_for,
)
from ....prompting.jobs.lines import place_of, read_lines
from ....prompting.templates.library import Library
from ..writing import open_chosen, print_json
from .carry_out import SOME_FAILED, carry_out, job_journal, jobs_folder, list_failures


def enhance_file_command(options: argparse.Namespace) -> int:
    """Enhance each line of --file into --out."""
    lines = read_lines(options.file, sys.stdin, IDEAS)
    model, service = cheaper(open_chosen(options, "enhance, file"), options.cheap)
    wanted = IdeaOptions(
        target=options.target,
        instruction=options.instruction,
        variations=options.variations,
        seed=options.seed,
        duration=options.duration,
        aspect=options.aspect,
        language=options.language,
        reference_roles=options.reference_role,
        on_error=options.on_error,
    )
    tasks = prompts_for(lines, options.file, wanted, targets_folder())
    return _from_file(options, tasks, model, service)


def variables_file_command(options: argparse.Namespace) -> int:
    """Generate values for each name of --file into --out."""
    lines = read_lines(options.file, sys.stdin, NAMES)
    model, service = cheaper(open_chosen(options, "variables, file"), options.cheap)
    library = Library(*library_folders())

    def existing(name: str) -> tuple[str, ...]:
        return library.values(name) if options.save and library.exists(name) else ()

    wanted = ValueOptions(options.count, options.context, options.guidance, options.creativity, options.seed)
    return _from_file(options, values_for(lines, options.file, wanted, existing), model, service)


def _from_file(
    options: argparse.Namespace, tasks: LineTasks, model: Model, service: BatchService | None
) -> int:
    out = Path(options.out).expanduser().resolve()
    source = options.file if options.file == "-" else str(Path(options.file).expanduser().resolve())
    if source == str(out):
        raise JobError(f"{out} is read and would be written. Name another file with --out.")
    full = {options.file: source, options.out: str(out)}
    options.arguments = [full.get(word, word) for word in options.arguments]
    model_name = model.deployment.name
    job_id = f"{tasks.kind}-{digest(str(out), source, model_name)[:8]}"
    with hold_place(jobs_folder(), out), job_journal(job_id, tasks.kind, options, source) as journal:
        job = FileJob(tasks, journal, out, model_name)
        try:
            entries = job.entries()
            progress = carry_out(entries, journal, job.asking, model, job.settle, service, job.before)
        finally:
            job.flush()
        report = job.report(time.time())
    if options.json:
        failed = [{"line": int(name), "error": said} for name, said in report.failures.items()]
        print_json(
            {
                "job": journal.id,
                "written": report.written,
                "failed": failed,
                "calls": progress.called,
                "cost_usd": progress.cost_usd,
            }
        )
    else:
        warned = f" ({report.warned} with warnings)" if report.warned else ""
        unit = place_of(0, source).partition(" ")[0]
        print(f"{report.written} of {report.total} {unit}s are written to {out}{warned}.")
        list_failures({tasks.place(name): said for name, said in report.failures.items()}, journal.id)
    return SOME_FAILED if report.failures else 0

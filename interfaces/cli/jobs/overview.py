"""Command jobs: the jobs that there are."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import asdict
from pathlib import Path

from ....prompting.jobs.journal import JobError, Journal, journal_file, journals, remove
from ....prompting.jobs.lines import by_place
from ..tables import print_table
from ..writing import print_json
from .carry_out import jobs_folder, list_failures


def jobs_command(options: argparse.Namespace) -> int:
    folder = jobs_folder()
    match options.what:
        case "list":
            return _list(folder, options)
        case "clean":
            return _clean(folder)
    return _show(_file_of(options), options)


def _list(folder: Path, options: argparse.Namespace) -> int:
    rows, found = [], []
    for file in journals(folder):
        try:
            with Journal(file) as journal:
                about, failed = journal.about, len(journal.failures())
                waiting = sum(batch.total for batch in journal.batches.open())
        except JobError as error:
            rows.append((file.stem, "", "", str(error)))
            continue
        if not about:
            continue  # a page has shown a preview of it, and nothing more
        if waiting:
            state = f"waiting for {waiting} answers"
        elif failed:
            state = f"{failed} failed"
        else:
            state = "done" if about.get("ended") else "stopped"
        found.append({"id": file.stem, "state": state, "failed": failed, **about})
        rows.append((file.stem, about.get("kind", ""), state, about.get("what", "")))
    if options.json:
        print_json({"jobs": found})
    elif rows:
        print_table(rows)
    else:
        print("There are no jobs. `python . caption FOLDER` begins one.")
    return 0


def _show(file: Path, options: argparse.Namespace) -> int:
    with Journal(file) as journal:
        about, failures, written = journal.about, journal.failures(), len(journal.stamps())
        batches = journal.batches.open()
    if options.json:
        waiting = [asdict(batch) for batch in batches]
        print_json({"id": file.stem, **about, "written": written, "failures": failures, "batches": waiting})
        return 0
    print(f"{file.stem}: {about.get('kind', '')} {about.get('what', '')}")
    if arguments := about.get("arguments"):
        print(f"Command: python . {' '.join(arguments)}")
    total = about.get("total")
    print(f"Written: {written}" + (f" of {total}" if total else ""))
    for batch in batches:
        print(
            f"Batch {batch.id or batch.tag}: {batch.state}, {batch.answered} of {batch.total} answered when "
            f"last seen. `python . jobs resume {file.stem}` fetches the answers."
        )
    list_failures(by_place(failures, about), file.stem)
    return 0


def _clean(folder: Path) -> int:
    """Remove the journals of jobs that are done, and of those that have never begun."""
    removed = 0
    for file in journals(folder):
        with contextlib.suppress(JobError):
            with Journal(file) as journal:
                about = journal.about
                is_done = not about or (bool(about.get("ended")) and not journal.failures())
            if is_done:
                remove(file)
                removed += 1
    print(f"{removed} journals of finished jobs were removed.")
    return 0


def arguments_of(options: argparse.Namespace) -> list[str]:
    """Return the arguments with which the job was begun, which resume it."""
    with Journal(_file_of(options)) as journal:
        arguments: list[str] | None = journal.about.get("arguments")
    if arguments is None:
        raise JobError(
            f"Job {options.id} was started in ComfyUI or a web UI. Start it there again to resume it."
        )
    return arguments


def _file_of(options: argparse.Namespace) -> Path:
    folder = jobs_folder()
    if not options.id:
        raise JobError(f"Which job? Run `python . jobs {options.what} ID`; `python . jobs` lists them.")
    file = journal_file(folder, options.id)
    if not file.exists():
        raise JobError(f"There is no job {options.id}. `python . jobs` lists those that there are.")
    return file

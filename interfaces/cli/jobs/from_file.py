"""Commands enhance and variables with --file: one result for each line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ....config.opening import library_folders
from ....config.settings.home import targets_folder
from ....llm_backends.errors import LLMError
from ....llm_backends.model import Model
from ....llm_backends.remote.batches.service import BatchService
from ....prompting import targets
from ....prompting.briefs.reading import UnreadableBrief, read_brief
from ....prompting.enhance import Idea, enhance
from ....prompting.generate_values import invent
from ....prompting.jobs.batches import Asking
from ....prompting.jobs.caption_job import quiet
from ....prompting.jobs.cheap import cheaper
from ....prompting.jobs.journal import JobError, digest, hold_place
from ....prompting.jobs.lines import Line, Results, read_lines
from ....prompting.jobs.work import Ask, Entry, Question, Written
from ....prompting.tasks import MOST_VARIATIONS, Brief, VariablesTask
from ....prompting.templates.library import Library
from ..writing import open_chosen, print_json
from .carry_out import SOME_FAILED, carry_out, job_journal, jobs_folder, list_failures

# Columns that are options, too.
_BRIEF = ("duration", "aspect", "language")


def enhance_file_command(options: argparse.Namespace) -> int:
    """Enhance each line of --file into --out."""
    lines = read_lines(options.file, sys.stdin, ("idea", "prompt", "text"))
    model, service = cheaper(open_chosen(options, "enhance, file"), options.cheap)
    loaded: dict[str, targets.Target] = {}

    def idea_of(line: Line) -> Idea:
        name = str(line.more.get("target") or options.target)
        if name not in loaded:
            try:
                loaded[name] = targets.load(name, targets_folder())
            except ValueError as error:
                where = f"Line {line.number}: " if line.more.get("target") else ""
                raise JobError(f"{where}{error}") from None
        return Idea(
            prompt=line.text,
            target=loaded[name],
            instruction=str(line.more.get("instruction") or options.instruction),
            variations=int(line.more.get("variations", options.variations)),
            seed=int(line.more.get("seed", options.seed)),
            brief=_brief_of(line, options),
        )

    ideas = {_name(line): idea_of(line) for line in lines}
    for line in lines:
        if not 1 <= ideas[_name(line)].variations <= MOST_VARIATIONS:
            raise JobError(f"Line {line.number}: variations is not 1 to {MOST_VARIATIONS}.")

    def asking(model: Model) -> Ask:
        async def ask(payloads: Sequence[Idea]) -> list[Written | LLMError]:
            enhanced = await enhance(payloads, quiet(model), options.on_error)
            pairs = iter(zip(enhanced.prompts, enhanced.negatives, strict=True))
            cost = enhanced.info["cost_usd"]
            written: list[Written | LLMError] = []
            for idea in payloads:
                texts = [next(pairs) for _ in range(idea.variations)]
                content = {"texts": texts, "warnings": enhanced.info["warnings"]}
                written.append(Written(content, cost and cost / len(payloads)))
            return written

        return ask

    def rows(line: Line, outcome: Mapping[str, Any] | str) -> list[dict[str, Any]]:
        row = {"line": line.number, "idea": line.text}
        if isinstance(outcome, str):
            return [{**row, "prompt": None, "negative": None, "error": outcome}]
        return [
            {**row, "prompt": prompt, "negative": negative, "error": None}
            for prompt, negative in outcome["texts"]
        ]

    columns = ("line", "idea", "prompt", "negative", "error")
    return _from_file(options, "enhance", lines, ideas, asking, rows, columns, model, service)


def variables_file_command(options: argparse.Namespace) -> int:
    """Generate values for each name of --file into --out."""
    lines = read_lines(options.file, sys.stdin, ("name", "variable"))
    model, service = cheaper(open_chosen(options, "variables, file"), options.cheap)
    library = Library(*library_folders())

    def task_of(line: Line) -> VariablesTask:
        return VariablesTask(
            name=line.text,
            count=int(line.more.get("count", options.count)),
            context=str(line.more.get("context") or options.context),
            guidance=str(line.more.get("guidance") or options.guidance),
            creativity=options.creativity,
            existing=library.values(line.text) if options.save and library.exists(line.text) else (),
            seed=int(line.more.get("seed", options.seed)),
        )

    def asking(model: Model) -> Ask:
        async def ask(payloads: Sequence[VariablesTask]) -> list[Written | LLMError]:
            written: list[Written | LLMError] = []
            for task in payloads:
                invented = await invent(task, quiet(model))
                content = {"values": invented.values, "warnings": invented.info["warnings"]}
                written.append(Written(content, invented.info["cost_usd"]))
            return written

        return ask

    def rows(line: Line, outcome: Mapping[str, Any] | str) -> list[dict[str, Any]]:
        row = {"line": line.number, "name": line.text}
        if isinstance(outcome, str):
            return [{**row, "values": None, "error": outcome}]
        return [{**row, "values": outcome["values"], "error": None}]

    tasks = {_name(line): task_of(line) for line in lines}
    columns = ("line", "name", "values", "error")
    return _from_file(options, "variables", lines, tasks, asking, rows, columns, model, service)


def _brief_of(line: Line, options: argparse.Namespace) -> Brief:
    given = {name: line.more.get(name) or getattr(options, name) for name in _BRIEF}
    # The option's name has no s, as it is given once for each image.
    roles = line.more.get("reference_roles") or line.more.get("reference_role") or options.reference_role
    try:
        return read_brief(**given, reference_roles=roles)
    except UnreadableBrief as error:
        raise JobError(f"Line {line.number}: {error}") from None


def _from_file(
    options: argparse.Namespace,
    kind: str,
    lines: Sequence[Line],
    payloads: Mapping[str, Any],
    asking: Asking,
    rows: Callable[[Line, Mapping[str, Any] | str], list[dict[str, Any]]],
    columns: Sequence[str],
    model: Model,
    service: BatchService | None,
) -> int:
    out = Path(options.out).expanduser().resolve()
    source = options.file if options.file == "-" else str(Path(options.file).expanduser().resolve())
    if source == str(out):
        raise JobError(f"{out} is read and would be written. Name another file with --out.")
    by_name = {_name(line): line for line in lines}
    full = {options.file: source, options.out: str(out)}
    options.arguments = [full.get(word, word) for word in options.arguments]
    job_id = f"{kind}-{digest(str(out), source, model.deployment.name)[:8]}"
    with hold_place(jobs_folder(), out), job_journal(job_id, kind, options, source) as journal:
        stamps = {name: digest(payload, model.deployment.name) for name, payload in payloads.items()}
        known = journal.stamps()
        texts = journal.texts()
        results = Results(out, columns, by_name)
        failures = dict[str, str]()

        def settle(name: str, outcome: Mapping[str, Any] | str) -> None:
            if isinstance(outcome, str):
                failures[name] = outcome
            results.add(name, rows(by_name[name], outcome))

        try:
            entries = []
            for name, payload in payloads.items():
                if known.get(name) == stamps[name]:
                    settle(name, texts[name])
                else:
                    entries.append(Entry(name, stamps[name], _asked(stamps[name], payload)))
            before = len(payloads) - len(entries)
            progress = carry_out(entries, journal, asking, model, settle, service, before)
        finally:
            results.close()
        done = len(lines) - len(failures)
        journal.note(written=done, failed=len(failures), total=len(lines), ended=time.time())
    if options.json:
        failed = [{"line": int(name), "error": said} for name, said in failures.items()]
        print_json(
            {
                "job": journal.id,
                "written": done,
                "failed": failed,
                "calls": progress.called,
                "cost_usd": progress.cost_usd,
            }
        )
    else:
        print(f"{done} of {len(lines)} lines are written to {out}.")
        list_failures({f"line {name}": said for name, said in failures.items()}, journal.id)
    return SOME_FAILED if failures else 0


def _asked(key: str, payload: Any) -> Callable[[], Question]:
    return lambda: Question(key, payload)


def _name(line: Line) -> str:
    return str(line.number)

"""Run of Generate Variables."""

from __future__ import annotations

import json
from typing import Any

from comfy_api.latest import io

from ...config.choice import Choice
from ...prompting.generate_values import Invented, invent
from ...prompting.tasks import VariablesTask
from ...prompting.templates.library import Library, LibraryError
from ...prompting.templates.missing import keep
from ...prompting.templates.named_values import NamedText
from .. import inputs
from ..host.port import PromptOver
from .library_marks import open_library
from .running import Run, answer, frozen_lists, no_call_info, record_of, report_json


async def invent_values(
    node: Any,
    *,
    name: str,
    context: Any,
    count: int,
    guidance: Any,
    creativity: Any,
    adds: bool,
    seed: int,
    choice: Choice,
    frozen: str | None,
    existing: Any,
) -> io.NodeOutput:
    """Return the node's outputs; with `adds` the values also go into the library.

    `frozen` is None unless it is to be the answer.
    """
    run = Run(node)
    if frozen is not None:
        values = frozen_lists(frozen, "values")["values"]
        return _answer(run, Invented(values, no_call_info("frozen")), name, seed)
    library = open_library()
    task = VariablesTask(
        name=name,
        count=count,
        context="\n".join(text for text in inputs.every(context) if text),
        guidance="\n".join(text for text in inputs.every(guidance) if text),
        creativity=creativity,
        existing=(*_listed(existing), *(_saved(library, name) if adds else ())),
        seed=seed,
    )
    model = run.open_model(choice)
    try:
        invented = await run.perform(invent(task, model), model)
    except PromptOver:
        return io.NodeOutput([], "", "", "")
    if adds:
        _save(library, task, invented)
    return _answer(run, invented, name, seed)


def _listed(existing: Any) -> tuple[str, ...]:
    """Read values from a wired list, or from one text with a value on each line (the node's `text`)."""
    lines = (line for item in inputs.every(existing) if item for line in str(item).splitlines())
    return tuple(line.strip() for line in lines if line.strip())


def _saved(library: Library, name: str) -> tuple[str, ...]:
    try:
        return library.values(name) if library.exists(name) else ()
    except LibraryError:
        return ()


def _save(library: Library, task: VariablesTask, invented: Invented) -> None:
    """Add the values to the library; a failure does not lose them, and the report mentions it."""
    try:
        keep(library, task.name, invented.values, task.context)
    except LibraryError as error:
        invented.info["warnings"].append(f"The values were not saved: {error}")


def _answer(run: Run, invented: Invented, name: str, seed: int) -> io.NodeOutput:
    """Build the outputs. To Resolve Variables each of the first three says which variable it is for."""
    values, info = invented.values, invented.info
    record = record_of("variables", values, info, seed, values=values, frozen={"values": values})
    run.note(record, invented.is_substitute)
    each = [NamedText(value, name, [value]) for value in values]
    text = NamedText("\n".join(values), name, values)
    as_json = NamedText(json.dumps(values, ensure_ascii=False), name, values)
    return answer(record, info, each, text, as_json, report_json(info))

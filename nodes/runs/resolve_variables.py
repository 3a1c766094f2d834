"""Run of Resolve Variables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from comfy_api.latest import io

from ...config.choice import Choice
from ...prompting.templates.library import Library
from ...prompting.templates.missing import Supplied, supply_missing
from ...prompting.templates.named_values import name_values
from ...prompting.templates.resolve import missing_variables, resolve, variables_behind
from .. import inputs
from ..host.port import PromptOver
from .library_marks import marks, open_library
from .running import Run, answer, no_call_info, record_of


def files_behind(node_id: object, template: Any) -> str:
    """Return, for the host's cache, the state of the library files that `template` reads."""
    library = open_library()
    texts = [text for text in inputs.every(template) if isinstance(text, str)]
    return marks.signature(node_id, library, _names(texts, library))


async def fill(
    node: Any,
    *,
    template: Any,
    selection: Any,
    count: Any,
    seed: Any,
    generates_missing: bool,
    choice: Choice,
    values: Any = None,
    no_repeats: bool = False,
) -> io.NodeOutput:
    """Return the node's outputs.

    Templates, selections, counts and seeds come as lists, `values` as one list for each wire.
    """
    run = Run(node)
    library = open_library()
    texts = [text or "" for text in inputs.every(template)]
    first_seed = inputs.one(seed, 0)
    given, unused = name_values(_wires(values), _names(texts, library), library.exists)
    marks.did_not_read(run.node_id, given)
    supplied = Supplied()
    if generates_missing:
        names = _distinct(name for text in texts for name in missing_variables(text, library, given))
        if names:
            before = {name: library.signature([name]) for name in names}
            model = run.open_model(choice)
            asking = supply_missing(names, "\n".join(texts), library, model, first_seed)
            try:
                supplied = await run.perform(asking, model)
            except PromptOver:
                return io.NodeOutput([], [])
            marks.wrote(run.node_id, library, before)
    prompts: list[str] = []
    picks: list[str] = []
    info = no_call_info("template") if not supplied.reports else dict(supplied.reports[0])
    warnings = [*unused, *(warning for report in supplied.reports for warning in report["warnings"])]
    for place, text in enumerate(texts):
        resolved = resolve(
            text,
            library,
            selection=inputs.at(selection, place, "random"),
            count=inputs.at(count, place, 1),
            seed=inputs.at(seed, place, 0),
            extra_values={**supplied.values, **given},
            no_repeats=no_repeats,
        )
        prompts += resolved.prompts
        picks += [json.dumps(pick, ensure_ascii=False) for pick in resolved.picks]
        warnings += resolved.warnings
    info["warnings"] = list(dict.fromkeys(warnings))
    record = record_of("resolve", prompts, info, first_seed)
    run.note(record, supplied.is_substitute)
    return answer(record, info, prompts, picks)


def _wires(values: Any) -> list[Any]:
    """Return the values of each wire. A prompt from a program may have a single wire at `values` itself."""
    return list(values.values()) if isinstance(values, dict) else [values]


def _names(texts: Sequence[str], library: Library) -> list[str]:
    return _distinct(name for text in texts for name in variables_behind(text, library))


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))

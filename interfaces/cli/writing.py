"""Commands that write: enhance, variables, resolve."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from ...config.choice import Choice
from ...config.opening import lacks_model, library_folders, no_model_notice, open_model
from ...config.settings.home import targets_folder
from ...llm_backends import modes
from ...llm_backends.host import NullHost
from ...llm_backends.model import Model
from ...llm_backends.runner import run_in_place, runner
from ...llm_backends.streaming.live import LiveText
from ...prompting import targets
from ...prompting.briefs.reading import read_brief
from ...prompting.enhance import Enhanced, Idea, enhance, open_or_substitute
from ...prompting.generate_values import invent
from ...prompting.tasks import VariablesTask
from ...prompting.templates.library import Library, LibraryError
from ...prompting.templates.missing import Supplied, keep, supply_missing
from ...prompting.templates.resolve import UnknownVariable, missing_variables, resolve

T = TypeVar("T")

_LINE_WIDTH = 76
_SHOW_EVERY_S = 0.05


def enhance_command(options: argparse.Namespace) -> int:
    idea = Idea(
        prompt=options.text,
        target=targets.load(options.target, targets_folder()),
        instruction=options.instruction,
        variations=options.variations,
        seed=options.seed,
        brief=read_brief(options.duration, options.aspect, options.language, options.reference_role),
    )
    opened = open_or_substitute(
        lambda: open_chosen(options, "enhance, command line"), [idea], options.on_error
    )
    enhanced = (
        opened if isinstance(opened, Enhanced) else _run(enhance([idea], opened, options.on_error), opened)
    )
    if options.json:
        print_json({"prompts": enhanced.prompts, "negative": enhanced.negatives, "info": enhanced.info})
    else:
        for prompt, negative in zip(enhanced.prompts, enhanced.negatives, strict=True):
            print(prompt)
            if negative:
                print(f"Negative: {negative}")
    _remarks(enhanced.info, options)
    return 0


def variables_command(options: argparse.Namespace) -> int:
    library = Library(*library_folders())
    saved = library.values(options.name) if options.save and library.exists(options.name) else ()
    task = VariablesTask(
        name=options.name,
        count=options.count,
        context=options.context,
        guidance=options.guidance,
        creativity=options.creativity,
        existing=saved,
        seed=options.seed,
    )
    model = open_chosen(options, "variables, command line")
    invented = _run(invent(task, model), model)
    unsaved: LibraryError | None = None
    if options.save:
        try:
            keep(library, task.name, invented.values, task.context)
        except LibraryError as error:
            unsaved = error
    if options.json:
        print_json({"values": invented.values, "info": invented.info})
    else:
        print("\n".join(invented.values))
    _remarks(invented.info, options)
    if unsaved is not None:
        raise unsaved  # now that the values, which may have cost something, are printed
    return 0


def resolve_command(options: argparse.Namespace) -> int:
    library = Library(*library_folders())
    names = missing_variables(options.template, library) if options.generate_missing else ()
    supplied = Supplied()
    if names:
        model = open_chosen(options, "cli resolve")
        supplied = _run(supply_missing(names, options.template, library, model, options.seed), model)
    try:
        resolved = resolve(
            options.template,
            library,
            selection=options.selection,
            count=options.count,
            seed=options.seed,
            extra_values=supplied.values,
            no_repeats=options.no_repeats,
        )
    except UnknownVariable as error:
        # It speaks of the node's switch.
        raise ValueError(str(error).replace("turn on generate_missing", "add --generate-missing")) from None
    if options.json:
        print_json({"prompts": resolved.prompts, "picks": resolved.picks})
    else:
        print("\n".join(resolved.prompts))
    for report in supplied.reports:
        _remarks(report, options)
    for warning in resolved.warnings:
        print(warning, file=sys.stderr)
    return 0


def print_json(content: Mapping[str, Any]) -> None:
    """Print the one object that ``--json`` promises."""
    print(json.dumps(content, ensure_ascii=False, indent=2))


class Terminal(NullHost):
    """Display of the last words of `live` on one line of a terminal; elsewhere nothing is shown."""

    def __init__(self, live: LiveText) -> None:
        self._live = live
        self._is_there = sys.stderr.isatty()
        self._version = live.version
        self._shown = 0.0

    def tick(self) -> None:
        now = time.monotonic()
        if self._is_there and self._live.version != self._version and now - self._shown >= _SHOW_EVERY_S:
            self._version, self._shown = self._live.version, now
            tail = " ".join(self._live.text().split())[-_LINE_WIDTH:]
            print(f"\r\033[2K{tail}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._is_there:
            print("\r\033[2K", end="", file=sys.stderr, flush=True)


def open_chosen(options: argparse.Namespace, caller: str) -> Model:
    """Open the model of --mode and --model."""
    live = LiveText()
    return open_model(_choice(options), live, Terminal(live), caller=caller)


def _choice(options: argparse.Namespace) -> Choice:
    """Return the choice that --mode and --model make: whoever types a model's name there has consented."""
    return Choice(
        llm_mode=options.mode,
        llm_model=options.model,
        by_workflow=False,
        may_download=bool(options.model) and modes.of(options.mode).from_repository,
    )


def _run(coroutine: Coroutine[Any, Any, T], model: Model) -> T:
    """Run a call; on a terminal its last words are shown while it writes."""
    terminal = model.host
    try:
        if model.runs_in_place:
            return run_in_place(coroutine)
        return runner.run(coroutine, on_tick=terminal.tick)
    finally:
        if isinstance(terminal, Terminal):
            terminal.clear()


def _remarks(info: Mapping[str, Any], options: argparse.Namespace) -> None:
    for warning in info["warnings"]:
        print(warning, file=sys.stderr)
    if modes.of(info["mode"]).stands_in and sys.stderr.isatty() and lacks_model(_choice(options)):
        print(no_model_notice("with --model"), file=sys.stderr)

"""Tasks for the lines of a file: prompts for ideas, values for names; asked how, and shown in which rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...llm_backends.errors import LLMError
from ...llm_backends.model import Model
from .. import targets
from ..briefs.reading import UnreadableBrief, read_brief
from ..enhance import Idea, enhance
from ..generate_values import invent
from ..tasks import MOST_VALUES, MOST_VARIATIONS, Brief, Creativity, OnError, VariablesTask
from .batches import Asking
from .caption_job import quiet
from .journal import JobError
from .lines import Line, place_of
from .work import Ask, Written

Outcome = Mapping[str, Any] | str
Rows = list[dict[str, Any]]

# The names under which the text of a line may stand.
IDEAS, NAMES = ("idea", "prompt", "text"), ("name", "variable")
# Columns that are options, too.
_BRIEF = ("duration", "aspect", "language")


@dataclass(frozen=True, slots=True)
class LineTasks:
    """The `lines` of the file `source`, and a payload for each by its name.

    `rows` makes of a line and its outcome, an error as a text, the rows of the results with these `columns`.
    """

    kind: str
    source: str
    lines: Mapping[str, Line]
    payloads: Mapping[str, Any]
    asking: Asking
    columns: Sequence[str]
    rows: Callable[[Line, Outcome], Rows]

    def place(self, name: str) -> str:
        """Return where the line called `name` stands, for a reader."""
        return place_of(self.lines[name].number, self.source)


@dataclass(frozen=True, slots=True)
class IdeaOptions:
    """Options of all ideas of a file; a column of the same name overrides one for its line."""

    target: str = "general"
    instruction: str = ""
    variations: int = 1
    seed: int = 0
    duration: Any = ""
    aspect: Any = ""
    language: Any = ""
    reference_roles: Any = ""
    on_error: OnError = "raise"


def prompts_for(
    lines: Sequence[Line], source: str, options: IdeaOptions, own_targets: Path | None
) -> LineTasks:
    """Return the tasks of enhancing each of `lines`. Raises `JobError` with the line that cannot be."""
    loaded: dict[str, targets.Target] = {}

    def idea_of(line: Line) -> Idea:
        where = place_of(line.number, source).capitalize()
        name = line.more.get("target") or options.target
        if name not in loaded:
            try:
                loaded[name] = targets.load(name, own_targets)
            except ValueError as error:
                raise JobError(f"{where}: {error}" if line.more.get("target") else str(error)) from None
        try:
            brief = _brief_of(line, options)
        except UnreadableBrief as error:
            raise JobError(f"{where}: {error}") from None
        return Idea(
            prompt=line.text,
            target=loaded[name],
            instruction=line.more.get("instruction") or options.instruction,
            variations=_within(line, "variations", options.variations, MOST_VARIATIONS, where),
            seed=line.more.get("seed", options.seed),
            brief=brief,
        )

    def asking(model: Model) -> Ask:
        async def ask(payloads: Sequence[Idea]) -> list[Written | LLMError]:
            enhanced = await enhance(payloads, quiet(model), options.on_error)
            texts = iter(zip(enhanced.prompts, enhanced.negatives, enhanced.warnings, strict=True))
            cost = enhanced.info["cost_usd"]
            written: list[Written | LLMError] = []
            for idea in payloads:
                content = {"texts": [next(texts) for _ in range(idea.variations)]}
                written.append(Written(content, cost and cost / len(payloads)))
            return written

        return ask

    def rows(line: Line, outcome: Outcome) -> Rows:
        row = {"line": line.number, "idea": line.text}
        if isinstance(outcome, str):
            return [{**row, "prompt": None, "negative": None, "error": outcome}]
        return [
            {**row, "prompt": prompt, "negative": negative, "error": None, **_said(warnings)}
            for prompt, negative, warnings in outcome["texts"]
        ]

    columns = ("line", "idea", "prompt", "negative", "error", "warnings")
    ideas = {_name(line): idea_of(line) for line in lines}
    return LineTasks("enhance", source, _by_name(lines), ideas, asking, columns, rows)


@dataclass(frozen=True, slots=True)
class ValueOptions:
    """Options of all names of a file; a column of the same name overrides one for its line."""

    count: int = 10
    context: str = ""
    guidance: str = ""
    creativity: Creativity = "balanced"
    seed: int = 0


def values_for(
    lines: Sequence[Line], source: str, options: ValueOptions, existing: Callable[[str], tuple[str, ...]]
) -> LineTasks:
    """Return the tasks of inventing values for each of `lines`; `existing` returns those that a name has.

    Raises `JobError` with the line that cannot be.
    """

    def task_of(line: Line) -> VariablesTask:
        where = place_of(line.number, source).capitalize()
        return VariablesTask(
            name=line.text,
            count=_within(line, "count", options.count, MOST_VALUES, where),
            context=line.more.get("context") or options.context,
            guidance=line.more.get("guidance") or options.guidance,
            creativity=options.creativity,
            existing=existing(line.text),
            seed=line.more.get("seed", options.seed),
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

    def rows(line: Line, outcome: Outcome) -> Rows:
        row = {"line": line.number, "name": line.text}
        if isinstance(outcome, str):
            return [{**row, "values": None, "error": outcome}]
        return [{**row, "values": outcome["values"], "error": None, **_said(outcome["warnings"])}]

    tasks = {_name(line): task_of(line) for line in lines}
    columns = ("line", "name", "values", "error", "warnings")
    return LineTasks("variables", source, _by_name(lines), tasks, asking, columns, rows)


def _said(warnings: Sequence[str]) -> dict[str, Any]:
    return {"warnings": list(warnings)} if warnings else {}


def _within(line: Line, name: str, default: int, most: int, where: str) -> int:
    value: int = line.more.get(name, default)
    if not 1 <= value <= most:
        raise JobError(f"{where}: {name} is {value}. Write a number from 1 to {most}.")
    return value


def _brief_of(line: Line, options: IdeaOptions) -> Brief:
    given = {name: line.more.get(name) or getattr(options, name) for name in _BRIEF}
    # The option's name has no s, as it is given once for each image.
    roles = line.more.get("reference_roles") or line.more.get("reference_role") or options.reference_roles
    return read_brief(**given, reference_roles=roles)


def _by_name(lines: Sequence[Line]) -> dict[str, Line]:
    return {_name(line): line for line in lines}


def _name(line: Line) -> str:
    return str(line.number)

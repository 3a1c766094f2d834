"""Invention of values for a variable: requested as JSON, made distinct, and completed by further requests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..llm_backends.errors import EmptyAnswer, LLMError, NotConfigured
from ..llm_backends.model import Model
from ..llm_backends.types import Deployment, Request, Result
from .answers.clean import bare
from .answers.prompt import SEEDS
from .answers.values import read_values
from .messages import VALUES_SCHEMA, spoken_name, variables_messages
from .report import report
from .tasks import MOST_VALUES, VariablesTask

_ROUNDS = 4

# In tokens: room for thinking and JSON, and for one value ("50 word description").
_MAX_TOKENS_BASE = 1536
_MAX_TOKENS_EACH = 48


@dataclass(frozen=True, slots=True)
class Invented:
    """Values and the report. `is_substitute` as in `Enhanced`."""

    values: list[str]
    info: dict[str, Any]
    is_substitute: bool = False


async def invent(task: VariablesTask, model: Model) -> Invented:
    """Invent `task.count` distinct values, none of them among `task.existing` (ignoring case).

    Returns fewer only with a warning. Raises `LLMError` where not a single one could be had.
    """
    check(task)
    started = time.monotonic()
    values: list[str] = []
    warnings: list[str] = []
    outcomes: list[Result | LLMError] = []
    for attempt in range(_ROUNDS):
        missing = task.count - len(values)
        if missing <= 0:
            break
        wanted = replace(
            task,
            count=missing,
            existing=(*task.existing, *values),
            seed=(task.seed + attempt) % SEEDS,
        )
        (answer,) = await model.ask([_request(wanted, model.deployment)])
        outcomes.append(answer)
        if isinstance(answer, LLMError):
            if not values:
                raise answer
            warnings.append(str(answer))
            break
        warnings.extend(answer.warnings)
        fresh, warning = _read(answer, model.deployment, bool(values), task.name)
        warnings.append(warning)
        added = add_distinct(values, fresh, task.existing, task.count)
        if not added:
            break
    if not values:
        raise EmptyAnswer(f"{model.deployment.name} returned no value for “{spoken_name(task.name)}”.")
    if len(values) < task.count:
        warnings.append(f"{len(values)} of {task.count} values: the model found no more distinct ones.")
    info = report(outcomes, model.deployment, time.monotonic() - started, filter(None, warnings))
    by_fallback = any(isinstance(outcome, Result) and outcome.by_fallback for outcome in outcomes)
    return Invented(values, info, by_fallback)


def check(task: VariablesTask) -> None:
    """Raise `NotConfigured` for an unusable name or count."""
    if not spoken_name(task.name):
        raise NotConfigured("The variable has no name.", hint="Name it after what you want, such as season.")
    if not 1 <= task.count <= MOST_VALUES:
        raise NotConfigured(f"count is {task.count}.", hint=f"Choose 1 to {MOST_VALUES}.")


def _request(task: VariablesTask, deployment: Deployment) -> Request:
    return Request(
        messages=variables_messages(task),
        max_tokens=_MAX_TOKENS_BASE + _MAX_TOKENS_EACH * task.count,
        seed=task.seed,
        schema=None if deployment.capabilities.schema is False else VALUES_SCHEMA,
        schema_name="values",
        task=task,
    )


def _read(answer: Result, deployment: Deployment, have_some: bool, name: str = "") -> tuple[list[str], str]:
    try:
        who = deployment.name
        values, warning = read_values(bare(answer.text, who=who), name=spoken_name(name), who=who)
        if warning and answer.finish_reason == "length":
            # The last value is the one that was cut.
            return values[:-1], "The answer was cut off at max_tokens. Raise it on LLM Settings."
        return values, warning
    except LLMError as error:
        if not have_some:
            raise
        return [], str(error)


def add_distinct(values: list[str], fresh: Sequence[str], existing: Sequence[str], count: int) -> int:
    """Append up to `count` the values that are new (ignoring case) beside `existing`; return how many."""
    seen = {value.casefold() for value in (*existing, *values)}
    before = len(values)
    for value in fresh:
        if len(values) >= count:
            break
        if value.casefold() not in seen:
            seen.add(value.casefold())
            values.append(value)
    return len(values) - before

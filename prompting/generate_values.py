"""Invention of values for a variable: requested as JSON, made distinct, and completed by further requests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..llm_backends import modes
from ..llm_backends.errors import AnswerLoops, EmptyAnswer, LLMError, NotConfigured
from ..llm_backends.host import feasible
from ..llm_backends.model import Model
from ..llm_backends.types import Deployment, Request, Result
from .answers.clean import bare
from .answers.prompt import SEEDS
from .answers.values import asks_for_text, read_values
from .messages import CREATIVITY, VALUES_SCHEMA, spoken_name, variables_messages
from .model_size import is_small, is_tiny
from .phrasebook.lists import find
from .report import report
from .small_models.values import apart, sound
from .tasks import MOST_VALUES, VariablesTask
from .value_lists import OPENING, end_of, list_messages

# How often is asked at most, and how often in a row for nothing new of a model that may do better by chance.
_ROUNDS, _IN_VAIN = 6, 2
_AT_ONCE_FROM_SMALL, _TOP_UP = 20, 12
_OFF_TOPIC = "{} is too small a model to keep a list to its topic. Check the values, or choose {}."

# In tokens: room for thinking and JSON, and for one value ("50 word description").
_MAX_TOKENS_BASE = 1536
_MAX_TOKENS_EACH = 48
# The same without thinking, for a value that is a name and for one that is a text.
_ANSWER_TOKENS_BASE, _ANSWER_TOKENS_EACH = 64, (20, 120)


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
    in_vain = dropped = 0
    rounds = max(_ROUNDS, -(-task.count // _AT_ONCE_FROM_SMALL) + _ROUNDS // 2)
    for attempt in range(rounds):
        missing = task.count - len(values)
        if missing <= 0:
            break
        if _takes_lists(model.deployment):
            # Asked for the last few, it says some again that it has given.
            missing = min(max(missing, _TOP_UP if attempt else 1), _AT_ONCE_FROM_SMALL)
        wanted = replace(
            task,
            count=missing,
            existing=(*task.existing, *values),
            seed=(task.seed + attempt) % SEEDS,
        )
        (answer,) = await model.ask([_request(wanted, model.deployment)])
        outcomes.append(answer)
        is_list, patience = _takes_lists(model.deployment), 1
        if is_list or isinstance(answer, AnswerLoops):
            patience = _IN_VAIN
        if isinstance(answer, AnswerLoops):
            # What it had written before is as good as any other; only the last value may be half there.
            answer = Result(answer.text, finish_reason="length")
        if isinstance(answer, LLMError):
            if not values:
                raise answer
            warnings.append(str(answer))
            break
        warnings.extend(answer.warnings)
        is_last = in_vain + 1 >= patience
        fresh, warning = _read(answer, model.deployment, bool(values) or not is_last, task.name)
        if is_small(model.deployment):
            fresh = apart(fresh, task.name)
        if is_tiny(model.deployment):
            several = list(dict.fromkeys(fresh))
            fresh = [
                value for value in sound([*values, *several], spoken_name(task.name)) if value not in values
            ]
            dropped += len(several) - len(fresh)
        warnings.append("" if is_list else warning)
        added = add_distinct(values, fresh, task.existing, task.count)
        in_vain = 0 if added else in_vain + 1
        if in_vain >= patience:
            break
    if not values:
        raise EmptyAnswer(f"{model.deployment.name} returned no value for “{spoken_name(task.name)}”.")
    if dropped:
        warnings.append(f"Left out as noise, echoes or repetitions: {dropped}.")
    if is_tiny(model.deployment):
        warnings.append(_OFF_TOPIC.format(model.deployment.name, _other(task)))
    if len(values) < task.count:
        warnings.append(f"{len(values)} of {task.count} values: the model found no more distinct ones.")
    info = report(outcomes, model.deployment, time.monotonic() - started, filter(None, warnings))
    by_fallback = any(isinstance(outcome, Result) and outcome.by_fallback for outcome in outcomes)
    return Invented(values, info, by_fallback)


def _other(task: VariablesTask) -> str:
    """Return what to choose instead of a model that is too small."""
    try:
        return f"the phrasebook, which has the list “{find(task.name)}”"
    except LLMError:
        return "a larger one"


def check(task: VariablesTask) -> None:
    """Raise `NotConfigured` for an unusable name or count."""
    if not spoken_name(task.name):
        raise NotConfigured("The variable has no name.", hint="Name it after what you want, such as season.")
    if not 1 <= task.count <= MOST_VALUES:
        raise NotConfigured(f"count is {task.count}.", hint=f"Choose 1 to {MOST_VALUES}.")


def _takes_lists(deployment: Deployment) -> bool:
    """Tell whether the model is asked for lines: a small one that nothing holds to JSON and to new values."""
    return is_small(deployment) and not modes.of(deployment.backend).loads_weights


def _request(task: VariablesTask, deployment: Deployment) -> Request:
    most = _ANSWER_TOKENS_BASE + _ANSWER_TOKENS_EACH[asks_for_text(task.name)] * task.count
    if _takes_lists(deployment):
        return Request(
            messages=list_messages(task, spoken_name(task.name), CREATIVITY[task.creativity]),
            max_tokens=_MAX_TOKENS_BASE + _MAX_TOKENS_EACH * task.count,
            answer_tokens=most,
            retries_loop=False,
            seed=task.seed,
            task=task,
            opening=OPENING,
            stop=(end_of(task.count),),
        )
    return Request(
        messages=variables_messages(task),
        max_tokens=_MAX_TOKENS_BASE + _MAX_TOKENS_EACH * task.count,
        answer_tokens=None if asks_for_text(task.name) else most,
        retries_loop=False,
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
            return values[:-1], feasible("The answer was cut off at max_tokens. Raise it on LLM Settings.")
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
        said = value.casefold()
        if said not in seen and not seen.issuperset(_pieces(said)):
            seen.add(said)
            values.append(value)
    return len(values) - before


def _pieces(value: str) -> list[str]:
    """Return what a value is put together of: winterwinter of winter, “spring, summer” of both.

    That is what a small model comes to that knows no more.
    """
    half, rest = value[: len(value) // 2].strip(" -"), value[len(value) // 2 :].strip(" -")
    return [half] if half == rest else value.split(", ")

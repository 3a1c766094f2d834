"""Budgets and observers of calls, read from the settings."""

from __future__ import annotations

import math
from pathlib import Path

from ..llm_backends.errors import NotConfigured
from ..llm_backends.host import program
from ..llm_backends.types import Budget, Observer, Secret
from .settings.values import Settings, warn_once

_USAGE_FILE = "usage.json"
_LANGFUSE, _HELICONE = "https://cloud.langfuse.com", "https://api.worker.helicone.ai"


def usage_file(settings: Settings) -> Path:
    """The file that keeps the day's usage."""
    return settings.folder / _USAGE_FILE


def budget(settings: Settings) -> Budget | None:
    """Read the budgets; None where none is set.
    Raises `NotConfigured` for one that cannot be read: it was meant as a limit."""
    session, day = _dollars("LLM_BUDGET_SESSION", settings), _dollars("LLM_BUDGET_DAY", settings)
    if session is None and day is None:
        return None
    unpriced = settings.text("LLM_BUDGET_UNPRICED").lower()
    if unpriced not in ("refuse", "allow"):
        raise NotConfigured(f"LLM_BUDGET_UNPRICED is {unpriced!r}.", hint="Set it to refuse or allow.")
    return Budget(session, day, unpriced == "refuse")


def observers(settings: Settings) -> tuple[Observer, ...]:
    """The observers of calls. One that cannot be used is warned of once and breaks no call."""
    found, problems = read_observers(settings)
    for problem in problems:
        warn_once(str(problem))
    return tuple(found)


def read_observers(settings: Settings) -> tuple[list[Observer], list[NotConfigured]]:
    """Read LLM_CALLBACKS: (its observers, the errors of those that cannot be used)."""
    found, problems = [], []
    for name in dict.fromkeys(settings.items("LLM_CALLBACKS")):
        try:
            found.append(_observer(name, settings))
        except NotConfigured as problem:
            problems.append(problem)
    return found, problems


def _dollars(name: str, settings: Settings) -> float | None:
    value = settings.value(name)
    if not value.text:
        return None
    try:
        amount = float(value.text.removeprefix("$"))
    except ValueError:
        amount = math.nan
    if not (math.isfinite(amount) and amount >= 0):
        raise NotConfigured(
            f"{value.name} is {value.text!r} (from {value.origin}), which is not an amount in US dollars.",
            hint="Enter an amount such as 2.50, or remove it.",
        )
    return amount


def _observer(name: str, settings: Settings) -> Observer:
    with_content = settings.flag("LLM_CALLBACKS_CONTENT")
    environment = settings.environment()
    if name == "langfuse":
        return Observer(
            name,
            base_url=environment.get("LANGFUSE_HOST", _LANGFUSE).rstrip("/"),
            key=Secret(_required("LANGFUSE_SECRET_KEY", name, environment)),
            public_key=_required("LANGFUSE_PUBLIC_KEY", name, environment),
            with_content=with_content,
        )
    if name == "helicone":
        return Observer(
            name,
            base_url=environment.get("HELICONE_BASE_URL", _HELICONE).rstrip("/"),
            key=Secret(_required("HELICONE_API_KEY", name, environment)),
            with_content=with_content,
        )
    module, colon, attribute = name.partition(":")
    if not colon or not all(part.isidentifier() for part in f"{module}.{attribute}".split(".")):
        raise NotConfigured(
            f"LLM_CALLBACKS contains {name!r}, which is not an observer.",
            hint="Use langfuse, helicone or a Python path such as my_package.module:on_call.",
        )
    return Observer(name, with_content=with_content)


def _required(variable: str, observer: str, environment: dict[str, str]) -> str:
    text = environment.get(variable, "").strip()
    if not text:
        raise NotConfigured(
            f"LLM_CALLBACKS names {observer}, but {variable} is not set.",
            hint=f"Set it in the environment of {program()}, or remove {observer} from LLM_CALLBACKS.",
        )
    return text

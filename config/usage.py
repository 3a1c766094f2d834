"""Usage, its cost and the budgets: for ``GET health``, the panel and the command line."""

from __future__ import annotations

from typing import Any

from ..llm_backends.accounting import budget
from ..llm_backends.accounting.ledger import ledger
from ..llm_backends.errors import NotConfigured
from . import budgets
from .models.labels import human_label
from .settings.values import Settings


def view(settings: Settings) -> dict[str, Any]:
    """The usage ``{"session", "today", "budget"}`` as JSON.
    Costs in US dollars; null is unknown, or no limit."""
    file = budgets.usage_file(settings)
    summary = ledger.summary(file)
    for period in filter(None, (summary["session"], summary["today"])):
        period["models"] = [{**row, "label": human_label(row["name"])} for row in period["models"]]
    try:
        limits = budgets.budget(settings)
    except NotConfigured:
        limits = None  # calls are refused with the reason, and the check of that name tells it
    return {**summary, "budget": budget.summary(limits, ledger.day_cost(file))}

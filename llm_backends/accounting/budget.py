"""Budgets in US dollars, set aside before a call is sent; one that could exceed the rest is refused.

The worst case is set aside, and goes back when the call is over and its real cost stands in the ledger.
Two programs that share a day's budget see each other's costs, not what the other has set aside.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from ..errors import BudgetExceeded
from ..types import Budget, Deployment, Request
from .estimate import worst_cost
from .ledger import ledger

_log = logging.getLogger("quillwork")
_lock = threading.Lock()
_held = 0.0
_warned: set[str] = set()


class Hold:
    """Dollars set aside for one call. `warning` is a sentence for the user, said once for each model."""

    __slots__ = ("amount", "warning")

    def __init__(self) -> None:
        self.amount = 0.0
        self.warning = ""


def set_aside(requests: Sequence[Request], deployment: Deployment) -> list[Hold]:
    """Set dollars aside for one attempt at each of `requests`: for all of them or for none.
    Raises `BudgetExceeded`."""
    holds = [Hold() for _ in requests]
    if deployment.budget is not None and holds:
        _raise_to(holds, [_worst(request, deployment, holds[0]) for request in requests], deployment)
    return holds


def hold_again(amount: float) -> Hold:
    """Set `amount` dollars aside for calls that an earlier run has sent, whatever a budget covers."""
    global _held
    hold = Hold()
    with _lock:
        hold.amount = amount
        _held += amount
    return hold


def cover(hold: Hold, request: Request, deployment: Deployment, lost: float) -> None:
    """Raise `hold` to cover another attempt after `lost` dollars went into attempts that failed.
    Raises `BudgetExceeded`."""
    if deployment.budget is not None:
        _raise_to([hold], [_worst(request, deployment, hold) + lost], deployment)


def release(hold: Hold) -> None:
    """Return all dollars of `hold`. Safe to call twice."""
    global _held
    with _lock:
        _held = max(0.0, _held - hold.amount)
        hold.amount = 0.0


def summary(budget: Budget | None, day_usd: float | None) -> dict[str, Any]:
    """Budget limits and their use, as JSON; null where there is no limit. `day_usd` is the day's cost."""
    limits = budget or Budget()
    return {
        "session_usd": limits.session_usd,
        "session_used_usd": round(ledger.session_cost(), 8),
        "day_usd": limits.day_usd,
        "day_used_usd": None if day_usd is None else round(day_usd, 8),
        "set_aside_usd": round(_held, 8),
    }


def dollars(amount: float) -> str:
    """An amount for people: two digits that say something, of small ones too."""
    return f"${amount:.2f}" if amount >= 0.1 or not amount else f"${float(f'{amount:.2g}'):f}".rstrip("0")


def _raise_to(holds: Sequence[Hold], amounts: Sequence[float], deployment: Deployment) -> None:
    global _held
    with _lock:
        more = sum(max(0.0, amount - hold.amount) for hold, amount in zip(holds, amounts, strict=True))
        if more:
            _check(more, len(holds), deployment)
        for hold, amount in zip(holds, amounts, strict=True):
            hold.amount = max(hold.amount, amount)
        _held += more


def _check(more: float, calls: int, deployment: Deployment) -> None:
    budget = deployment.budget or Budget()
    _check_one("LLM_BUDGET_SESSION", budget.session_usd, ledger.session_cost(), more, calls, deployment)
    if budget.day_usd is not None and deployment.usage_file is not None:
        used = ledger.day_cost(deployment.usage_file)
        _check_one("LLM_BUDGET_DAY", budget.day_usd, used, more, calls, deployment)


def _check_one(
    name: str, limit: float | None, used: float, more: float, calls: int, deployment: Deployment
) -> None:
    if limit is None or used + _held + more <= limit:
        return
    what = f"{calls} calls of {deployment.name}" if calls > 1 else f"A call of {deployment.name}"
    held = f" and {dollars(_held)} reserved for calls in progress" if _held else ""
    until = "wait until midnight" if name == "LLM_BUDGET_DAY" else "restart the program"
    raise BudgetExceeded(
        f"{what} could cost up to {dollars(more)}, but {dollars(used)} of {dollars(limit)} ({name}) "
        f"is already used{held}.",
        hint=f"Raise {name}, {until}, ask for less (variations, max_tokens), or choose a cheaper or a "
        "local model.",
        provider=deployment.provider,
        model=deployment.model,
    )


def _worst(request: Request, deployment: Deployment, hold: Hold) -> float:
    """The most that an attempt costs. A call without a known price is refused, or let pass with a warning;
    one to a server on this machine always passes, since most of them cost nothing."""
    cost = worst_cost(request, deployment)
    if cost is not None:
        return cost
    if deployment.budget is not None and deployment.budget.refuses_unpriced and not deployment.is_local:
        raise BudgetExceeded(
            f"A budget is set, but the price of {deployment.name} is not known.",
            hint="Choose a model with a known price or a local one, or set LLM_BUDGET_UNPRICED=allow.",
            provider=deployment.provider,
            model=deployment.model,
        )
    if deployment.name not in _warned:
        _warned.add(deployment.name)
        hold.warning = (
            f"The price of {deployment.name} is not known, so the budget only counts the cost that it "
            "reports."
        )
        _log.warning("%s", hold.warning)
    return 0.0

"""A call on its way through the middleware, and the shapes of what handles it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from .accounting import budget
from .accounting.metering import Meter
from .streaming.live import Sink
from .types import Deployment, Request, Result, StreamingBackend


@dataclass(slots=True)
class Call:
    """A request on its way through the middleware.

    `caller` names the caller for the ledger; `hold` is the amount that the budget has set aside; `meter` runs
    for the current deployment. `attempts` counts the calls really sent; `warnings` collects sentences for the
    user. `backend` stands in for the deployment's own.
    """

    request: Request
    deployment: Deployment
    sink: Sink
    caller: str = ""
    hold: budget.Hold = field(default_factory=budget.Hold)
    meter: Meter = field(default_factory=Meter)
    attempts: int = 0
    warnings: list[str] = field(default_factory=list)
    backend: StreamingBackend | None = None

    def warn(self, sentence: str) -> None:
        if sentence and sentence not in self.warnings:
            self.warnings.append(sentence)


Handler = Callable[[Call], Awaitable[Result]]


class Middleware(Protocol):
    """A wrapper around a call: `proceed` goes on to the next one, and in the end to the backend."""

    def __call__(self, call: Call, proceed: Handler) -> Awaitable[Result]: ...

"""The meter of one call over all its attempts: tokens, cost, seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .. import errors
from ..types import Deployment, Request, Result, Usage
from . import estimate
from .usage_totals import CallRecord

if TYPE_CHECKING:
    from ..call import Call

# Errors behind which a model may have worked, and is paid for it, although nothing of use came.
_PERHAPS_PAID = (
    errors.TimedOut,
    errors.StreamBroken,
    errors.MalformedAnswer,
    errors.AnswerTooLarge,
    errors.AnswerLoops,
    errors.EmptyAnswer,
    errors.Refused,
)


@dataclass(slots=True)
class Meter:
    """A meter that runs through the attempts of one call.
    `letters` and `usage` are of the current attempt; `lost` is of those that gave no answer."""

    attempts: int = 0
    seconds: float = 0.0
    letters: int = 0
    usage: Usage | None = None
    lost: list[Usage] = field(default_factory=list)
    is_estimated: bool = False

    @property
    def lost_usd(self) -> float:
        """The cost of failed attempts, as far as it is known."""
        return sum(usage.cost_usd or 0.0 for usage in self.lost)

    def begin(self) -> None:
        self.attempts += 1
        self.letters, self.usage = 0, None

    def lose(self, request: Request, deployment: Deployment, error: errors.LLMError | None) -> None:
        """Record the cost of the current attempt, which failed with `error` or was cancelled.
        It may be paid for all the same."""
        if self.usage is not None:
            self.lost.append(priced(self.usage, deployment))
        elif self.letters or error is None or isinstance(error, _PERHAPS_PAID):
            self.is_estimated = True
            written = math.ceil(self.letters / estimate.LETTERS_A_TOKEN)
            self.lost.append(priced(Usage(estimate.prompt_tokens(request), written), deployment))


def priced(usage: Usage, deployment: Deployment) -> Usage:
    """Return `usage` with its cost added where the other side reported none and the price is known."""
    if usage.cost_usd is not None or deployment.price is None:
        return usage
    if not any(deployment.price):
        return replace(usage, cost_usd=0.0)
    if usage.prompt_tokens is None or (usage.completion_tokens is None and deployment.price[1]):
        return usage
    cost = estimate.cost_of(usage.prompt_tokens, usage.completion_tokens or 0, deployment.price)
    return replace(usage, cost_usd=cost * deployment.price_share)


def blank_record(call: Call) -> CallRecord:
    """A record of caller and model alone. A file or folder is named by its last part: paths stay private."""
    deployment = call.deployment
    model = deployment.model_id.removeprefix(f"{deployment.provider}/")
    return CallRecord(call.caller, deployment.mode, deployment.provider, model, attempts=0)


def record_of(call: Call, outcome: Result | errors.LLMError | None) -> CallRecord:
    """The record of a call that ended with `outcome`; None for a cancelled one."""
    meter, deployment = call.meter, call.deployment
    parts, is_estimated = list(meter.lost), meter.is_estimated
    if isinstance(outcome, Result) and not outcome.cached:
        usage, was_estimated = _counted(outcome, call.request, deployment)
        parts.append(usage)
        is_estimated = is_estimated or was_estimated
    return replace(
        blank_record(call),
        attempts=meter.attempts,
        prompt_tokens=sum(part.prompt_tokens or 0 for part in parts),
        completion_tokens=sum(part.completion_tokens or 0 for part in parts),
        is_estimated=is_estimated,
        cost_usd=_sum([part.cost_usd for part in parts]),
        seconds=meter.seconds,
        cached=isinstance(outcome, Result) and outcome.cached,
        error="" if isinstance(outcome, Result) else outcome.type if outcome else "cancelled",
    )


def _counted(result: Result, request: Request, deployment: Deployment) -> tuple[Usage, bool]:
    """The tokens as the other side counted them, else an estimate; and whether it is an estimate."""
    usage = result.usage
    if usage.prompt_tokens is not None and usage.completion_tokens is not None:
        return priced(usage, deployment), False
    if usage.prompt_tokens is not None and request.embed:
        return priced(replace(usage, completion_tokens=0), deployment), False
    written = (result.text, result.reasoning, *(call.arguments for call in result.tool_calls))
    guess = Usage(
        estimate.prompt_tokens(request), sum(map(estimate.tokens_of, written)), cost_usd=usage.cost_usd
    )
    return priced(guess, deployment), True


def _sum(costs: list[float | None]) -> float | None:
    """Add up `costs`: no attempts cost 0, and one unknown cost makes the sum unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None

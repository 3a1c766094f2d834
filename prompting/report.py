"""Report of a run: the `info` output of the nodes and the ``info`` of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..llm_backends.errors import LLMError
from ..llm_backends.types import Deployment, Result


def report(
    outcomes: Sequence[Result | LLMError],
    deployment: Deployment | None,
    seconds: float,
    warnings: Iterable[str],
) -> dict[str, Any]:
    """Return mode, model, tokens, cost and so on over all calls of a run; None stands for what is unknown."""
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    first = results[0] if results else None
    return {
        "mode": first.mode if first else deployment.mode if deployment else "",
        "model": first.model if first else deployment.model_name if deployment else "",
        "provider": first.provider if first else deployment.provider if deployment else "",
        "prompt_tokens": _sum(result.usage.prompt_tokens for result in results),
        "completion_tokens": _sum(result.usage.completion_tokens for result in results),
        "cost_usd": _sum(result.usage.cost_usd for result in results),
        "seconds": round(seconds, 3),
        "finish_reason": _finish(results),
        "attempts": sum(outcome.attempts for outcome in outcomes),
        "warnings": list(dict.fromkeys(warnings)),
    }


def _sum(parts: Iterable[Any]) -> Any:
    numbers = list(parts)
    return None if not numbers or None in numbers else sum(numbers)


def _finish(results: Sequence[Result]) -> str:
    """Return the finish reason that a user should know of: that of a cut answer before that of whole ones."""
    reasons = [result.finish_reason for result in results]
    for reason in ("length", "unknown"):
        if reason in reasons:
            return reason
    return reasons[0] if reasons else "error"

"""Tables that litellm keeps for all its callers: its packaged list of models, with their prices."""

from __future__ import annotations

from typing import Any

from ...types import Deployment, Usage
from .chunks import Counts


def table(litellm: Any, name: str) -> dict[str, Any]:
    """A table that litellm keeps for all its callers; an empty one where it is gone."""
    found = getattr(litellm, name, None)
    return found if isinstance(found, dict) else {}


def keeps_schema(litellm: Any, deployment: Deployment) -> bool:
    """Tell whether the model keeps to a JSON schema, as far as its deployment or litellm's list knows."""
    if deployment.capabilities.schema is not None:
        return deployment.capabilities.schema
    entry = price_entry(litellm, deployment)
    return bool(entry and entry[1].get("supports_response_schema"))


def price_entry(litellm: Any, deployment: Deployment) -> tuple[str, dict[str, Any]] | None:
    """The model's entry in litellm's packaged list, and the name that it has there."""
    prefix = deployment.params.get("price_prefix") or deployment.params.get("custom_llm_provider")
    prefix = str(prefix or deployment.provider).split("/")[0]
    for name in (
        f"{deployment.provider}/{deployment.model}",
        f"{prefix}/{deployment.model}",
        deployment.model,
    ):
        entry = table(litellm, "model_cost").get(name)
        # A bare name may be another provider's.
        if entry and str(entry.get("litellm_provider", "")).startswith((prefix, deployment.provider)):
            return name, entry
    return None


def counted_usage(litellm: Any, counts: Counts, deployment: Deployment) -> Usage | None:
    """The counted usage, priced where litellm's packaged list has a price."""
    if not counts.prompt_tokens and not counts.completion_tokens:
        return None
    usage = Usage(counts.prompt_tokens, counts.completion_tokens)
    entry = None if deployment.is_local else price_entry(litellm, deployment)
    if entry is None or not {"input_cost_per_token", "output_cost_per_token"} <= entry[1].keys():
        return usage
    try:
        costs = litellm.cost_per_token(
            model=entry[0],
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            custom_llm_provider=entry[1].get("litellm_provider"),
        )
    except Exception:  # noqa: BLE001 - a price is worth less than an answer
        return usage
    # A price of nothing stands in the list for "unknown" as often as for "free".
    return Usage(usage.prompt_tokens, usage.completion_tokens, sum(costs) * deployment.price_share or None)

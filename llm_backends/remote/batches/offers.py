"""Offers of providers to those who can wait: batches, and calls of a slower tier, both at half the price."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ... import modes
from ...types import Deployment
from .anthropic_batches import AnthropicBatches
from .gemini_batches import GeminiBatches
from .openai_batches import OpenAIBatches
from .service import BatchService

SHARE = 0.5
"""The share of the usual price, which is the same for all of them."""
FLEX = {"service_tier": "flex"}
"""The parameter that asks for the slower tier, and FLEX_S the seconds that a call of it may take."""
FLEX_S = 1800.0

_SERVICES: Mapping[str, Callable[[Deployment], BatchService]] = {
    "anthropic": AnthropicBatches,
    "gemini": GeminiBatches,
    "openai": OpenAIBatches,
}
_WITH_FLEX = ("gemini", "openai")


def batches_of(deployment: Deployment) -> BatchService | None:
    """Return the batch service for `deployment`, None where there is none."""
    service = _SERVICES.get(deployment.provider) if deployment.backend == modes.LITELLM else None
    return service(deployment) if service else None


def has_flex(deployment: Deployment) -> bool:
    """Tell whether the provider of `deployment` has the slower tier."""
    return deployment.backend == modes.LITELLM and deployment.provider in _WITH_FLEX

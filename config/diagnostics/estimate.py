"""Estimates of a call's cost before it is made: without a key, a consent or a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...llm_backends import modes
from ...llm_backends.accounting.estimate import cost_of, tokens_of
from ...llm_backends.types import Price
from .. import model_source, providers, ways
from ..access.session_keys import ENDPOINT
from ..choice import Choice
from ..models import prices
from ..settings.values import Settings, load


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate.
    `price` is in US dollars for a million tokens, (in, out); it and the cost are None if unknown."""

    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    price: Price | None

    @property
    def cost_usd(self) -> float | None:
        return None if self.price is None else cost_of(self.prompt_tokens, self.completion_tokens, self.price)

    def to_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "model": self.model,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "price": None if self.price is None else {"input": self.price[0], "output": self.price[1]},
            "cost_usd": self.cost_usd,
        }


def estimate(
    mode: str,
    model: str,
    texts: Sequence[str] = (),
    *,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    settings: Settings | None = None,
) -> Estimate:
    """Estimate the cost of one call to the model of `mode` and `model` (as on a node).

    The call reads `texts`, or as many `prompt_tokens`, and writes `completion_tokens`. Raises `NotConfigured`
    for a name that is no model.
    """
    settings = settings or load()
    source = model_source.find(Choice(llm_mode=mode, llm_model=model), settings)
    provider, name, price = _priced(source, settings)
    counted = sum(map(tokens_of, texts)) if prompt_tokens is None else prompt_tokens
    return Estimate(provider, name, counted, completion_tokens or 0, price)


def _priced(source: model_source.ModelSource, settings: Settings) -> tuple[str, str, Price | None]:
    if source.mode != modes.LITELLM:
        return source.mode, source.model, prices.FREE if modes.of(source.mode).free else None
    if source.way != ways.DIRECT and settings.endpoint() is not None:
        return ENDPOINT, source.model, prices.of_listed(ENDPOINT, source.model)
    provider, model = providers.check_model_id(source.model)
    return provider.id, model, prices.FREE if provider.is_local else prices.of_provider(provider, model)

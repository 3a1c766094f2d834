"""Prices of models without a request: from the server's list, our own table, litellm's."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...llm_backends.types import Price
from ..providers import Provider
from .catalog import catalog
from .entries import known_of

FREE: Price = (0.0, 0.0)
_TABLE = "model_prices_and_context_window_backup.json"


def of_listed(model_id: str) -> Price | None:
    """The price of the model `model_id` in its server's list, where that was asked for."""
    entry = catalog.entry_of(model_id)
    return entry.price if entry else None


def of_provider(provider: Provider, model: str) -> Price | None:
    """The price of the model `model` of `provider`; None where it is unknown."""
    name = f"{provider.id}/{model}"
    packaged = known_of(name).get("price")
    return of_listed(name) or (tuple(packaged) if packaged else None) or _of_litellm(provider, model)


def _of_litellm(provider: Provider, model: str) -> Price | None:
    prefix = provider.price_prefix
    for name in (f"{prefix}/{model}", f"{provider.id}/{model}", model):
        row = _litellms().get(name, {})
        # A bare name may be another provider's. Nothing stands for unknown in that table.
        whose = str(row.get("litellm_provider", "")).partition("_converse")[0]
        each_in, each_out = row.get("input_cost_per_token"), row.get("output_cost_per_token")
        if whose in (prefix, prefix.partition("/")[0], provider.id) and each_in and each_out is not None:
            return round(each_in * 1e6, 6), round(each_out * 1e6, 6)
    return None


@functools.cache
def _litellms() -> Mapping[str, Mapping[str, Any]]:
    """The packaged table of litellm where it is installed; the library itself is not imported."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    try:
        table = json.loads(Path(spec.origin).with_name(_TABLE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        name: {
            key: row.get(key) for key in ("litellm_provider", "input_cost_per_token", "output_cost_per_token")
        }
        for name, row in table.items()
        if isinstance(row, dict)
    }

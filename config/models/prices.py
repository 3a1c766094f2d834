"""Prices of models without a request: from the server's list, our own table, litellm's."""

from __future__ import annotations

from ...llm_backends.types import Price
from ..providers.litellm_table import row_of
from ..providers.table import Provider
from .catalog import catalog
from .model_facts import known_of

FREE: Price = (0.0, 0.0)


def of_listed(server: str, model_id: str) -> Price | None:
    """The price of the model `model_id` in the list of `server` (a provider, the endpoint), where that was
    asked for."""
    entry = catalog.entry_of(server, model_id)
    return entry.price if entry else None


def of_provider(provider: Provider, model: str) -> Price | None:
    """The price of the model `model` of `provider`; None where it is unknown."""
    name = f"{provider.id}/{model}"
    packaged = known_of(name).get("price")
    return (
        of_listed(provider.id, name)
        or (tuple(packaged) if packaged else None)
        or _of_litellm(provider, model)
    )


def _of_litellm(provider: Provider, model: str) -> Price | None:
    row = row_of(provider, model)
    each_in, each_out = row.get("input_cost_per_token"), row.get("output_cost_per_token")
    # Nothing stands for unknown in that table.
    return (round(each_in * 1e6, 6), round(each_out * 1e6, 6)) if each_in and each_out is not None else None

"""Known capabilities of models, without a request; None is unknown."""

from __future__ import annotations

from ...llm_backends.types import Capabilities
from ..access.session_keys import ENDPOINT
from ..providers.litellm_table import row_of
from ..providers.table import Provider
from . import vision
from .model_facts import known_of


def of_provider(provider: Provider, model: str) -> Capabilities:
    """The capabilities of `model` by the provider's list, else our table, else the provider's rule."""
    from .catalog import catalog

    model_id = f"{provider.id}/{model}"
    entry, known = catalog.entry_of(provider.id, model_id), known_of(model_id)
    # Read for other models only: the table is large.
    row = {} if known or provider.is_local else row_of(provider, model)
    tools = [entry.tools if entry else None, known.get("tools"), provider.tools]
    return Capabilities(
        schema=provider.schema,
        vision=vision.of_provider(provider, model),
        tools=provider.tools is not False and next((yes for yes in tools if yes is not None), None),
        context_window=(entry.context_window if entry else None)
        or known.get("context_window")
        or row.get("max_input_tokens"),
        most_output=known.get("most_output") or row.get("max_output_tokens"),
        thinks=known.get("thinks") or row.get("supports_reasoning"),
    )


def at_endpoint(model: str) -> Capabilities:
    """The capabilities of `model` as the endpoint reported them.
    A proxy reports of a model unknown to it that it takes no tools: that counts as unknown."""
    from .catalog import catalog

    entry = catalog.entry_of(ENDPOINT, model)
    return Capabilities(
        vision=vision.as_listed(ENDPOINT, model),
        tools=(entry.tools if entry else None) or None,
        context_window=entry.context_window if entry else None,
    )

"""Vision of models, as far as it is known without a request; None is unknown."""

from __future__ import annotations

from ...llm_backends import modes
from ..model_source import DEFAULT_REPOSITORY
from ..providers.table import Provider
from ..settings.values import Settings
from . import local_models
from .model_facts import known_of

# Examples for a user who has none: one for this machine, and a cheap one of a provider.
_EXAMPLES = ("ollama/qwen2.5vl:7b", "gemini/gemini-3.5-flash-lite")


def of_provider(provider: Provider, model: str) -> bool | None:
    """Tell whether `model` takes pictures: by the provider's list, else our table, else its rule."""
    if provider.vision is False:
        return False
    model_id = f"{provider.id}/{model}"
    for known in (as_listed(provider.id, model_id), known_of(model_id).get("vision")):
        if known is not None:
            return known
    return provider.vision


def as_listed(server: str, model_id: str) -> bool | None:
    """The model's vision by the list of `server` (a provider, the endpoint), if that was asked for."""
    from .catalog import catalog

    entry = catalog.entry_of(server, model_id)
    return entry.vision if entry is not None else None


def of_local(mode: str, model: str) -> bool | None:
    """Tell whether a local model takes pictures. Of a folder named by its path the backend decides."""
    if modes.of(mode).sees is False or model == DEFAULT_REPOSITORY:
        return False
    if mode != modes.HF_LOCAL:
        return None
    found = next((one for one in local_models.models() if str(one.path) == model), None)
    return found.vision if found is not None else None


def models_that_see(settings: Settings) -> tuple[str, ...]:
    """The ids of the user's models that are known to take pictures, suggested ones first.
    Examples where there are none. Reads files, asks no server."""
    from .catalog import catalog

    models = catalog.as_known(settings).select()
    seeing = [model for model in models if model.vision and not model.locked]
    seeing.sort(key=lambda model: not model.suggested)
    return tuple(model.id for model in seeing) or _EXAMPLES

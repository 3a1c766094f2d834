"""Which models see, as far as it is known without asking anybody; None is unknown."""

from __future__ import annotations

from ...llm_backends import modes
from ..model_source import DEFAULT_REPOSITORY
from ..providers import Provider
from ..settings.values import Settings
from . import local_models

# For somebody who has none: one for this machine, and one of a provider's that costs little.
_EXAMPLES = ("ollama/qwen2.5vl:7b", "gemini/gemini-3.5-flash-lite")


def of_provider(provider: Provider, model: str) -> bool | None:
    """Whether `model` sees: what the provider's list told, else our table, else what is the rule there."""
    from .entries import known_of

    if provider.vision is False:
        return False
    model_id = f"{provider.id}/{model}"
    for known in (told(model_id), known_of(model_id).get("vision")):
        if known is not None:
            return known
    return provider.vision


def told(model_id: str) -> bool | None:
    """What a server (a provider, an endpoint) has said of the model, if it was asked for its list."""
    from .catalog import catalog

    entry = catalog.told(model_id)
    return entry.vision if entry is not None else None


def of_local(mode: str, model: str) -> bool | None:
    """Whether a model of this process sees. At a folder that is named by its path the backend looks."""
    if modes.of(mode).sees is False or model == DEFAULT_REPOSITORY:
        return False
    if mode != modes.HF_LOCAL:
        return None
    found = next((one for one in local_models.models() if str(one.path) == model), None)
    return found.vision if found is not None else None


def models_that_see(settings: Settings) -> tuple[str, ...]:
    """Ids of the user's models that are known to see, the suggested ones first; examples where there are
    none. Reads files, asks nobody."""
    from .catalog import catalog

    models = catalog.as_known(settings).select()
    seeing = [model for model in models if model.vision and not model.locked]
    seeing.sort(key=lambda model: not model.suggested)
    return tuple(model.id for model in seeing) or _EXAMPLES

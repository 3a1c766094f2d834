"""Names under which other programs find models here.

Those are the catalogue's, but for two: ``default`` is what the settings choose, and ``local/...`` a model
that computes in the host itself.
"""

from __future__ import annotations

from ....config.choice import Choice
from ....config.models import local_models
from ....config.models.catalog import Listing
from ....config.opening import open_model
from ....config.settings.values import Settings, load
from ....llm_backends import modes
from ....llm_backends.errors import LLMError, ModelNotFound
from ....llm_backends.model import Model
from ..model_calls import refuse_encoder
from ..names import check_model

DEFAULT = "default"
LOCAL = "local/"


def ids(listing: Listing, settings: Settings) -> list[tuple[str, str]]:
    """Return (id, owner) of every model that may be called now."""
    found = []
    own = _own(settings)
    if own is not None:
        found.append((DEFAULT, own.deployment.provider))
        if own.runs_in_place:
            found.append((LOCAL + own.deployment.model_id, own.deployment.provider))
    for model in listing.models:
        if model.configured and not model.locked and modes.of(model.transport).answers_messages:
            prefix = LOCAL if modes.of(model.transport).in_folders else ""
            found.append((prefix + model.id, model.provider))
    return list(dict.fromkeys(found))


def open_named(name: str, caller: str) -> Model:
    """Open the model of that name. Raises `HttpError` and `LLMError`."""
    settings = load()
    model = open_model(_choice(name.strip(), settings), settings=settings, caller=caller)
    refuse_encoder(model.deployment)
    return model


def _choice(name: str, settings: Settings) -> Choice:
    if name == DEFAULT:
        return Choice(role="chat")
    if not name.startswith(LOCAL):
        return Choice(llm_model=check_model(name, modes.AUTO, settings), role="chat")
    wanted = check_model(name.removeprefix(LOCAL), modes.HF_LOCAL, settings)
    found = next((model for model in local_models.models() if model.name == wanted), None)
    if found is not None:
        return Choice(llm_mode=found.mode, llm_model=found.name, role="chat")
    own = _own(settings)
    if own is not None and own.runs_in_place and own.deployment.model_id == wanted:
        return Choice(role="chat")
    raise ModelNotFound(f"There is no model {name[:80]!r} on this machine.", hint="GET v1/models lists them.")


def _own(settings: Settings) -> Model | None:
    """Return the model that the settings choose for chat.

    None where there is none, and for the phrasebook and the host's text encoder.
    """
    try:
        model = open_model(Choice(role="chat"), settings=settings)
    except LLMError:
        return None
    mode = modes.of(model.deployment.backend)
    return model if mode.answers_messages and not mode.needs_wire else None

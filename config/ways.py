"""The ways to a remote model, and the words before a model's id that choose between them.

``direct:provider/model`` is called at its provider, ``endpoint:name`` at LLM_BASE_URL. Without a word an id
goes to the endpoint where one is set, else to its provider. There, LLM_TRANSPORT says who calls.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..llm_backends import modes
from ..llm_backends.errors import NotConfigured
from ..llm_backends.remote.litellm_sdk import presence
from ..llm_backends.types import DIRECT_TRANSPORT, SDK_TRANSPORT, TRANSPORTS, Deployment
from . import providers
from .access.session_keys import ENDPOINT, SessionKeys, session_keys
from .providers import compatible
from .providers.table import Provider
from .settings.values import Settings

DIRECT = DIRECT_TRANSPORT
_WIRE = "openai"


def split(model_id: str) -> tuple[str, str]:
    """Split ``way:model`` into way and model; the way is empty where the id names none."""
    word, colon, rest = model_id.partition(":")
    rest = rest.strip()
    # What a server calls direct:7b is a name and its tag.
    if colon and rest and (word == ENDPOINT or (word == DIRECT and "/" in rest)):
        return word, rest
    return "", model_id


def at_provider(model_id: str) -> str:
    """The id by which ``provider/model`` is chosen where an endpoint is set, too."""
    return f"{DIRECT}:{model_id}"


def transport(provider: Provider, settings: Settings, *, is_compatible: bool = False) -> str:
    """The transport of calls to `provider`, one of `TRANSPORTS`. `is_compatible` says that the model is at an
    address that speaks OpenAI's format, too. Raises `NotConfigured` for any other."""
    value = settings.value("LLM_TRANSPORT")
    chosen = value.text.lower()
    if chosen not in TRANSPORTS:
        raise NotConfigured(
            f"LLM_TRANSPORT is {value.text!r} (from {value.origin}).",
            hint=f"Set it to one of {', '.join(TRANSPORTS)}.",
        )
    if provider.wire != _WIRE and not is_compatible:
        return SDK_TRANSPORT  # nobody else speaks its format
    return DIRECT_TRANSPORT if presence.is_bypassed(chosen) else chosen


def called_directly(settings: Settings, keys: SessionKeys = session_keys) -> Mapping[str, Provider]:
    """The providers by id whose models that speak OpenAI's format are called without litellm."""
    if not presence.is_bypassed(settings.text("LLM_TRANSPORT").lower()):
        return {}
    environment = settings.environment()
    return {
        row.id: row
        for row in providers.every()
        if row.wire == _WIRE or compatible.is_known(row, environment, keys.peek(row.id))
    }


def carrier(deployment: Deployment) -> str:
    """The carrier of calls to `deployment`: endpoint, litellm, direct, or the mode of a local model."""
    if deployment.backend == modes.ENDPOINT:
        return ENDPOINT
    return DIRECT if deployment.transport == DIRECT_TRANSPORT else deployment.backend

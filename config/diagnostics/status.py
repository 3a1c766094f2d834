"""The status for people and programs alike: providers, keys, settings, the model in effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...llm_backends import modes, registry
from ...llm_backends.errors import LLMError
from ...llm_backends.remote.litellm_sdk import presence
from ...llm_backends.types import Secret
from .. import providers, ways
from ..access import consent, kept_keys, plans
from ..access.session_keys import ENDPOINT, SessionKeys, endpoint_id, session_keys
from ..choice import Choice
from ..deployment import deploy
from ..models import sizes
from ..models.catalog import Catalog, SourceState, catalog
from ..models.labels import human_label
from ..models.servers import endpoint_label
from ..providers.table import Provider
from ..settings.values import Settings
from ..settings.variables import VARIABLES


def provider_rows(
    settings: Settings, keys: SessionKeys = session_keys, models: Catalog = catalog
) -> list[dict[str, Any]]:
    """A row for every provider: if it can be called, with whose key, and its last answer. Asks no server."""
    states = models.state_of(settings)
    environment, given = settings.environment(), consent.given(settings)
    rows = [_endpoint_row(settings, keys, states)] if settings.endpoint() is not None else []
    direct, obstacle = ways.called_directly(settings, keys), presence.obstacle()
    for provider in providers.every():
        status = providers.key_status(provider, environment, keys.peek(provider.id))
        is_own = status.source == "environment" or _is_kept(keys.peek(provider.id), provider, settings)
        kept = is_own and settings.has_kept(provider.key_variables)
        rows.append(
            {
                "id": provider.id,
                "label": provider.label,
                "aliases": list(provider.aliases),
                "configured": status.configured,
                "source": "kept" if kept else status.source,
                "missing": status.missing,
                "needs": list(provider.needs),
                "begun": _is_begun(provider, environment, keys)
                or (status.configured and not provider.listed_when_moved),
                "needs_key": not provider.key_optional,
                "key_variables": list(provider.key_variables),
                "key_url": provider.key_url,
                "is_local": provider.is_local,
                "allowed": provider.is_local or provider.id in given,
                "models": [f"{provider.id}/{model}" for model in provider.models],
                "labels": {f"{provider.id}/{model}": human_label(model) for model in provider.models},
                "state": _state_of(provider.id, states),
                "transport": ways.DIRECT if provider.id in direct else modes.LITELLM,
                "obstacle": "" if provider.id in direct else obstacle,
            }
        )
    return rows


def _is_begun(provider: Provider, environment: Mapping[str, str], keys: SessionKeys) -> bool:
    """Tell whether something was set for `provider` already."""
    variables = (*provider.key_variables, *provider.base_variables)
    return keys.peek(provider.id) is not None or any(environment.get(name) for name in variables)


def _is_kept(typed: Secret | None, provider: Provider, settings: Settings) -> bool:
    return typed is not None and typed == kept_keys.get(settings.folder, provider.key_variables[0])


def _endpoint_row(settings: Settings, keys: SessionKeys, states: Mapping[str, SourceState]) -> dict[str, Any]:
    endpoint = settings.endpoint()
    assert endpoint is not None
    address, key = endpoint
    typed = keys.peek(endpoint_id(address.text))
    kept = settings.key_origin(typed) == "kept"
    return {
        "id": ENDPOINT,
        "label": endpoint_label(address.text),
        "aliases": [],
        "configured": True,
        "source": "session" if typed is not None and not kept else settings.key_origin(typed or key),
        "missing": "",
        "needs": ["LLM_BASE_URL"],
        "begun": True,
        "needs_key": False,
        "key_variables": ["LLM_API_KEY"],
        "key_url": "",
        "is_local": False,
        "allowed": True,
        "models": [],
        "labels": {},
        "state": _state_of(ENDPOINT, states),
        "transport": ENDPOINT,
        "obstacle": "",
    }


def _state_of(id: str, states: Mapping[str, SourceState]) -> str:
    return states[id].state if id in states else "unknown"


def key_rows(settings: Settings, keys: SessionKeys = session_keys) -> list[dict[str, Any]]:
    """A row for each provider: whether it has a key, and the last four characters of a typed one."""
    rows = []
    for row in provider_rows(settings, keys):
        kept = (
            "label",
            "aliases",
            "configured",
            "source",
            "needs_key",
            "key_url",
            "key_variables",
            "missing",
            "models",
        )
        rows.append(
            {
                "provider": row["id"],
                **{name: row[name] for name in kept},
                "last_four": keys.last_four(_key_id(row["id"], settings))
                if row["source"] in ("session", "kept")
                else "",
            }
        )
    return rows


def _key_id(provider: str, settings: Settings) -> str:
    endpoint = settings.endpoint() if provider == ENDPOINT else None
    return endpoint_id(endpoint[0].text) if endpoint else provider


def setting_rows(settings: Settings) -> list[dict[str, Any]]:
    """A row for every setting: value, origin, and whether the panel may change it; secrets are masked.
    A model's `label` is its name for people, empty where that is its id."""
    rows: list[dict[str, Any]] = []
    for row in settings.describe():
        variable = VARIABLES[row["name"]]
        rows.append(
            {
                **row,
                "kind": variable.kind,
                "label": human_label(row["value"]) if row["name"].startswith("LLM_MODEL") else "",
                "default": variable.default,
                "writable": variable.writable,
                "persisted": settings.is_kept(row["name"]),
            }
        )
    return rows


def in_effect(settings: Settings) -> dict[str, Any]:
    """Mode, model and provider that enhancing would use now, or the error that prevents it."""
    try:
        deployment = deploy(Choice(by_workflow=False), settings)
    except LLMError as error:
        shown = {"type": error.type, "message": error.message, "hint": error.hint}
        names = ("mode", "model", "label", "provider", "provider_label", "transport")
        return {**dict.fromkeys(names, ""), "error": shown}
    return {
        "mode": deployment.mode,
        "model": deployment.model,
        "label": human_label(deployment.model),
        "provider": deployment.provider,
        "provider_label": deployment.provider_label,
        "transport": ways.carrier(deployment),
        "error": None,
    }


def allowed(settings: Settings) -> list[str]:
    """The consents given: all that shared workflows may use."""
    given = consent.given(settings)
    folders = sorted(what for what in given if what.startswith(consent.FOLDER))
    return [what for what in consent.everything() if what in given] + folders


def plan_name(settings: Settings) -> str | None:
    plan = plans.in_force(settings)
    return plan.name if plan else None


def mode_rows() -> list[dict[str, Any]]:
    """A row for each mode to choose from, other packs' among them: its text, and what a page has to know."""
    return [
        {
            "name": mode.name,
            "label": mode.choice_text,
            "aliases": mode.aliases,
            "transports": mode.transports,
            "stands_in": mode.stands_in,
            "needs_wire": mode.needs_wire,
            "downloads_weights": mode.loads_weights and mode.from_repository,
        }
        for mode in registry.offered()
    ]


def config_view(settings: Settings) -> dict[str, Any]:
    """The whole configuration, as the settings page shows it."""
    return {
        "settings": setting_rows(settings),
        "effective": in_effect(settings),
        "modes": registry.choices(),
        "mode_rows": mode_rows(),
        "sizes": sizes.as_rows(),
        "allowed": allowed(settings),
        "plan": plan_name(settings),
        "home": str(settings.folder),
    }

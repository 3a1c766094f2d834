"""Servers that list models under the settings in force: the endpoint, providers with a key, local ones."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urljoin, urlsplit

from ...llm_backends.errors import LLMError, MalformedAnswer
from ...llm_backends.remote.addresses import api_base, route
from ...llm_backends.remote.http_client import origin_of
from ...llm_backends.remote.model_list import fetch_json
from ...llm_backends.types import Secret
from .. import providers
from ..access.session_keys import ENDPOINT, SessionKeys, endpoint_id
from ..providers.table import Provider
from ..settings.values import Settings
from . import listing_formats
from .entries import ModelEntry, at_endpoint, of_provider

PATIENCE_S = 2.0
# What a provider answers that has no list of models: there is no such path, or only a POST to it.
NO_LIST = (404, 405, 501)
# This machine answers at once or not at all.
_LOCAL_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that lists models. `identity` changes with its address and key, so that an answer is never
    taken for another server's. `is_optional`: it was not configured, so its silence is no fault."""

    id: str
    label: str
    identity: str
    ask: Callable[[], Awaitable[list[ModelEntry]]]
    patience_s: float = PATIENCE_S
    is_optional: bool = False


def servers(settings: Settings, keys: SessionKeys) -> list[Server]:
    """The servers to ask: the endpoint, and the providers that can be called. Beside an endpoint nobody looks
    for a local server that was not set up."""
    endpoint, environment = settings.endpoint(), settings.environment()
    found = []
    if endpoint is not None:
        address, key = endpoint
        found.append(_endpoint(address.text, keys.peek(endpoint_id(address.text)) or key))
    # This is gone through whenever somebody types into a widget.
    for provider in providers.perhaps_callable(environment, keys.providers()):
        if provider.list_path is None or (
            provider.listed_when_moved and not _is_moved(provider, environment)
        ):
            continue
        try:
            access = providers.preflight(provider, environment, keys.peek(provider.id))
        except LLMError:
            continue
        server = _of_provider(provider, access, environment)
        if endpoint is None:
            found.append(server)
        elif not server.is_optional:
            # Who works with an endpoint misses no other server of this machine.
            found.append(replace(server, is_optional=provider.is_local))
    return found


def endpoint_label(address: str) -> str:
    """Host and port of the endpoint at `address`, for people."""
    return urlsplit(api_base(address)).netloc.rpartition("@")[2] or "Endpoint"


def list_url(base_url: str, path: str) -> str:
    return urljoin(f"{base_url}/", path) if path.startswith("..") else base_url + path


def _endpoint(address: str, key: Secret | None) -> Server:
    return Server(
        ENDPOINT,
        endpoint_label(address),
        _identity(ENDPOINT, address, key),
        partial(_ask_endpoint, address, key),
    )


async def _ask_endpoint(address: str, key: Secret | None) -> list[ModelEntry]:
    base, label = api_base(address), endpoint_label(address)
    models, info = await asyncio.gather(
        fetch_json(route(base, "/models"), key, "LLM_API_KEY", patience_s=PATIENCE_S),
        _proxy_info(base, key),
    )
    listed = _read("openai", models, origin_of(base), everything=True)
    return [at_endpoint(model, label, info.get(model.id)) for model in listed]


async def _proxy_info(base: str, key: Secret | None) -> dict[str, listing_formats.Listed]:
    """The facts that a LiteLLM proxy reports on its models to permitted callers; empty for all others."""
    try:
        answer = await fetch_json(route(base, "/model/info"), key, "LLM_API_KEY", patience_s=PATIENCE_S / 2)
    except LLMError:
        return {}
    return listing_formats.read_proxy_info(answer)


def _of_provider(provider: Provider, access: providers.ProviderAccess, environment: dict[str, str]) -> Server:
    return Server(
        provider.id,
        provider.label,
        _identity(provider.id, access.base_url, access.api_key),
        partial(ask_provider, provider, access),
        _LOCAL_PATIENCE_S if access.is_local else PATIENCE_S,
        is_optional=provider.is_local and not _is_moved(provider, environment),
    )


def _is_moved(provider: Provider, environment: dict[str, str]) -> bool:
    return any(environment.get(name, "").strip() for name in provider.base_variables)


async def ask_provider(
    provider: Provider, access: providers.ProviderAccess, patience_s: float = PATIENCE_S
) -> list[ModelEntry]:
    """Ask `provider` for its list of models. Raises `LLMError`."""
    answer = await fetch_json(
        list_url(access.base_url, provider.list_path or "/models"),
        access.api_key,
        access.key_variable or provider.key_variables[0],
        style=provider.list_style,
        label=provider.label,
        patience_s=patience_s,
    )
    source = "local_server" if provider.is_local else "provider"
    style, each = provider.list_style, provider.list_prices_per
    listed = _read(style, answer, provider.label, prices_per=each)
    return [of_provider(provider, model, source) for model in listed]


def _read(
    style: str, answer: object, who: str, *, everything: bool = False, prices_per: int = 1
) -> list[listing_formats.Listed]:
    try:
        return listing_formats.read(style, answer, everything=everything, prices_per=prices_per)
    except ValueError:
        raise MalformedAnswer(f"The answer from {who} is not a model list.") from None


def _identity(id: str, address: str, key: Secret | None) -> str:
    mark = hashlib.blake2b((key.reveal() if key else "").encode(), digest_size=16).hexdigest()
    return f"{id} {address} {mark}"

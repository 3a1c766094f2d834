"""The addresses at which providers with a format of their own speak OpenAI's, too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...llm_backends.errors import NotConfigured
from ...llm_backends.remote.http_client import origin_of
from ...llm_backends.types import Secret
from . import address, keys
from .table import Provider

_ROUTE = re.compile(r"/chat/completions/?$")
# Azure's, of which a word such as preview stands for another path.
_DATE = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")


def parameters(
    provider: Provider, env: Mapping[str, str], base_url: str, pieces: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what a call to the provider's compatible address needs besides a key; None where it is unknown.

    `base_url` is the provider's own address, `pieces` are those of addresses. The key of a provider that was
    moved stays at the server to which it was moved. Raises `NotConfigured`.
    """
    there = provider.compatible
    if there is None:
        return None
    variable = _named_by(provider, env)
    if variable:
        base = address.moved(provider, variable, _ROUTE.sub("", env[variable].strip()))
        if origin_of(base) != origin_of(base_url):
            raise NotConfigured(
                f"{variable} names another server than {origin_of(base_url)}, where {provider.label} is.",
                hint=f"Write an address at {origin_of(base_url)} into {variable}, or set "
                f"{provider.base_variables[0]} to the other server, too.",
                provider=provider.id,
            )
    elif not _is_certain(provider, env, pieces.get("api_version", "")):
        return None
    else:
        base = _below(there.base, base_url).format_map({**pieces, "base": base_url, "model": "{model}"})
    return {
        "base": base,
        "query": there.query.format_map(pieces),
        "key_header": there.key_header,
        "lacks": list(there.lacks),
        "dialect": there.dialect,
    }


def _below(template: str, base_url: str) -> str:
    """`template` without a path that `base_url` ends with already."""
    below = template.removeprefix("{base}")
    return "{base}" if below != template and below and base_url.endswith(below) else template


def is_known(provider: Provider, env: Mapping[str, str], session_key: Secret | None = None) -> bool:
    """Tell, without a look at what else is missing, whether calls to `provider` can go to a compatible
    address."""
    there = provider.compatible
    if there is None:
        return False
    signs = any(env.get(name, "").strip() for name in provider.key_pair.values())
    if signs and keys.key_of(provider, env, session_key)[0] is None:
        return False  # a pair of keys signs, and is sent to nobody
    versions = (env.get(name, "").strip() for name in provider.needed_variables.get("api_version", ()))
    return bool(_named_by(provider, env)) or _is_certain(provider, env, next(filter(None, versions), ""))


def _is_certain(provider: Provider, env: Mapping[str, str], api_version: str) -> bool:
    """Tell whether the address that the table has is the right one, wherever the provider was moved."""
    there = provider.compatible
    if there is None or (api_version and not _DATE.fullmatch(api_version)):
        return False
    return there.follows or not is_moved(provider, env)


def is_moved(provider: Provider, env: Mapping[str, str]) -> bool:
    """Tell whether a variable names another address for `provider`."""
    return any(env.get(name, "").strip() for name in provider.base_variables)


def _named_by(provider: Provider, env: Mapping[str, str]) -> str:
    return next((name for name in provider.compatible_variables if env.get(name, "").strip()), "")

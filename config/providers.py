"""Providers: their table, and a preflight that tells whether one can be called.

Nothing here touches the network or litellm. The table is read at first use.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..llm_backends.errors import MissingKey, NotConfigured
from ..llm_backends.host import program
from ..llm_backends.system.loopback import leads_to_loopback
from ..llm_backends.types import Secret

# The ids of the table, so that a combo box can be filled without reading YAML. A test keeps them equal.
_IDS = (
    "ollama",
    "openai",
    "anthropic",
    "gemini",
    "groq",
    "openrouter",
    "huggingface",
    "together_ai",
    "deepseek",
    "azure",
    "bedrock",
    "hosted_vllm",
    "mistral",
    "cohere",
    "replicate",
    "lm_studio",
)
_SECRET_ARGUMENTS = ("secret", "token", "access_key_id")


@dataclass(frozen=True)
class Provider:
    """A row of the table.

    `litellm_prefix` is its name in litellm, `price_prefix` that of its prices in litellm's list.
    `key_variables` begin with the one that messages name. `default_base_url` may hold ``{argument}``s of
    `needed_variables`, for which `defaults` may stand in. `hub` names organisations of the Hugging Face hub
    that are called like the provider, with globs of their repositories. `schema`, `vision` and `tools` say
    what its models do as a rule, None for "depends". `models` are suggested ids without the provider's name.
    `list_path` is the path of its model list, in the format `list_style`, and `check_path` one that only a
    valid key opens: None where there is none.
    """

    id: str
    label: str
    litellm_prefix: str
    price_prefix: str
    key_variables: tuple[str, ...]
    key_url: str
    key_optional: bool = False
    key_pair: Mapping[str, str] = field(default_factory=dict)
    default_base_url: str | None = None
    base_variable: str | None = None
    needed_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    hub: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_local: bool = False
    max_concurrency: int = 16
    retries: int = 2
    schema: bool | None = None
    vision: bool | None = None
    tools: bool | None = None
    models: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    list_style: str = "openai"
    list_path: str | None = "/models"
    check_path: str | None = "/models"


@dataclass(frozen=True)
class ProviderAccess:
    """The access to a provider: its key, its address, its own arguments (secrets as `Secret`).

    `key_variable` names the variable from which the key came, or should come; `is_local` says that the
    address is this machine's.
    """

    api_key: Secret | None
    base_url: str
    params: Mapping[str, Any]
    key_variable: str | None = None
    is_local: bool = False


@dataclass(frozen=True)
class KeyStatus:
    """The status of a provider's key: whether a call is possible, and the key's origin; never the key."""

    configured: bool
    source: str = ""
    missing: str = ""


def names() -> tuple[str, ...]:
    """The ids of all providers, without reading the table."""
    return _IDS


def every() -> tuple[Provider, ...]:
    """All providers, in the table's order."""
    return tuple(_table().values())


def get(id: str) -> Provider:
    """The provider of that id or alias. Raises `NotConfigured` for an unknown one."""
    provider = _by_name().get(id)
    if provider is None:
        raise NotConfigured(f"There is no provider {id!r}.", hint=_choices(id))
    return provider


def examples() -> list[str]:
    """A few model ids for messages: one that needs no key, and some that do."""
    return [f"{id}/{_table()[id].models[0]}" for id in ("ollama", "openai", "anthropic", "gemini")]


def split(model_id: str) -> tuple[Provider, str] | None:
    """Split ``provider/model`` at the first ``/`` only into provider and rest; None where it names none."""
    name, slash, rest = model_id.partition("/")
    provider = _by_name().get(name) if slash and rest else None
    return (provider, rest) if provider else None


def is_on_hub(model_id: str) -> bool:
    """Tell whether an id is a repository of the Hugging Face hub although a provider is named like it."""
    name, _, rest = model_id.partition("/")
    provider = _by_name().get(name)
    globs = provider.hub.get(name, ()) if provider else ()
    return any(fnmatchcase(rest, glob) for glob in globs if glob[0] != "!") and not any(
        fnmatchcase(rest, glob[1:]) for glob in globs if glob[0] == "!"
    )


def taken_for_repository(model_id: str) -> str:
    """Explain in a sentence why an id is taken for a repository; empty where its provider is known."""
    name = model_id.partition("/")[0]
    if name in _by_name():
        return ""
    close = difflib.get_close_matches(name.lower(), _by_name(), n=2, cutoff=0.75)
    meant = f" (did you mean {' or '.join(close)}?)" if close else ""
    return f"There is no provider {name}{meant}, so {model_id} is read as a Hugging Face repository."


def check_model_id(model_id: str) -> tuple[Provider, str]:
    """Split a model id into provider and rest. Raises `NotConfigured` for an id that names no provider.

    Every id goes through here before litellm sees it: there, some prefixes log in or call out by themselves.
    """
    if "://" in model_id:
        raise NotConfigured(
            "A model id cannot contain an address.",
            hint="Put the address into LLM_BASE_URL, and only the model name into LLM_MODEL.",
        )
    if not model_id.isprintable() or model_id != model_id.strip() or " " in model_id:
        raise NotConfigured(
            f"{model_id!r} is not a valid model id.", hint="Use provider/model, without spaces."
        )
    found = split(model_id)
    if found is not None:
        return found
    name, slash, rest = model_id.partition("/")
    if not slash or not rest:
        raise NotConfigured(
            f"{model_id!r} does not name a provider.",
            hint=f"Use provider/model, for example {' or '.join(examples()[:2])}.",
        )
    close = difflib.get_close_matches(name.lower(), _by_name(), n=2, cutoff=0.75)
    if not close and "/" not in rest:
        raise NotConfigured(
            f"{model_id} looks like a Hugging Face id, and {name!r} is not a known provider.",
            hint=f"Set llm_mode to hf_download to run it on this machine, or use huggingface/{model_id} "
            f"for Hugging Face's own service. {_choices(name)}",
        )
    raise NotConfigured(f"There is no provider {name!r}.", hint=_choices(name))


def preflight(
    provider: Provider, env: Mapping[str, str], session_key: Secret | None = None
) -> ProviderAccess:
    """Gather all that a call to `provider` needs, from the session's key and the variables `env`.

    Sends nothing. Raises `MissingKey` or `NotConfigured`, naming the exact variable that is missing.
    """
    params: dict[str, Any] = {"custom_llm_provider": provider.litellm_prefix}
    if provider.price_prefix != provider.litellm_prefix:
        params["price_prefix"] = provider.price_prefix
    key, variable = _key(provider, env, session_key)
    if key is None and provider.key_pair and not provider.key_optional:
        params |= _pair(provider, env)
    elif key is None and not provider.key_optional:
        raise _missing_key(provider, provider.key_variables[0])
    for argument, variables in provider.needed_variables.items():
        value = _first(env, variables) or provider.defaults.get(argument, "")
        if not value:
            raise _missing_variable(provider, variables[0])
        params[argument] = value
    if key is None:
        for argument, variables in provider.optional_variables.items():
            if value := _first(env, variables):
                params[argument] = _wrap(argument, value)
    base_url = _base_url(provider, env, params)
    return ProviderAccess(key, base_url, params, variable, provider.is_local and leads_to_loopback(base_url))


def key_status(provider: Provider, env: Mapping[str, str], session_key: Secret | None = None) -> KeyStatus:
    """Tell whether `provider` can be called as things stand, and if not, which variable is missing."""
    try:
        access = preflight(provider, env, session_key)
    except (MissingKey, NotConfigured) as error:
        return KeyStatus(configured=False, missing=error.message)
    if access.api_key is None:
        return KeyStatus(configured=True, source="no key needed" if provider.key_optional else "environment")
    return KeyStatus(configured=True, source="session" if session_key is not None else "environment")


def _key(provider: Provider, env: Mapping[str, str], session_key: Secret | None) -> tuple[Secret | None, str]:
    if session_key is not None:
        return session_key, provider.key_variables[0]
    for variable in provider.key_variables:
        if value := env.get(variable, "").strip():
            return Secret(value), variable
    return None, provider.key_variables[0]


def _pair(provider: Provider, env: Mapping[str, str]) -> dict[str, Secret]:
    given = {argument: env.get(variable, "").strip() for argument, variable in provider.key_pair.items()}
    if not any(given.values()):
        raise _missing_key(provider, provider.key_variables[0], *provider.key_pair.values())
    for argument, value in given.items():
        if not value:
            raise _missing_key(provider, provider.key_pair[argument])
    return {argument: Secret(value) for argument, value in given.items()}


def _base_url(provider: Provider, env: Mapping[str, str], params: Mapping[str, Any]) -> str:
    variable = provider.base_variable
    base = env.get(variable, "").strip() if variable else ""
    if not base and provider.default_base_url is None:
        raise _missing_variable(provider, variable or "")
    url = base or (provider.default_base_url or "").format_map(params)
    if base and "://" not in base:
        url = f"http://{base}"
    # A bind address is what OLLAMA_HOST and the like hold; no server can be called there.
    url = url.replace("://0.0.0.0", "://127.0.0.1").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(
            f"{variable} is not a valid address.",
            hint="Use an address such as https://host/path.",
        )
    return url


def _missing_key(provider: Provider, *variables: str) -> MissingKey:
    either = variables[0] if len(variables) == 1 else f"{variables[0]}, or {' and '.join(variables[1:])}"
    return MissingKey(
        f"{provider.label} needs a key, but {either} is not set.",
        hint=f"Enter the key in Quillwork's settings, or add {variables[0]} to Quillwork's .env, and run "
        f"again. If you set it in the environment, restart {program()}. Get a key: "
        f"{provider.key_url}",
        provider=provider.id,
    )


def _missing_variable(provider: Provider, variable: str) -> NotConfigured:
    return NotConfigured(
        f"{provider.label} needs {variable}, which is not set.",
        hint=f"Add {variable} to Quillwork's .env and run again, or set it in the environment and "
        f"restart {program()}.",
        provider=provider.id,
    )


def _first(env: Mapping[str, str], variables: tuple[str, ...]) -> str:
    return next((value for name in variables if (value := env.get(name, "").strip())), "")


def _wrap(argument: str, value: str) -> Any:
    return Secret(value) if any(word in argument for word in _SECRET_ARGUMENTS) else value


def _choices(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), _by_name(), n=2, cutoff=0.6)
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    return f"{meant}Providers: {', '.join(_IDS)}."


@functools.cache
def _table() -> dict[str, Provider]:
    import yaml

    rows = yaml.safe_load(Path(__file__).with_name("providers.yaml").read_text(encoding="utf-8"))
    return {id: _provider(id, row) for id, row in rows.items()}


@functools.cache
def _by_name() -> dict[str, Provider]:
    named = {alias: provider for provider in every() for alias in provider.aliases}
    return {**named, **_table()}


def _provider(id: str, row: Mapping[str, Any]) -> Provider:
    prefix = row.get("prefix", id)
    known = row.get("known", {})
    listing = row.get("list", {})
    listing = {"path": None} if listing == "none" else {"path": "/models", **listing}
    check = row.get("check", listing["path"])
    return Provider(
        id=id,
        label=row["label"],
        litellm_prefix=prefix,
        price_prefix=row.get("price_prefix", prefix),
        key_variables=tuple(row["key"]),
        key_url=row["key_url"],
        key_optional=row.get("key_optional", False),
        key_pair=row.get("pair", {}),
        default_base_url=row.get("base"),
        base_variable=row.get("base_from"),
        needed_variables={name: tuple(variables) for name, variables in row.get("needs", {}).items()},
        optional_variables={name: tuple(variables) for name, variables in row.get("may", {}).items()},
        defaults=row.get("defaults", {}),
        hub={name: tuple(globs) for name, globs in row.get("hub", {}).items()},
        is_local=row.get("local", False),
        max_concurrency=row.get("concurrency", 16),
        retries=row.get("retries", 2),
        schema=known.get("schema"),
        vision=known.get("vision"),
        tools=known.get("tools"),
        models=tuple(row.get("models", ())),
        aliases=tuple(row.get("aliases", ())),
        list_style=listing.get("style", "openai"),
        list_path=listing["path"],
        check_path=None if check == "none" else check,
    )

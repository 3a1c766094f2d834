"""Providers: their table, and a preflight that tells whether one can be called.

Nothing here touches the network or litellm. The table is read at first use.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ...llm_backends.errors import MissingKey, NotConfigured
from ...llm_backends.system.command_line import command
from ...llm_backends.system.loopback import leads_to_loopback
from ...llm_backends.types import Secret
from ..access import key_files
from . import address, compatible, keys, litellm_table, table
from . import own as own_providers
from .table import Provider

_LISTED = "`{command}` lists all providers."
# A piece of an address: what would end the host's name, or the path, is none.
_PIECE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Amazon's and Oracle's, IBM's and Google's: the first one that fits a provider's examples is its own.
_REGIONS = tuple(
    map(re.compile, (r"[a-z]{2,4}(?:-[a-z]+)+-\d+", r"[a-z]{2,4}-[a-z]+", r"[a-z]+(?:-[a-z]+\d*)*"))
)
_SECRET_ARGUMENTS = ("secret", "token", "access_key_id")


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
    """The status of a provider's key: whether a call is possible, and the key's origin; never the key.
    One with an origin that cannot be called for another reason has that in `missing`."""

    configured: bool
    source: str = ""
    missing: str = ""


def names() -> tuple[str, ...]:
    """The ids of all providers, without reading the table."""
    return (*table.ids(), *own_providers.rows())


def every() -> tuple[Provider, ...]:
    """All providers, in the table's order, and then the user's own."""
    return tuple(_table().values())


def perhaps_callable(env: Mapping[str, str], typed: Iterable[str]) -> list[Provider]:
    """The providers for which something is set that may serve as a key, those of `typed` keys among them, and
    those that need none: a choice of a few that costs less than a preflight of each."""
    users = table.users_of_variables()
    found = {id for variable in users.keys() & env.keys() for id in users[variable]}
    rows = _table()
    found |= {*users[""], *typed, *(rows.keys() - table.rows().keys())}
    return [row for id, row in rows.items() if id in found]


def get(id: str) -> Provider:
    """The provider of that id or alias. Raises `NotConfigured` for an unknown one."""
    provider = _by_name().get(id)
    if provider is None:
        own_providers.refuse_faulty(id)
        provider = _unchecked(id)
    if provider is None:
        raise NotConfigured(f"There is no provider {id!r}.", hint=_choices(id))
    return provider


def matching(text: str, among: Iterable[Provider]) -> list[Provider]:
    """The providers `among` that may be meant by `text`, the likeliest first: a part of a name, an id, an
    alias or a key variable, or where it is none of these of a model. Only the one whose id it is, if there is
    one."""
    wanted = text.strip().casefold()
    ranked, rows = [], list(among) if wanted else []
    for row in rows:
        names = [name.casefold() for name in (row.id, row.label, *row.aliases)]
        if wanted == row.id:
            return [row]
        if any(wanted in name for name in (*names, *map(str.casefold, row.key_variables))):
            ranked.append((wanted not in names, not any(name.startswith(wanted) for name in names), row))
    if not ranked:
        return [row for row in rows if any(wanted in model.casefold() for model in row.models)]
    return [row for *_, row in sorted(ranked, key=lambda one: one[:2])]


def nearest(text: str, among: Iterable[Provider]) -> Provider | None:
    """The provider `among` whose name, id or alias is spelled most like `text`; None where none is."""
    named = {name.casefold(): row for row in among for name in (*row.aliases, row.label, row.id)}
    close = difflib.get_close_matches(text.strip().casefold(), named, n=1, cutoff=0.6)
    return named[close[0]] if close else None


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
    return provider is not None and table.holds(provider.hub.get(name, ()), rest)


def refuse_faulty(model_id: str) -> None:
    """Raise `NotConfigured` for a model of a row of the user's own that has a fault."""
    own_providers.refuse_faulty(model_id.partition("/")[0])


def refuse_uncalled(model_id: str, hint: str = "") -> None:
    """Raise `NotConfigured` for a model of a provider that litellm knows and this pack does not call."""
    name = model_id.partition("/")[0]
    if reason := table.refused().get(name):
        listed = _LISTED.format(command=_listing())
        raise NotConfigured(f"{name} is not called: {reason}.", hint=f"{hint} {listed}".strip())


def taken_for_repository(model_id: str) -> str:
    """Explain in a sentence why an id is taken for a repository; empty where its provider is known."""
    name, _, rest = model_id.partition("/")
    if name in _by_name():
        return ""
    close = [] if _is_organisation(name, rest) else _near(name)
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
    own_providers.refuse_faulty(name)
    refuse_uncalled(model_id)
    if provider := _unchecked(name):
        return provider, rest
    on_hub = "/" not in rest and (_is_organisation(name, rest) or not _near(name))
    if on_hub:
        raise NotConfigured(
            f"{model_id} looks like a Hugging Face id, and {name!r} is not a known provider.",
            hint=f"Set llm_mode to hf_download to run it on this machine, or use huggingface/{model_id} "
            f"for Hugging Face's own service. {_LISTED.format(command=_listing())}",
        )
    raise NotConfigured(f"There is no provider {name!r}.", hint=_choices(name, rest))


def preflight(
    provider: Provider, env: Mapping[str, str], session_key: Secret | None = None
) -> ProviderAccess:
    """Gather all that a call to `provider` needs, from the session's key and the variables `env`.

    Sends nothing. Raises `MissingKey` or `NotConfigured`, naming the exact variable that is missing.
    """
    params: dict[str, Any] = {"custom_llm_provider": provider.litellm_prefix}
    if provider.wire:
        params["wire"] = provider.wire
    if provider.dialect:
        params["dialect"] = provider.dialect
    if provider.price_prefix != provider.litellm_prefix:
        params["price_prefix"] = provider.price_prefix
    for name, value in (("key_argument", provider.key_argument), ("package", provider.package)):
        if value:
            params[name] = value
    key, variable = keys.key_of(provider, env, session_key)
    if key is None and provider.key_pair and not provider.key_optional:
        params |= keys.pair_of(provider, env)
    elif key is None and not provider.key_optional:
        raise keys.missing_key(provider, provider.key_variables[0])
    account = None
    if key is not None and provider.credentials == "service_account":
        account = key_files.service_account(key.reveal(), variable)
        key, env = account.key, {provider.place_variables["project"][0]: account.project, **env}
    elif key is not None and provider.credentials:
        key = key_files.private_key(key.reveal(), variable)
    for argument, variables in provider.needed_variables.items():
        value = _first(env, variables) or _in_address(provider, env, argument)
        value = value or provider.defaults.get(argument, "")
        if not value:
            raise keys.missing_variable(provider, variables[0])
        params[argument] = _wrap(argument, value)
    if key is None or provider.key_argument:
        for argument, variables in provider.optional_variables.items():
            if value := _first(env, variables):
                params[argument] = _wrap(argument, value)
    if provider.exchange:
        params["token_exchange"] = _exchange(provider, env, account)
    base_url = _base_url(provider, env, params)
    if key is not None or provider.key_optional:
        pieces = _pieces(provider, env, params) if provider.compatible else {}
        if there := compatible.parameters(provider, env, base_url, pieces):
            params["compatible"] = there
        elif provider.compatible_variables and key is not None:
            params["compatible_variable"] = provider.compatible_variables[0]
    if region := _region_in(provider, env, base_url):
        params["region_from"] = region
    if provider.headers:
        pieces = _pieces(provider, env, params)
        params["extra_headers"] = {name: text.format_map(pieces) for name, text in provider.headers.items()}
    return ProviderAccess(key, base_url, params, variable, provider.is_local and leads_to_loopback(base_url))


def _exchange(
    provider: Provider, env: Mapping[str, str], account: key_files.ServiceAccount | None
) -> dict[str, str]:
    """Return what the exchange of the key for a token needs besides the key."""
    variable = next((name for name in provider.token_variables if env.get(name, "").strip()), "")
    url = address.moved(provider, variable, env[variable]) if variable else provider.token_url
    exchange = {"kind": provider.exchange, "url": url}
    if scope := _first(env, provider.scope_variables):
        exchange["scope"] = scope
    if account is not None:
        exchange |= {"account": account.email, "key_id": account.key_id}
    return exchange


def remarks(provider: Provider, env: Mapping[str, str], session_key: Secret | None = None) -> list[str]:
    """Say in a sentence each what is odd about the key of `provider`, which is sent all the same."""
    return keys.remarks(provider, every(), env, session_key)


def key_status(provider: Provider, env: Mapping[str, str], session_key: Secret | None = None) -> KeyStatus:
    """Tell whether `provider` can be called as things stand, and if not, which variable is missing."""
    try:
        access = preflight(provider, env, session_key)
    except (MissingKey, NotConfigured) as error:
        variables = (*provider.key_variables, *provider.key_pair.values())
        source = "environment" if any(env.get(name, "").strip() for name in variables) else ""
        source = "session" if session_key is not None else source
        is_there = isinstance(error, NotConfigured)
        return KeyStatus(configured=False, source=source if is_there else "", missing=error.message)
    if access.api_key is None:
        return KeyStatus(configured=True, source="no key needed" if provider.key_optional else "environment")
    return KeyStatus(configured=True, source="session" if session_key is not None else "environment")


def _base_url(provider: Provider, env: Mapping[str, str], params: Mapping[str, Any]) -> str:
    variable = next((name for name in provider.base_variables if env.get(name, "").strip()), "")
    if variable:
        return address.moved(provider, variable, env[variable].strip())
    if provider.default_base_url is None:
        raise keys.missing_variable(provider, provider.base_variables[0])
    pieces = _pieces(provider, env, params)
    # The one region of Google's that has no name in the address.
    return provider.default_base_url.format_map(pieces).replace("//global-", "//")


def _region_in(provider: Provider, env: Mapping[str, str], base_url: str) -> str:
    """The variable and the region that it puts into `base_url`, for a reader; empty where there is none."""
    for piece, variables in (*provider.place_variables.items(), *provider.needed_variables.items()):
        variable = next((name for name in variables if env.get(name, "").strip()), "")
        is_region = "region" in piece or "location" in piece
        if is_region and variable and env[variable].strip() in (urlsplit(base_url).hostname or ""):
            return f"{variable} is {env[variable].strip()}"
    return ""


def _pieces(provider: Provider, env: Mapping[str, str], params: Mapping[str, Any]) -> dict[str, str]:
    """The pieces of an address. Raises `NotConfigured` for one that is missing, or cannot be one."""
    pieces = {name: value for name, value in params.items() if isinstance(value, str)}
    for piece, variables in provider.place_variables.items():
        value = _first(env, variables) or provider.defaults.get(piece, "")
        if not value:
            raise keys.missing_variable(provider, variables[0])
        pieces[piece] = value
    shown = f"{provider.default_base_url} {' '.join(provider.headers.values())}"
    for piece, variables in (*provider.place_variables.items(), *provider.needed_variables.items()):
        if f"{{{piece}}}" in shown:
            variable = next((name for name in variables if env.get(name)), variables[0])
            _check_piece(provider, piece, pieces[piece], variable)
    return pieces


def _check_piece(provider: Provider, piece: str, value: str, variable: str) -> None:
    if not _PIECE.fullmatch(value):
        raise NotConfigured(
            f"{variable} is {value!r}, which cannot be a part of an address.",
            hint=f"Write the plain name of the {piece} into {variable}.",
        )
    like = next((like for like in _REGIONS if all(map(like.fullmatch, provider.regions))), None)
    if ("region" in piece or "location" in piece) and like is not None and not like.fullmatch(value):
        raise NotConfigured(
            f"{variable} is {value!r}, which is no region.",
            hint=f"Write one such as {' or '.join(provider.regions[:2])} into {variable}.",
        )


def _in_address(provider: Provider, env: Mapping[str, str], argument: str) -> str:
    """The argument as Azure writes it behind an address (``?api-version=``); empty where it is not there."""
    base = _first(env, provider.base_variables)
    return dict(parse_qsl(base.strip("\"' ").partition("?")[2])).get(argument.replace("_", "-"), "")


def _first(env: Mapping[str, str], variables: tuple[str, ...]) -> str:
    return next((value for name in variables if (value := env.get(name, "").strip())), "")


def _wrap(argument: str, value: str) -> Any:
    return Secret(value) if any(word in argument for word in _SECRET_ARGUMENTS) else value


def _unchecked(name: str) -> Provider | None:
    """A row for a provider that the installed litellm knows and the table does not, as a newer one may: with
    key and address from variables of its name. None for any other name."""
    if name in table.refused() or not litellm_table.knows(name):
        return None
    row = {
        "label": f"{name} (not checked by Quillwork)",
        "key": [table.variable_of(name, "API_KEY")],
        "key_url": "https://docs.litellm.ai/docs/providers",
        "list": "none",
    }
    return table.row_of(name, row)


def _choices(name: str, rest: str = "") -> str:
    meant = " or ".join(f"{close}/{rest}" if rest else close for close in _near(name))
    return (f"Did you mean {meant}? " if meant else "") + _LISTED.format(command=_listing())


def _listing() -> str:
    return command("providers", "--all")


def _near(name: str) -> list[str]:
    """The ids and aliases that may be meant by `name`."""
    low = name.lower()
    if low in _by_name():
        return [low]
    return difflib.get_close_matches(low.replace("-", "_"), _by_name(), n=2, cutoff=0.75)


def _is_organisation(name: str, rest: str) -> bool:
    """Tell whether an organisation of the hub that resembles a provider is called `name` and holds `rest`."""
    return any(
        organisation.lower() == name.lower() and table.holds(globs, rest)
        for provider in every()
        for organisation, globs in provider.hub.items()
    )


def _table() -> Mapping[str, Provider]:
    own = own_providers.rows()
    return {**table.rows(), **own} if own else table.rows()


def _by_name() -> Mapping[str, Provider]:
    own = own_providers.by_name()
    return {**table.by_name(), **own} if own else table.by_name()

"""The keys of providers: where they are, what is missing, and what is odd about one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...llm_backends.errors import MissingKey, NotConfigured
from ...llm_backends.host import program
from ...llm_backends.types import Secret
from ..settings.values import given_key
from .table import Provider


def key_of(
    provider: Provider, env: Mapping[str, str], session_key: Secret | None
) -> tuple[Secret | None, str]:
    """The key of `provider` and the variable that it is in, or should be."""
    if session_key is not None:
        return session_key, provider.key_variables[0]
    for variable in provider.key_variables:
        if value := env.get(variable, "").strip():
            return (Secret(value) if provider.credentials else given_key(value, variable)), variable
    return None, provider.key_variables[0]


def pair_of(provider: Provider, env: Mapping[str, str]) -> dict[str, Secret]:
    """The keys that serve in place of the one, by argument. Raises `MissingKey`."""
    given = {argument: env.get(variable, "").strip() for argument, variable in provider.key_pair.items()}
    if not any(given.values()):
        raise missing_key(provider, provider.key_variables[0], *provider.key_pair.values())
    for argument, value in given.items():
        if not value:
            raise missing_key(provider, provider.key_pair[argument])
    return {argument: given_key(value, provider.key_pair[argument]) for argument, value in given.items()}


def missing_key(provider: Provider, *variables: str) -> MissingKey:
    """The error for a key that is in none of `variables`."""
    either = variables[0] if len(variables) == 1 else f"{variables[0]}, or {' and '.join(variables[1:])}"
    return MissingKey(
        f"{provider.label} needs a key, but {either} is not set.",
        hint=f"Enter the key in Quillwork's settings, or add {variables[0]} to Quillwork's .env, and run "
        f"again. If you set it in the environment, restart {program()}. Get a key: "
        f"{provider.key_url}",
        provider=provider.id,
    )


def missing_variable(provider: Provider, variable: str) -> NotConfigured:
    """The error for something else than a key that `provider` needs."""
    return NotConfigured(
        f"{provider.label} needs {variable}, which is not set.",
        hint=f"Add {variable} to Quillwork's .env and run again, or set it in the environment and "
        f"restart {program()}.",
        provider=provider.id,
    )


def remarks(
    provider: Provider,
    others: Iterable[Provider],
    env: Mapping[str, str],
    session_key: Secret | None = None,
) -> list[str]:
    """Say in a sentence each, without the key, what is odd about the key of `provider`: it may be that of one
    of the `others`. It is sent all the same."""
    said = []
    given = {name: text.strip() for name in provider.key_variables if (text := env.get(name, "")).strip()}
    if session_key is None and len(set(given.values())) > 1:
        used, *unused = given
        said.append(f"{used} is used, and not the other key of {provider.label} in {' and '.join(unused)}.")
    key, variable = key_of(provider, env, session_key)
    is_moved = any(env.get(name, "").strip() for name in provider.base_variables)
    if key is None or is_moved or not provider.key_starts:
        return said
    text = key.reveal()
    fitting = {start: row for row in others for start in row.key_starts if text.startswith(start)}
    closest = max(fitting, key=len, default="")
    if not text.startswith(provider.key_starts):
        starts = " or ".join(provider.key_starts)
        said.append(f"Keys of {provider.label} begin with {starts}, unlike the one in {variable}.")
    elif closest not in provider.key_starts:
        said.append(f"The key in {variable} begins with {closest}, as those of {fitting[closest].label} do.")
    return said

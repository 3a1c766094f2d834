"""Consents given on this machine: a shared workflow may not spend its user's money unasked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ...llm_backends.errors import ConsentNeeded, NotConfigured
from ...llm_backends.host import program
from ...llm_backends.remote.http_client import origin_of
from ...llm_backends.system.command_line import command
from ...llm_backends.system.files import write_whole
from .. import providers
from ..settings.values import Settings, load

DOWNLOADS = "downloads"
# The tool with which a model writes into the user's library.
ADDING = "variables.add"
# Before the path of a folder in which workflows may write captions, and in all folders in it.
FOLDER = "folder:"
_EXCHANGE = ".token"
_FILE = "consent.json"


def everything() -> list[str]:
    """List all that can be consented to: the ids of the providers, their exchanges of keys, ``downloads``,
    ``variables.add``."""
    exchanges = [f"{provider.id}{_EXCHANGE}" for provider in providers.every() if provider.exchange]
    return [*providers.names(), *exchanges, DOWNLOADS, ADDING]


def can_be_given(what: str) -> bool:
    """Tell whether there is such a consent: one of `everything`, or ``folder:`` and a folder's whole path."""
    if what.startswith(FOLDER):
        folder = Path(what.removeprefix(FOLDER))
        return folder.is_absolute() and folder.is_dir()
    return what in everything()


def is_allowed(what: str, settings: Settings) -> bool:
    """Tell whether workflows may use `what`, one of `everything`."""
    return what in given(settings)


def given(settings: Settings) -> set[str]:
    """All that workflows may use, by setting or by a recorded consent."""
    return {*settings.items("LLM_ALLOW"), *_recorded(settings.folder)}


def allow(what: str, folder: Path) -> None:
    """Record the user's consent in `folder` for good."""
    recorded = sorted({*_recorded(folder), what})
    try:
        write_whole(folder / _FILE, json.dumps({"allowed": recorded}, indent=1))
    except OSError as error:
        raise NotConfigured(
            f"Your permission for {what} could not be saved in {folder} ({error.strerror}).",
            hint=f"Set LLM_ALLOW={what} instead.",
        ) from None


def require(what: str, label: str, settings: Settings) -> None:
    """Raise `ConsentNeeded` unless workflows may use `what`."""
    if not is_allowed(what, settings):
        raise ConsentNeeded(
            f"This workflow uses {label}, which you have not allowed on this machine.",
            hint=f"Allow it once with `{command('setup', '--allow', what)}` or LLM_ALLOW={what}.",
            provider=what,
        )


def require_exchange(
    provider: str, label: str, exchange: Mapping[str, str], key: str, settings: Settings
) -> None:
    """Raise `ConsentNeeded` unless the key of `provider`, in the variable `key`, may be exchanged for a
    token, whoever asks: a further address gets something for it."""
    what = f"{provider}{_EXCHANGE}"
    if not is_allowed(what, settings):
        sent = f"the key in {key}"
        if exchange["kind"] == "google":
            sent = f"a request that is signed with the private key in {key}, not the key itself,"
        raise ConsentNeeded(
            f"{label} takes a token in place of your key: to get one, {sent} is sent to "
            f"{origin_of(exchange['url'])}, which you have not allowed on this machine.",
            hint=f"Allow it once with `{command('setup', '--allow', what)}` or LLM_ALLOW={what}.",
            provider=what,
        )


def require_folder(folder: Path, settings: Settings) -> None:
    """Raise `ConsentNeeded` unless captions may be written in `folder`, a whole path without links."""
    named = (one.removeprefix(FOLDER) for one in given(settings) if one.startswith(FOLDER))
    if any(folder.is_relative_to(Path(one).resolve()) for one in named if one):
        return
    what = f"{FOLDER}{folder}"
    raise ConsentNeeded(
        f"This job writes captions in {folder}, outside the own folders of {program()}, which you have not "
        "allowed on this machine.",
        hint=f"Allow it once with `{command('setup', '--allow', what)}` or LLM_ALLOW={what}.",
        provider=what,
    )


def require_adding() -> None:
    """Raise `ConsentNeeded` unless models may add values to the user's library."""
    require(ADDING, "the tool variables.add, which lets the model add values to your library", load())


def _recorded(folder: Path) -> set[str]:
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return {name for name in content["allowed"] if isinstance(name, str)}
    except (OSError, ValueError, KeyError, TypeError):
        return set()

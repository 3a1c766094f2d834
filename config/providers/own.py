"""The user's own providers: rows of ``providers.yaml`` in the home, each checked before it counts.

They speak OpenAI's format. A row with a fault is left out, and said to be at fault where its provider is
asked for, and by ``doctor``; the others count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...llm_backends import modes
from ...llm_backends.errors import NotConfigured
from ...llm_backends.remote.http_client import origin_of
from ...llm_backends.system.files import Reread, below
from ...llm_backends.system.loopback import leads_to_loopback
from ..settings.home import home
from ..settings.values import warn_once
from ..settings.variables import VARIABLES
from . import address as provider_address
from . import table
from .table import Provider

FILE = "providers.yaml"
_LARGEST_FILE = 256 * 1024
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{1,79}")
_MODEL = re.compile(r"[^\s:]\S{0,199}")
_FIELDS = ("label", "base", "key", "key_url", "key_optional", "models", "aliases", "known", "list")
_KNOWN = ("schema", "vision", "tools")
# Words that say how a model is reached, and that no id may begin with.
_WAYS = ("auto", "direct", "endpoint")


class _Fault(ValueError):
    """A fault of a row, and what to write instead."""


@dataclass(frozen=True)
class _Own:
    rows: Mapping[str, Provider] = field(default_factory=dict)
    by_name: Mapping[str, Provider] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


_NONE = _Own()
_files: Reread[_Own] = Reread()


def rows() -> Mapping[str, Provider]:
    """The user's own providers by id."""
    return _own().rows


def by_name() -> Mapping[str, Provider]:
    """The user's own providers by id and by alias."""
    return _own().by_name


def file() -> Path:
    """The file that holds them."""
    return below(home(), FILE)


def faults() -> tuple[str, ...]:
    """A sentence for each fault in the file."""
    return tuple(_own().faults.values())


def refuse_faulty(name: str) -> None:
    """Raise `NotConfigured` where `name` is a row of the user's that has a fault."""
    if fault := _own().faults.get(name):
        raise NotConfigured(fault, hint=f"Correct it in {file()} and run again.")


def _own() -> _Own:
    try:
        return _files.get(file(), _read)
    except OSError:
        return _NONE


def _read(file: Path) -> _Own:
    from ...safe_yaml import UnreadableYaml, read_yaml

    rows: dict[str, Provider] = {}
    faults: dict[str, str] = {}
    try:
        content = read_yaml(file, _LARGEST_FILE)
        if content is not None and not isinstance(content, dict):
            raise UnreadableYaml(
                file, "this holds no rows; write an id with a colon, and its fields below it."
            )
    except UnreadableYaml as error:
        content, faults[""] = {}, str(error)
    for id, row in (content or {}).items():
        try:
            rows[id] = _provider(id, row, table.named(rows))
        except _Fault as fault:
            faults[id] = f"{FILE}, row {_shown(id)}: {fault}"
        except NotConfigured as error:
            faults[id] = f"{error.message} {error.hint}"
    for said in faults.values():
        warn_once(said)
    return _Own(rows, table.named(rows), faults)


def _provider(id: str, row: object, others: Mapping[str, Provider]) -> Provider:
    if not _ID.fullmatch(id):
        raise _Fault("an id is made of small letters, digits, - and _; write one such as my_server.")
    for name in (id, *_texts(row, "aliases")):
        _check_free(name, others)
    if not isinstance(row, dict):
        raise _Fault("it has no fields; write at least `base: https://host/v1` below it.")
    for name in row:
        if name not in _FIELDS:
            raise _Fault(f"{_shown(name)} is not a field; write one of {', '.join(_FIELDS)}.")
    base, label = _text(row, "base"), _text(row, "label") or id
    if not base:
        raise _Fault("base is missing; write the server's address, such as `base: https://host/v1`.")
    keys = _texts(row, "key") or (table.variable_of(id, "API_KEY"),)
    bare = table.row_of(id, {"label": label, "key": keys, "key_url": "", "wire": "openai"})
    _check_variables(bare)
    address = provider_address.moved(bare, f"{FILE}, row {id}: base", base)
    is_local = leads_to_loopback(address)
    filled = {
        **row,
        "label": label,
        "key": keys,
        "key_url": _page(row) or origin_of(address),
        "key_optional": _flag(row, "key_optional", is_local),
        "base": address,
        "local": is_local,
        "retries": 0 if is_local else 2,
        "wire": "openai",
        "prefix": "openai",
        "price_prefix": id,
        "models": _models(row),
        "aliases": _texts(row, "aliases"),
        "known": _known(row),
        "list": _listing(row),
    }
    return table.row_of(id, filled)


def _check_free(name: str, others: Mapping[str, Provider]) -> None:
    if not _ID.fullmatch(name):
        raise _Fault(f"the alias {_shown(name)} is made of other signs than small letters, digits, - and _.")
    of_modes = {word for mode in modes.rows() for word in (mode.name, *mode.aliases)}
    taken = (table.by_name(), table.refused(), _WAYS, modes.groups(), of_modes)
    if any(name in names for names in taken):
        raise _Fault(f"{name} is a name of Quillwork's own; choose another id for the row.")
    if name in others:
        raise _Fault(f"{name} already stands for {others[name].id}; choose another one.")


def _check_variables(provider: Provider) -> None:
    for variable in provider.key_variables:
        if not _VARIABLE.fullmatch(variable):
            # It may be the key itself, which no message shows.
            raise _Fault(
                "key is the name of a variable, in capitals, such as "
                f"{table.variable_of(provider.id, 'API_KEY')}; the key itself goes into .env."
            )
    for variable in provider.variables:
        if owner := table.variables().get(variable):
            other = "one" if variable in provider.key_variables else "id"
            raise _Fault(f"its variable {variable} is that of {owner}; choose another {other}.")
        if variable in VARIABLES:
            raise _Fault(f"its variable {variable} is a setting of Quillwork's; choose another one.")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.strip().isprintable() or len(value) > 500:
        raise _Fault(f"{name} is not a text on one line; put it in quotes.")
    return value.strip()


def _texts(row: object, name: str) -> tuple[str, ...]:
    value = row.get(name) if isinstance(row, dict) else None
    values = [value] if isinstance(value, str) else value or []
    if not isinstance(values, list) or not all(isinstance(one, str) and one.strip() for one in values):
        raise _Fault(f"{name} is not a list of texts; write it as [one, two].")
    return tuple(one.strip() for one in values)


def _flag(row: Mapping[str, Any], name: str, default: bool) -> bool:
    value = row.get(name, default)
    if not isinstance(value, bool):
        raise _Fault(f"{name} is {_shown(value)}; write true or false.")
    return value


def _page(row: Mapping[str, Any]) -> str:
    page = _text(row, "key_url")
    if page and not page.startswith("https://"):
        raise _Fault("key_url is not a page; write one that begins with https://, or leave it out.")
    return page


def _models(row: Mapping[str, Any]) -> tuple[str, ...]:
    models = _texts(row, "models")
    for model in models:
        if not _MODEL.fullmatch(model) or "://" in model:
            raise _Fault(
                f"the model {_shown(model)} is no id; write it without spaces and without an address."
            )
    return models


def _known(row: Mapping[str, Any]) -> dict[str, bool]:
    known = row.get("known") or {}
    if not isinstance(known, dict) or not all(
        name in _KNOWN and isinstance(value, bool) for name, value in known.items()
    ):
        raise _Fault(f"known says true or false of {', '.join(_KNOWN)}; write {{vision: true}}.")
    return known


def _listing(row: Mapping[str, Any]) -> Any:
    listing = row.get("list")
    if listing not in (None, "none"):
        raise _Fault(
            f"list is {_shown(listing)}; write none where the server lists no models, or leave it out."
        )
    return listing or {}


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and len(text) <= 60 else f"{text[:40]!r} …"

"""The table of providers, read from ``providers.yaml``. Nothing here touches the network or litellm."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("providers.yaml")
_END_OF_ROWS = "\n---\n"
_ID = re.compile(r"^([\w-]+):", re.MULTILINE)


@dataclass(frozen=True)
class Compatible:
    """The address at which a provider with a format of its own speaks OpenAI's, too.

    `base` holds ``{base}`` where it lies below the provider's address, wherever that was moved, and perhaps
    ``{model}``. `query` goes behind the route, `key_header` carries the key where that is no bearer. `lacks`
    are parts of a request that it does not take, or takes and ignores, `dialect` its departures from the
    format, and `models` globs of the models that it serves (``!`` excepts).
    """

    base: str
    query: str = ""
    key_header: str = ""
    lacks: tuple[str, ...] = ()
    dialect: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ("*",)

    @property
    def follows(self) -> bool:
        """Tell whether it lies below the provider's address, wherever that is."""
        return "{base}" in self.base

    def serves(self, model: str) -> bool:
        """Tell whether `model` is one of those at this address."""
        return holds(self.models, model)


@dataclass(frozen=True)
class Provider:
    """A row of the table.

    `litellm_prefix` is its name in litellm, `price_prefix` that of its prices in litellm's list, and `wire`
    the format that it speaks where that is OpenAI's, with `dialect` for its departures; `compatible` is where
    one with another format speaks that, too. `key_variables` begin
    with the one that messages name, `base_variables` likewise. `default_base_url` may hold ``{argument}``s of
    `needed_variables` and `place_variables`, for which `defaults` may stand in. `hub` names organisations of
    the Hugging Face hub that are called like the provider, with globs of their repositories. `schema`,
    `vision` and `tools` say what its models do as a rule, None for "depends". `models` are suggested ids
    without the provider's name. `list_path` is the path of its model list, in the format `list_style`, and
    `check_path` one that only a valid key opens: None where there is none. `listed_when_moved` says that
    nobody looks for the list at the default address, `lists_packaged` that the packaged facts stand in for
    it; the prices in it are those of `list_prices_per` tokens. `exchange` is the kind of the token exchange
    before a call, `token_url` its address and `token_variables` name another one. `credentials` says what the
    key is a file of, if it is, `key_argument` as which argument it goes into a signature, and `package` what
    has to be installed. `headers` may hold pieces as an address does, `key_starts` are what its keys begin
    with, and `model_prefix` goes before a name without a slash.
    """

    id: str
    label: str
    litellm_prefix: str
    price_prefix: str
    key_variables: tuple[str, ...]
    key_url: str
    wire: str = ""
    dialect: Mapping[str, Any] = field(default_factory=dict)
    compatible: Compatible | None = None
    key_optional: bool = False
    key_pair: Mapping[str, str] = field(default_factory=dict)
    default_base_url: str | None = None
    base_variables: tuple[str, ...] = ()
    needed_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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
    listed_when_moved: bool = False
    lists_packaged: bool = False
    list_prices_per: int = 1
    exchange: str = ""
    token_url: str = ""
    token_variables: tuple[str, ...] = ()
    scope_variables: tuple[str, ...] = ()
    credentials: str = ""
    key_argument: str = ""
    package: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    model_prefix: str = ""
    key_starts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ("us-east-1", "eu-central-1")

    @property
    def variables(self) -> tuple[str, ...]:
        """All variables that it reads."""
        groups = (self.needed_variables, self.optional_variables, self.place_variables)
        further = (name for group in groups for names in group.values() for name in names)
        own = (*self.key_variables, *self.key_pair.values(), *self.base_variables)
        return (*own, *self.compatible_variables, *self.token_variables, *self.scope_variables, *further)

    @property
    def compatible_variables(self) -> tuple[str, ...]:
        """The variable that names the compatible address of a provider that was moved, where nobody could
        tell it from that."""
        is_named = self.compatible is not None and not self.compatible.follows
        return (variable_of(self.id, "COMPATIBLE_BASE"),) if is_named else ()

    def speaks_openai(self, model: str) -> bool:
        """Tell whether calls to `model` can be made in OpenAI's format."""
        return self.wire == "openai" or (self.compatible is not None and self.compatible.serves(model))

    @property
    def needs(self) -> tuple[str, ...]:
        """The variables without which it cannot be called, one for each thing that it needs."""
        key = () if self.key_optional else self.key_variables[:1]
        groups = (*self.needed_variables.items(), *self.place_variables.items())
        named = tuple(variables[0] for name, variables in groups if name not in self.defaults)
        return (*key, *named, *(() if self.default_base_url else self.base_variables[:1]))


def holds(globs: tuple[str, ...], name: str) -> bool:
    """Tell whether `name` fits one of the `globs`, and none of those after a ``!``."""
    return any(fnmatchcase(name, glob) for glob in globs if glob[0] != "!") and not any(
        fnmatchcase(name, glob[1:]) for glob in globs if glob[0] == "!"
    )


def variable_of(id: str, end: str) -> str:
    """The name of the variable ``<ID>_<end>`` of the provider `id`."""
    return f"{id.upper().replace('-', '_')}_{end}"


@functools.cache
def ids() -> tuple[str, ...]:
    """The ids of the table, so that a combo box can be filled without reading YAML."""
    return tuple(_ID.findall(_text().partition(_END_OF_ROWS)[0]))


@functools.cache
def rows() -> dict[str, Provider]:
    """The providers by id, in the table's order."""
    return {id: row_of(id, row) for id, row in _documents()[0].items()}


@functools.cache
def users_of_variables() -> Mapping[str, tuple[str, ...]]:
    """The ids of the providers that have a use for a variable, by its name; those that need none are under
    the empty name. Of an address there is a use where it is all that a provider needs."""
    users: dict[str, tuple[str, ...]] = {"": ()}
    for id, row in rows().items():
        variables = {*row.key_variables, *row.key_pair.values()}
        if row.key_optional:
            waits = row.listed_when_moved or row.default_base_url is None
            variables |= set(row.base_variables) if waits else {""}
        for variable in variables:
            users[variable] = (*users.get(variable, ()), id)
    return users


@functools.cache
def by_name() -> Mapping[str, Provider]:
    """The providers by id and by alias."""
    return named(rows())


def named(rows: Mapping[str, Provider]) -> dict[str, Provider]:
    """`rows` by id and by alias."""
    aliases = {alias: provider for provider in rows.values() for alias in provider.aliases}
    return {**aliases, **rows}


@functools.cache
def variables() -> Mapping[str, str]:
    """The ids of the providers by the variables that are theirs: keys, addresses, further arguments."""
    return {variable: id for id, row in rows().items() for variable in row.variables}


@functools.cache
def refused() -> Mapping[str, str]:
    """The reasons why what litellm knows is refused, by its word for it."""
    return {id: group["why"] for group in _documents()[1] for id in group["ids"]}


def _text() -> str:
    return _FILE.read_text(encoding="utf-8")


@functools.cache
def _documents() -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table, reasons = yaml.load_all(_text(), Loader=loader)
    return table, reasons


def row_of(id: str, row: Mapping[str, Any]) -> Provider:
    """The provider `id` out of its row, whose fields the head of ``providers.yaml`` explains."""
    prefix = row.get("prefix", id)
    known = row.get("known", {})
    listing = row.get("list", {})
    packaged = listing == "packaged"
    listing = {"path": None} if packaged or listing == "none" else {"path": "/models", **listing}
    check = row.get("check", listing["path"])
    exchange = row.get("exchange", {})
    return Provider(
        id=id,
        label=row["label"],
        litellm_prefix=prefix,
        price_prefix=row.get("price_prefix", prefix),
        key_variables=tuple(row["key"]),
        key_url=row["key_url"],
        wire=row.get("wire", ""),
        dialect=row.get("dialect", {}),
        compatible=_compatible(row.get("compatible")),
        key_optional=row.get("key_optional", False),
        key_pair=row.get("pair", {}),
        default_base_url=row.get("base"),
        base_variables=(variable_of(id, "API_BASE"), *row.get("base_from", ())),
        needed_variables=_variables(row, "needs"),
        optional_variables=_variables(row, "may"),
        place_variables=_variables(row, "place"),
        defaults=row.get("defaults", {}),
        hub=_variables(row, "hub"),
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
        listed_when_moved=listing.get("when") == "moved",
        lists_packaged=packaged,
        list_prices_per=1_000_000 if listing.get("price") == "million" else 1,
        exchange=exchange.get("kind", ""),
        token_url=exchange.get("url", ""),
        token_variables=(variable_of(id, "TOKEN_URL"), *exchange.get("url_from", ())) if exchange else (),
        scope_variables=tuple(exchange.get("scope", ())),
        credentials=row.get("credentials", ""),
        key_argument=row.get("key_as", ""),
        package=row.get("package", ""),
        headers=row.get("headers", {}),
        model_prefix=row.get("model_prefix", ""),
        key_starts=tuple(row.get("key_starts", ())),
        regions=tuple(row.get("regions", Provider.regions)),
    )


def _compatible(row: Mapping[str, Any] | None) -> Compatible | None:
    if row is None:
        return None
    lists = {name: tuple(row[name]) for name in ("lacks", "models") if name in row}
    return Compatible(**{**row, **lists})


def _variables(row: Mapping[str, Any], field: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(texts) for name, texts in row.get(field, {}).items()}

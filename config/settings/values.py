"""The values of settings, each with its origin.

Order: override from the panel (for now, or kept in ``panel.json``) → the host's own settings page, where it
has one → environment → ``.env`` → ``quillwork.yaml`` → the server chosen on the page (``server.json``) →
default. A node's own widgets take precedence over all of these and are added in `deployment.py`.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...llm_backends.errors import NotConfigured, shorten
from ...llm_backends.modes import LITELLM
from ...llm_backends.remote.addresses import mended
from ...llm_backends.system.files import Reread, below
from ...llm_backends.types import REDACTED, Secret
from ..access import kept_keys
from ..access.session_keys import endpoint_id
from ..pasted import key_in
from .env_file import read_env
from .home import home
from .panel import FILE, read_panel
from .variables import PROVIDER_ALIASES, PROXY_SWITCH, PROXY_USUAL_URL, PROXY_VARIABLES, VARIABLES

_QUOTED = re.compile(r"""^(["'])(.*)\1$""", re.S)
# A line of ``.env``: as for a shell, or as for cmd, PowerShell and YAML.
_LINE = re.compile(
    r"""^\s*(?P<how>export\s+|setx?\s+|\$env:|)(?P<open>["']?)(?P<name>[^\W\d][\w.]*|[^=:#"'\s]+)"""
    r"""(?P<close>["']?)\s*(?P<sign>=|:(?!//)|(?<=\S)\s+(?=["']))(?P<text>.*)$""",
    re.I,
)
_log = logging.getLogger("quillwork")
_TRUE = {"1", "true", "yes", "on"}
_LARGEST_FILE = 256 * 1024
# The address of the user's own server, as it was chosen on the page. Nothing else is read from the file.
SERVER_FILE = "server.json"


@dataclass(frozen=True, slots=True)
class Value:
    """A value in force. `origin` is panel, the name given to `use_host_settings`, environment, .env,
    quillwork.yaml or default; `name` is the variable that was really read (an alias, perhaps)."""

    text: str
    origin: str
    name: str

    @property
    def is_default(self) -> bool:
        return self.origin == "default"


class Settings:
    """A snapshot of all settings. Cheap to make: files are read again only when they have changed."""

    def __init__(self, layers: Mapping[str, Mapping[str, str]], folder: Path) -> None:
        """Hold `layers`, which map an origin to its names and texts, the strongest first."""
        self._layers = layers
        self.folder = folder

    def value(self, name: str) -> Value:
        """The value of the variable `name` of the table, from whatever layer."""
        variable = VARIABLES[name]
        names = (name, *self._aliases(name))
        for origin, texts in self._layers.items():
            for known in names:
                text = texts.get(known)
                # cmd keeps the quotes of ``set NAME="value"``.
                if text and (text := _QUOTED.sub(r"\2", text.strip())):
                    if known != name:
                        warn_once(f"{known} is read as {name}. Please rename it.")
                    return Value(text, origin, known)
        return Value(variable.default, "default", name)

    def text(self, name: str) -> str:
        return self.value(name).text

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in _TRUE

    def number(self, name: str) -> int | None:
        """A whole number, None when unset. Raises `NotConfigured` for anything else."""
        value = self.value(name)
        if not value.text:
            return None
        try:
            number = int(float(value.text))
        except (ValueError, OverflowError):
            number = 0
        if number <= 0:
            raise NotConfigured(
                f"{value.name} is {value.text!r} (from {value.origin}), which is not a number above 0.",
                hint=f"Set it to {VARIABLES[name].meaning.split(';')[0]}, or remove it.",
            )
        return number

    def items(self, name: str) -> tuple[str, ...]:
        """A list, written with commas (paths also with the platform's path separator)."""
        text = self.text(name)
        if VARIABLES[name].name.endswith("_DIRS"):
            text = text.replace(os.pathsep, ",")
        return tuple(item.strip() for item in text.split(",") if item.strip())

    def endpoint(self) -> tuple[Value, Secret | None] | None:
        """The first address of LLM_BASE_URL and the key of the very same layer: a key never goes to one from
        another. None when no endpoint is set."""
        address = self._address()
        if base := mended(address.text) if address.text else None:
            if "@" not in base:
                warn_once(f"{address.name} (from {address.origin}) is read as {base}.")
            address = replace(address, text=base)
        if not address.text:
            switch = self._proxy_switch()
            if switch is None:
                return None
            address = Value(PROXY_USUAL_URL, switch, PROXY_SWITCH)
        texts = self._layers.get(address.origin, {})
        for known in ("LLM_API_KEY", *self._aliases("LLM_API_KEY")):
            if texts.get(known, "").strip():
                return address, given_key(texts[known], known)
        kept = kept_keys.get(self.folder, endpoint_id(address.text))
        if kept is not None:
            return address, kept
        if self.text("LLM_API_KEY"):
            key = self.value("LLM_API_KEY")
            warn_once(
                f"{key.name} (from {key.origin}) is not sent, because the endpoint comes from "
                f"{address.origin}. Set both in the same place."
            )
        return address, None

    def _address(self) -> Value:
        value = self.value("LLM_BASE_URL")
        return replace(value, text=value.text.partition(",")[0].strip())

    def replicas(self) -> tuple[str, ...]:
        """The addresses of LLM_BASE_URL behind the first: servers of the same models that share the calls."""
        return tuple(mended(address) or address for address in self.items("LLM_BASE_URL")[1:])

    def _aliases(self, name: str) -> tuple[str, ...]:
        """The further names of the variable `name` that are in force."""
        aliases = VARIABLES[name].aliases
        if (
            not PROXY_VARIABLES.isdisjoint(aliases)
            and self._switch() is not None
            and not self._proxy_switch()
        ):
            return tuple(alias for alias in aliases if alias not in PROXY_VARIABLES)
        return aliases

    def _switch(self) -> tuple[str, str] | None:
        """Layer and text of the proxy's switch; None where it is not set."""
        for origin, texts in self._layers.items():
            if text := texts.get(PROXY_SWITCH, "").strip():
                return origin, text.lower()
        return None

    def _proxy_switch(self) -> str | None:
        """The layer that switches the proxy on; None where it is off, or its switch not set."""
        switch = self._switch()
        return switch[0] if switch is not None and switch[1] in _TRUE else None

    def signature(self) -> int:
        """A number that changes, in this process, with any setting."""
        return hash(tuple((origin, frozenset(texts.items())) for origin, texts in self._layers.items()))

    def mode(self) -> Value:
        """LLM_MODE as it stands; LITELLM_ENABLED counts as ``litellm`` where no mode is set."""
        value = self.value("LLM_MODE")
        if value.is_default and (origin := self._proxy_switch()) is not None:
            return Value(LITELLM, origin, PROXY_SWITCH)
        return value

    def environment(self) -> dict[str, str]:
        """The layers in which providers' own variables are looked up: kept keys, above them ``.env``, above
        that the environment."""
        merged: dict[str, str] = {}
        for name in kept_keys.names(self.folder):
            key = kept_keys.get(self.folder, name)
            if key is not None and name.isidentifier():
                merged[name] = key.reveal()
        for origin in (".env", "environment"):
            texts = self._layers.get(origin, {})
            for alias, name in PROVIDER_ALIASES.items():
                if texts.get(alias, "").strip():
                    merged[name] = texts[alias]
            merged.update((name, text) for name, text in texts.items() if text.strip())
        return merged

    def has_kept(self, variables: tuple[str, ...]) -> bool:
        """Tell whether the key for one of `variables` is one that was kept, and no layer has another."""
        set_here = (self._layers.get(origin, {}) for origin in ("environment", ".env"))
        if any(texts.get(name, "").strip() for texts in set_here for name in variables):
            return False
        return not set(variables).isdisjoint(kept_keys.names(self.folder))

    def key_origin(self, key: Secret | None) -> str:
        """The origin of the endpoint's `key` in a word: environment, kept, or no key needed."""
        if key is None:
            return "no key needed"
        address = self._address()
        return "kept" if key == kept_keys.get(self.folder, endpoint_id(address.text)) else "environment"

    def is_kept(self, name: str) -> bool:
        """Tell whether the panel's file has a value of its own for `name`."""
        return bool(_read(self.folder / FILE, read_panel).get(name))

    def describe(self) -> list[dict[str, str]]:
        """Describe every variable with its value and origin, for people: secrets masked."""
        rows = []
        for name, variable in VARIABLES.items():
            value = self.mode() if name == "LLM_MODE" else self.value(name)
            rows.append(
                {
                    "name": name,
                    "value": _shown(variable.kind, value),
                    "origin": value.origin,
                    "meaning": variable.meaning,
                }
            )
        return rows


def _shown(kind: str, value: Value) -> str:
    if kind == "secret":
        return REDACTED if value.text else ""
    # An address may carry a password or a key.
    bare = re.sub(r"//[^/@\s]*@", f"//{REDACTED}@", value.text)
    return re.sub(r"([?&][^=&#]*=)[^&#]*", rf"\g<1>{REDACTED}", bare) if "://" in bare else bare


_overrides: dict[str, str] = {}
_host_settings: tuple[str, Callable[[], Mapping[str, str]]] | None = None
_warned: set[str] = set()
_files: Reread[dict[str, str]] = Reread()


def warn_once(sentence: str) -> None:
    """Log a warning, the first time only."""
    sentence = shorten(sentence)
    if sentence not in _warned:
        _warned.add(sentence)
        _log.warning(sentence)


def given_key(text: str, name: str) -> Secret:
    """The key in `text`, the value of the variable `name`. Raises `NotConfigured` for what is none."""
    try:
        key = key_in(text)
    except ValueError as error:
        raise NotConfigured(
            f"{name} holds no key. {error}", hint=f"Copy the key into {name} again, alone and on one line."
        ) from None
    if key != text.strip():
        warn_once(f"{name} is read without what stands around the key (quotes, Bearer, a name).")
    return Secret(key)


def override(name: str, text: str | None) -> None:
    """Set a value above the environment until the program ends; None removes it, a kept one too."""
    if name not in VARIABLES:
        raise NotConfigured(f"There is no setting {name}.", hint=f"Known: {', '.join(VARIABLES)}.")
    if text is None:
        # An empty text hides what the panel's file says, and counts as not set.
        _overrides[name] = ""
    else:
        _overrides[name] = text


def use_host_settings(origin: str, read: Callable[[], Mapping[str, str]]) -> None:
    """Add the settings page of the host as a layer.

    `read` returns the texts that are set there by variable, `origin` is the page's name in messages. Never a
    key: hosts keep such pages in plain files.
    """
    global _host_settings
    _host_settings = (origin, read)


def load() -> Settings:
    """Read the settings as they are at this moment."""
    folder = home()
    host = {} if _host_settings is None else {_host_settings[0]: _host_settings[1]()}
    layers: dict[str, Mapping[str, str]] = {
        "panel": {**_read(below(folder, FILE), read_panel), **_overrides},
        **host,
        "environment": dict(os.environ),
        ".env": _read(below(folder, ".env"), _parse_env),
        "quillwork.yaml": _read(below(folder, "quillwork.yaml"), _parse_yaml),
        SERVER_FILE: _read(below(folder, SERVER_FILE), _parse_server),
    }
    return Settings(layers, folder)


def _read(file: Path, parse: Callable[[Path], dict[str, str]]) -> dict[str, str]:
    def read(file: Path) -> dict[str, str]:
        try:
            return parse(file)
        except OSError as error:
            raise NotConfigured(
                f"{file.name} cannot be read ({error.strerror}).", hint=f"Check the permissions of {file}."
            ) from None

    try:
        return _files.get(file, read)
    except PermissionError:
        # It may well be there, and say that nothing leaves this machine.
        raise NotConfigured(
            f"{file.parent} cannot be read (Permission denied).",
            hint=f"Check the permissions of {file.parent}.",
        ) from None
    except OSError:
        return {}


def _parse_env(file: Path) -> dict[str, str]:
    """Parse ``NAME=value`` lines as in a shell: comments, ``export``, quotes; those of cmd (``set NAME=``),
    PowerShell (``$env:NAME=``) and YAML (``NAME: value``) as well."""
    texts: dict[str, str] = {}
    for line in read_env(file)[:_LARGEST_FILE].splitlines():
        found = None if line.lstrip().startswith("#") else _LINE.match(line)
        if found is None:
            continue
        name, text = found["name"], found["text"].strip()
        if found["open"] and not found["close"]:
            text = text.removesuffix(found["open"])  # cmd's ``set "NAME=value"``
        if found["open"] or found["how"].strip().lower() not in ("", "export") or found["sign"] != "=":
            warn_once(f"The line of {name} in .env is read as {name}=…, which is how it is written there.")
        if text[:1] in ("'", '"') and text.rfind(text[0]) > 0:
            text = text[1 : text.rfind(text[0])]
        else:
            text = text.split(" #", 1)[0].rstrip()
        texts[name] = text
    return texts


def _parse_server(file: Path) -> dict[str, str]:
    try:
        content = json.loads(file.read_text(encoding="utf-8")[:_LARGEST_FILE])
    except ValueError:
        return {}
    address = content.get("LLM_BASE_URL") if isinstance(content, dict) else None
    return {"LLM_BASE_URL": address} if isinstance(address, str) else {}


def _parse_yaml(file: Path) -> dict[str, str]:
    from ...safe_yaml import UnreadableYaml, read_yaml

    try:
        content = read_yaml(file, _LARGEST_FILE)
    except UnreadableYaml as error:
        raise NotConfigured(str(error)) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise NotConfigured(f"{file.name} must contain lines such as `LLM_MODEL: ollama/llama3.2`.")
    return {str(name).upper(): _yaml_text(value) for name, value in content.items() if value is not None}


def _yaml_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, dict) else str(value)

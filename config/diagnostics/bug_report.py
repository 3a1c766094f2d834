"""A report of a fault that strangers may read: versions, packages, checks and settings."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ... import __version__
from ...llm_backends.redact import scrub
from ...llm_backends.system.command_line import pack_folder
from ..settings import host_notes
from ..settings.home import home, models_folder
from ..settings.values import Settings

# What a fault may hang on: our own needs, the ways to a model, and what hosts bring along.
_PACKAGES = (
    "PyYAML", "aiohttp", "json-repair", "keyring",
    "litellm", "openai", "httpx", "pydantic", "langfuse", "langchain-core",
    "torch", "transformers", "tokenizers", "bitsandbytes", "accelerate", "huggingface-hub",
    "llama-cpp-python",
    "numpy", "pillow", "gradio", "fastapi", "comfyui-frontend-package",
)  # fmt: skip


def bug_report(found: Mapping[str, Any], settings: Settings | None) -> dict[str, Any]:
    """Add versions and non-default settings to the doctor's report `found`.

    The report holds no key. The user's home is ``~``, and folders go by their role: ``<pack>``, ``<host>``,
    ``<settings>``, ``<models>``. `settings` is None where they cannot be read.
    """
    report = {
        **found,
        "version": __version__,
        "host": _host(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "settings": _by_origin(settings) if settings is not None else {},
    }
    without_paths = _by_role()
    return {
        name: _each_text(lambda text: scrub(without_paths(text)), value) for name, value in report.items()
    }


def _host() -> dict[str, Any] | None:
    """The host that this copy belongs to.
    `same_python` tells whether it uses the same `packages`, None where it has not started yet."""
    note = host_notes.find(pack_folder())
    if note is None:
        return None
    same = host_notes.same_python(note.python, sys.executable) if note.python else None
    return {"name": note.host, "version": note.version, "same_python": same}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _by_origin(settings: Settings) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for row in settings.describe():
        if row["origin"] != "default":
            rows.setdefault(row["origin"], {})[row["name"]] = row["value"]
    return rows


def _by_role() -> Callable[[str], str]:
    """Make a function that puts the roles of folders in place of their paths, however these are spelled."""
    roles = {spelled: role for role, folder in reversed([*_folders()]) for spelled in _spellings(folder)}
    if not roles:
        return lambda text: text
    longest_first = sorted(roles, key=len, reverse=True)
    case = re.IGNORECASE if os.name == "nt" else re.RegexFlag(0)
    pattern = re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", case)
    known = {os.path.normcase(spelled): role for spelled, role in roles.items()}
    return lambda text: pattern.sub(lambda match: known[os.path.normcase(match[0])], text)


def _folders() -> Iterator[tuple[str, Path]]:
    """Every folder that has a role, the more specific role first where two are one folder."""
    pack = pack_folder()
    yield "<pack>", pack
    yield "<settings>", home()
    yield "<models>", models_folder()
    note = host_notes.find(pack)
    if note is not None and (folder := host_notes.host_folder(note)) is not None:
        yield "<host>", folder
    try:
        yield "~", Path.home()
    except RuntimeError:
        return


def _spellings(folder: Path) -> set[str]:
    """The spellings of a folder in texts: as it is named, with its links resolved, and with slashes."""
    paths = {os.path.abspath(folder), os.path.realpath(folder)}
    paths = {path for path in paths if Path(path) != Path(Path(path).anchor)}
    return paths | {path.replace(os.sep, "/") for path in paths}


def _each_text(change: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): _each_text(change, one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each_text(change, one) for one in value]
    return value

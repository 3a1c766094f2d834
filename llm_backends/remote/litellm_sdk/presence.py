"""The presence of litellm on this machine, told without importing it."""

from __future__ import annotations

import functools
import importlib.util
import re

from ...types import AUTO_TRANSPORT, DIRECT_TRANSPORT

# litellm's own floor: its modules use names that an older one does not have.
_OLDEST_PYDANTIC = 2
_failure = ""


def obstacle() -> str:
    """The reason why litellm cannot carry calls, as half a sentence; empty where none is known."""
    if not _is_installed():
        return "it is not installed"
    return _failure or _old_pydantic()


def is_bypassed(transport: str) -> bool:
    """Tell whether calls by this transport are made without litellm, where their provider allows it."""
    return transport == DIRECT_TRANSPORT or (transport == AUTO_TRANSPORT and bool(obstacle()))


def note_failure(error: BaseException) -> None:
    """Remember that the import failed: it fails again until the program is restarted."""
    global _failure
    missing = getattr(error, "name", None)
    if isinstance(error, ModuleNotFoundError) and missing:
        _failure = "" if missing == "litellm" else f"the package {missing} that it needs is not installed"
    else:
        _failure = f"it cannot be loaded ({type(error).__name__})"


@functools.cache
def _is_installed() -> bool:
    return importlib.util.find_spec("litellm") is not None


@functools.cache
def _old_pydantic() -> str:
    from importlib import metadata

    try:
        version = metadata.version("pydantic")
    except metadata.PackageNotFoundError:
        return "the package pydantic that it needs is not installed"
    major = re.match(r"\d+", version)
    is_old = major is not None and int(major[0]) < _OLDEST_PYDANTIC
    return f"it needs pydantic {_OLDEST_PYDANTIC}, and {version} is installed" if is_old else ""

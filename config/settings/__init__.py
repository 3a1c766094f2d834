"""Settings: every value with its origin, the table of their names, and where a user's files lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .values import load as load


def __getattr__(name: str) -> Any:
    """Import `load` when it is asked for: a host's start needs the folders alone."""
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .values import load

    return load

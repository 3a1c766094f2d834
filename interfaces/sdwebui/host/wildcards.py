"""Folders in which the host and its other extensions keep wildcards. They are only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .lookup import shared

# SD.Next's own option, and the one of Dynamic Prompts.
_OPTIONS = ("wildcards_dir", "wildcard_dir")
_FOLDER = "wildcards"


def folders() -> list[Path]:
    """Return the folders that the host's settings name, then those of its enabled extensions by name.

    Which of them has a value first does not depend on what was loaded first.
    """
    return [path for path in dict.fromkeys((*_named(), *_of_extensions())) if path.is_dir()]


def _named() -> Iterator[Path]:
    for name in _OPTIONS:
        text = getattr(getattr(shared(), "opts", None), name, None)
        if isinstance(text, (str, Path)) and str(text).strip():
            yield Path(text).expanduser().absolute()


def _of_extensions() -> Iterator[Path]:
    try:
        from modules import extensions

        active: list[Any] = list(extensions.active())
    except Exception:  # noqa: BLE001 (a host that keeps its extensions elsewhere)
        return
    paths = [Path(path) for one in active if (path := getattr(one, "path", None))]
    for path in sorted(paths, key=lambda path: path.name.casefold()):
        yield path.absolute() / _FOLDER

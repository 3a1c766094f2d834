"""Keys kept over restarts, in the operating system's key ring or a private file.

The file, in the pack's own folder, is used where there is no key ring; its owner alone may read it.

Each key goes by the name of its variable, that of the user's own server by that server's origin: it is never
sent to another one.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ...llm_backends.errors import NotConfigured
from ...llm_backends.system.files import Reread, below, write_whole
from ...llm_backends.types import Secret

T = TypeVar("T")

FILE = "keys.json"
_SERVICE = "Quillwork"
# A key ring may wait for its owner to unlock it, or for a desktop that is not there.
_PATIENCE_S = 5.0
_ring_is_silent = False
_lock = threading.Lock()
_from_ring: dict[str, Secret | None] = {}
_files: Reread[dict[str, dict[str, Any]]] = Reread()


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A place for keys: a key ring of that `name`, else the file of that path."""

    in_ring: bool
    name: str

    @property
    def label(self) -> str:
        if self.in_ring:
            return f"this computer's keyring ({self.name})"
        return f"the file {self.name} (not encrypted, readable by your user account only)"

    def to_json(self) -> dict[str, Any]:
        return {"in_ring": self.in_ring, "name": self.name, "label": self.label}


def place(folder: Path) -> KeyPlace:
    """Find the place for the next key. Asks the operating system: not for an event loop."""
    ring = _in_time(_find_ring)
    return KeyPlace(True, _name_of(ring)) if ring is not None else KeyPlace(False, str(folder / FILE))


def keep(folder: Path, name: str, key: Secret) -> KeyPlace:
    """Keep `key` under `name` for good; return its place. Raises `NotConfigured` where it cannot be kept."""
    with _lock:
        chosen, rows = place(folder), _rows(folder)
        if chosen.in_ring and not _in_time(lambda: _put(_entry(folder, name), key)):
            chosen = KeyPlace(False, str(folder / FILE))
        rows[name] = {"in": "ring"} if chosen.in_ring else {"in": "file", "key": key.reveal()}
        _write(folder, rows)
        _from_ring.pop(_entry(folder, name), None)
        return chosen


def forget(folder: Path, name: str | None = None) -> None:
    """Remove the key under `name`, or all keys."""
    with _lock:
        rows = _rows(folder)
        for gone in [name] if name is not None else list(rows):
            row = rows.pop(gone, None)
            entry = _entry(folder, gone)
            _from_ring.pop(entry, None)
            if row is not None and row.get("in") == "ring":
                _in_time(partial(_drop, entry))
        if rows or (folder / FILE).exists():
            _write(folder, rows)


def names(folder: Path) -> list[str]:
    """The names of the kept keys."""
    return list(_rows(folder))


def get(folder: Path, name: str) -> Secret | None:
    """The key under `name`; None where there is none, or its key ring does not return it."""
    row = _rows(folder).get(name, {})
    if row.get("in") == "file" and isinstance(row.get("key"), str):
        return Secret(row["key"])
    if row.get("in") != "ring":
        return None
    entry = _entry(folder, name)
    if entry not in _from_ring:
        _from_ring[entry] = _in_time(lambda: _take(entry))
    return _from_ring[entry]


def _entry(folder: Path, name: str) -> str:
    return f"{name} {folder}"


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(_files.get(below(folder, FILE), _read))
    except (OSError, ValueError):
        return {}


def _read(file: Path) -> dict[str, dict[str, Any]]:
    content = json.loads(file.read_text(encoding="utf-8"))
    rows = content.items() if isinstance(content, dict) else ()
    return {name: row for name, row in rows if isinstance(row, dict)}


def _write(folder: Path, rows: dict[str, dict[str, Any]]) -> None:
    try:
        write_whole(folder / FILE, json.dumps(rows, indent=1), private=True, durable=True)
    except OSError as error:
        raise NotConfigured(
            f"The key could not be saved in {folder} ({error.strerror}).",
            hint=(
                "It stays in use until a restart. Set QUILLWORK_HOME to a folder that you can write "
                "to, to keep it."
            ),
        ) from None


def _in_time(work: Callable[[], T]) -> T | None:
    """Run `work` with a time limit; None where it fails or hangs.
    A ring that has hung once is not asked again."""
    global _ring_is_silent
    if _ring_is_silent:
        return None
    found: list[T] = []

    def attempt() -> None:
        # Backends fail in their own ways, and their errors are never shown: a key may stand in them.
        with contextlib.suppress(Exception):
            found.append(work())

    thread = threading.Thread(target=attempt, name="quillwork-key-ring", daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    if thread.is_alive():
        _ring_is_silent = True
        return None
    return found[0] if found else None


def _find_ring() -> Any:
    """Find the operating system's key ring through the package keyring, where both are there."""
    import keyring

    ring = keyring.get_keyring()
    # Below 1 are stand-ins that fail or keep nothing; what keyrings.alt brings are plain files.
    is_one = ring.priority >= 1 and not type(ring).__module__.startswith("keyrings.alt")
    return ring if is_one else None


def _name_of(ring: Any) -> str:
    return str(getattr(ring, "name", type(ring).__name__)).partition(" ")[0][:60]


def _put(entry: str, key: Secret) -> bool:
    ring = _find_ring()
    ring.set_password(_SERVICE, entry, key.reveal())
    return bool(ring.get_password(_SERVICE, entry) == key.reveal())


def _take(entry: str) -> Secret | None:
    text = _find_ring().get_password(_SERVICE, entry)
    return Secret(text) if text else None


def _drop(entry: str) -> None:
    _find_ring().delete_password(_SERVICE, entry)

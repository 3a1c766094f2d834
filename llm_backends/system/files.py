"""Files written whole or not at all, and files read again when they have changed."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
Stamp = tuple[int, int, int, int]


def write_whole(file: Path, content: str | bytes, *, private: bool = False, durable: bool = False) -> None:
    """Write `content` to `file`, all or nothing; a missing folder is made.

    A `private` file is its owner's alone; another keeps its permissions. A `durable` one is on the disk
    afterwards even if the machine fails. Raises OSError; the former content stands then.
    """
    # Hidden, so that nobody reads half of it; in the same folder, so that it can be renamed.
    fresh = file.with_name(f".{secrets.token_hex(8)}.tmp")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        rights = stat.S_IMODE(file.stat().st_mode) if not private and file.exists() else None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(fresh, flags, 0o600 if private else 0o666), "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        if rights is not None:
            os.chmod(fresh, rights)
        os.replace(fresh, file)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    if durable:
        _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    # Without it a power cut can undo the rename. Windows cannot do it and does not need it.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@functools.lru_cache(maxsize=256)
def below(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`, made once: settings are looked up at every stroke of a key."""
    return folder / name


def stamp_of(file: Path) -> Stamp:
    """A stamp that differs whenever `file` was written, replaced, or given other permissions.
    Raises OSError."""
    status = file.stat()
    # The change time too: it tells a file that has been given back its read permission.
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


class Reread(Generic[T]):
    """A cache of values read from files, each kept until its file changes. Any thread."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[Stamp, T]] = {}

    def get(self, file: Path, read: Callable[[Path], T]) -> T:
        """Return what `read` makes of `file`; it is called only where the file has changed since.

        Raises OSError where there is no such file, and what `read` raises, which is not kept.
        """
        stamp = stamp_of(file)
        kept = self._kept.get(file)
        if kept is None or kept[0] != stamp:
            kept = self._kept[file] = stamp, read(file)
        return kept[1]

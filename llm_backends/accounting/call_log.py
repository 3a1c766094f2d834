"""Calls on their way into the day's totals, in files that outlive a program that is killed."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from ..system.file_lock import lock
from .usage_totals import CallRecord, Sums

_SUFFIX = ".calls"
_COLUMNS = tuple(field.name for field in fields(CallRecord))


class CallLog:
    """Calls of this process, beside the day's `file`: what is appended survives the end of the process at any
    moment. It is locked for as long as the process lives. Raises OSError."""

    def __init__(self, file: Path, day: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.path = file.with_name(f"{file.stem}.{day}.{secrets.token_hex(8)}{_SUFFIX}")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._stream = open(os.open(self.path, flags, 0o600), "r+b", buffering=0)  # noqa: SIM115
        lock(self._stream)
        self.size = 0

    def append(self, record: CallRecord) -> None:
        line = json.dumps([getattr(record, name) for name in _COLUMNS], ensure_ascii=False)
        # The line's end comes first: what a full disk has cut off spoils no other line.
        self.size += self._stream.write(b"\n" + line.encode())

    def remove(self) -> None:
        self._stream.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


def logs_of(file: Path) -> list[Path]:
    """Return the logs beside `file`, of this process and others."""
    return sorted(file.parent.glob(f"{glob.escape(file.stem)}.*{_SUFFIX}"))


def left_behind(file: Path, day: str, counted: Mapping[str, int]) -> tuple[Sums, dict[str, int], list[Path]]:
    """Return the calls of programs that ended before they stood in the totals of `file`, how far each log is
    counted with them, and the logs that nobody needs once these stand there.

    `counted` has the bytes of each log, by name, that are in the totals already. The lock of `file` must be
    held.
    """
    sums, ends, over = Sums(), dict[str, int](), list[Path]()
    for path in logs_of(file):
        begin = counted.get(path.name, 0)
        ends[path.name] = begin
        is_of_today = path.name.startswith(f"{file.stem}.{day}.")
        with contextlib.suppress(OSError), path.open("r+b") as stream:
            if is_of_today and not os.fstat(stream.fileno()).st_size:
                continue  # whoever has just made it may not hold its lock yet
            lock(stream)
            over.append(path)
            if is_of_today:
                stream.seek(begin)
                for line in (rest := stream.read()).splitlines():
                    with contextlib.suppress(ValueError, TypeError):
                        sums.add(CallRecord(*json.loads(line)))
                ends[path.name] = begin + len(rest)
    return sums, ends, over

"""The journal of a job: an SQLite file of what is written, what has failed, and how it was begun."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ...llm_backends.system.file_lock import lock
from .batch_table import TABLES as BATCH_TABLES
from .batch_table import BatchTable

_TABLES = """
create table if not exists about (name text primary key, value text not null);
create table if not exists texts (key text primary key, written text not null);
create table if not exists names (name text primary key, stamp text not null, key text not null);
create table if not exists failures (name text primary key, error text not null);
create table if not exists befores (name text primary key, text text not null);
"""
_SUFFIX = ".sqlite"


class JobError(ValueError):
    """A job that cannot begin or go on; the text is one sentence that says what to do."""

    http_status = 400
    type = "job_error"


class Journal:
    """The journal in `file`, held by one program at a time. A context manager.

    `texts` are kept by a key (a hash of all that shapes them), so that what is asked twice is computed once;
    `names` say which file or line, with which stamp, has which key; `batches` are those that wait at a
    provider. What is written here survives the end of the program at any moment. Raises `JobError` where
    another program holds it, or it cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.id = file.stem
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._lock = hold(file.with_suffix(".lock"), f"Job {self.id} is running in another program.")
            # The runner's thread writes what this one has opened.
            self._data = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            self._data.execute("pragma journal_mode = wal")
            self._data.execute("pragma synchronous = normal")
            self._data.executescript(_TABLES + BATCH_TABLES)
        except OSError as error:
            raise JobError(
                f"The journal {file} cannot be written ({error.strerror}). Choose another folder with --home."
            ) from None
        except sqlite3.Error as error:
            self._lock.close()
            raise JobError(
                f"The journal {file} cannot be used ({error}). Free some disk space, "
                "or delete it to start over."
            ) from None

        self.batches = BatchTable(self._data, self._writing)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data.close()
        self._lock.close()

    # -- the job itself

    @property
    def about(self) -> dict[str, Any]:
        """Notes on the job: its kind, arguments, progress."""
        return {name: json.loads(value) for name, value in self._data.execute("select * from about")}

    def note(self, **about: Any) -> None:
        with self._writing():
            for name, value in about.items():
                self._data.execute("insert or replace into about values (?, ?)", (name, json.dumps(value)))

    # -- its texts

    def text(self, key: str) -> dict[str, Any] | None:
        """Return what was written for `key`."""
        row = self._data.execute("select written from texts where key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def texts(self) -> dict[str, dict[str, Any]]:
        """Return what was written by file or line."""
        rows = self._data.execute("select name, written from names join texts using (key)")
        return {name: json.loads(written) for name, written in rows}

    def stamps(self) -> dict[str, str]:
        """Return the stamp of each file or line for which there is a text."""
        return dict(self._data.execute("select name, stamp from names"))

    def failures(self) -> dict[str, str]:
        """Return the error of each file or line that failed when it was last tried."""
        return dict(self._data.execute("select name, error from failures order by rowid"))

    def keep(self, befores: Mapping[str, str]) -> dict[str, str]:
        """Keep what stood in files before the job began; return it, as it was first kept."""
        with self._writing():
            self._data.execute("begin")
            self._data.executemany("insert or ignore into befores values (?, ?)", befores.items())
            self._data.execute("commit")
        return dict(self._data.execute("select name, text from befores"))

    def write(self, name: str, stamp: str, key: str, written: Mapping[str, Any]) -> None:
        """Keep what was written for `key`, which `name` has at present."""
        with self._writing():
            self._data.execute("begin")
            self._data.execute(
                "insert or replace into texts values (?, ?)", (key, json.dumps(written, ensure_ascii=False))
            )
            self._data.execute("insert or replace into names values (?, ?, ?)", (name, stamp, key))
            self._data.execute("delete from failures where name = ?", (name,))
            self._data.execute("commit")

    def remember(self, key: str, written: Mapping[str, Any]) -> None:
        """Keep what was written for `key`, which no file or line has yet."""
        with self._writing():
            self._data.execute(
                "insert or replace into texts values (?, ?)", (key, json.dumps(written, ensure_ascii=False))
            )

    def restamp(self, name: str, stamp: str) -> None:
        """Note that the file `name` was changed by the job itself, and has another stamp now."""
        with self._writing():
            self._data.execute("update names set stamp = ? where name = ?", (stamp, name))

    def fail(self, name: str, error: str) -> None:
        with self._writing():
            self._data.execute("insert or replace into failures values (?, ?)", (name, error))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._data.execute("rollback")
            raise JobError(
                f"The journal {self.file} cannot be written ({error}). What it holds is safe: free some disk "
                "space and run the command again."
            ) from None


def hold(file: Path, taken: str) -> BinaryIO:
    """Hold the lock `file` until it is closed. Raises `JobError` with `taken`, or OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stream = file.open("ab")
    try:
        lock(stream)
    except OSError:
        stream.close()
        raise JobError(f"{taken} Wait until it has ended, or stop it there.") from None
    return stream


def hold_place(jobs: Path, place: Path) -> BinaryIO:
    """Hold a folder or file, by a lock in `jobs`, against another job that would write there."""
    return hold(jobs / f"{digest(str(place))[:16]}.held", f"Another job is writing to {place}.")


def digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def journals(folder: Path) -> list[Path]:
    """Return the journals in `folder`, the latest used first."""
    return sorted(folder.glob(f"*{_SUFFIX}"), key=lambda file: file.stat().st_mtime, reverse=True)


def peek(file: Path, most: int = 5) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return the notes in a journal that anybody may hold, the number of its failures, and the first of them.

    Raises `JobError` where it cannot be read.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as data:
            about = {name: json.loads(value) for name, value in data.execute("select * from about")}
            (failed,) = data.execute("select count(*) from failures").fetchone()
            rows = data.execute("select name, error from failures order by rowid limit ?", (most,))
            failures = dict(rows.fetchall())
    except (sqlite3.Error, ValueError) as error:
        raise JobError(f"The journal {file} cannot be read ({error}).") from None
    return about, failed, failures


def kept_in(file: Path, name: str) -> str | None:
    """Return the text that a journal keeps for the file `name`, None without one. Raises `JobError`."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as data:
            row = data.execute("select text from befores where name = ?", (name,)).fetchone()
    except sqlite3.Error as error:
        raise JobError(f"The journal {file} cannot be read ({error}).") from None
    return str(row[0]) if row else None


def journal_file(folder: Path, job_id: str) -> Path:
    return folder / f"{job_id}{_SUFFIX}"


def remove(file: Path) -> None:
    """Remove a journal that nobody holds, with SQLite's files beside it."""
    with hold(file.with_suffix(".lock"), f"Job {file.stem} is running in another program."):
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    file.with_suffix(".lock").unlink(missing_ok=True)

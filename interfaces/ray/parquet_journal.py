"""A journal for many machines: what each has written, as files of Parquet in one folder."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

_COLUMNS = ("name", "stamp", "key", "written")
_SCHEMA = pyarrow.schema([(column, pyarrow.string()) for column in _COLUMNS])


class ParquetJournal:
    """The texts of a job, by key, as in `Journal`: a row has a name, its stamp, its key and the text as JSON.

    Nobody shares a file, so that nobody waits: a worker writes one for each batch, whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._texts: dict[str, str] = {}
        self._unwritten: list[tuple[str, str, str, str]] = []
        self._read: set[str] = set()

    def refresh(self) -> None:
        """Read what others have written since the last time, one that has died since among them."""
        for file in self._folder.glob("*.parquet"):
            if file.name not in self._read:
                kept = pyarrow.parquet.read_table(file, schema=_SCHEMA, columns=["key", "written"])
                keys, texts = kept.column("key").to_pylist(), kept.column("written").to_pylist()
                self._texts.update(zip(keys, texts, strict=True))
                self._read.add(file.name)

    def text(self, key: str) -> dict[str, Any] | None:
        """Return what was written for `key`."""
        written = self._texts.get(key)
        return None if written is None else json.loads(written)

    def failures(self) -> dict[str, str]:
        """Return nothing: a failure is a row's, and is tried with that."""
        return {}

    def write(self, name: str, stamp: str, key: str, written: Mapping[str, Any]) -> None:
        """Keep what was written for `key`, which `name` has at present."""
        if key not in self._texts:
            self._texts[key] = json.dumps(written, ensure_ascii=False)
            self._unwritten.append((name, stamp, key, self._texts[key]))

    def fail(self, name: str, error: str) -> None:
        """Keep nothing of a failure."""

    def flush(self) -> None:
        """Write what is new into a file of its own."""
        if not self._unwritten:
            return
        columns = map(list, zip(*self._unwritten, strict=True))
        name = uuid.uuid4().hex
        unfinished = self._folder / f".{name}.part"
        pyarrow.parquet.write_table(pyarrow.table(list(columns), schema=_SCHEMA), unfinished)
        unfinished.replace(self._folder / f"{name}.parquet")
        self._read.add(f"{name}.parquet")
        self._unwritten.clear()

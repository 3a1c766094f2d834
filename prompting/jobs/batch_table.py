"""The batches of a job in its journal: which were submitted, with what in them, and the answers that came."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

from ...llm_backends.remote.batches.service import NOT_CARRIED_OUT, Answer

TABLES = """
create table if not exists batches (
    tag text primary key, id text not null, state text not null, answered integer not null,
    began real not null
);
create table if not exists asked (
    id text primary key, key text not null, name text not null, stamp text not null, tag text not null,
    status integer, body text
);
create table if not exists worst_costs (tag text primary key, usd real not null);
create index if not exists asked_by_key on asked (key);
create index if not exists asked_by_tag on asked (tag);
"""


class Asked(NamedTuple):
    """A question in a batch: its id there, the key of its entry, and the file or line with its stamp."""

    id: str
    key: str
    name: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch whose answers are not here yet: its own name, the provider's id ("" while that is not known),
    its state when last seen, when it was submitted, in seconds since 1970, and its most in US dollars."""

    tag: str
    id: str
    state: str
    answered: int
    total: int
    began: float
    worst_usd: float


class BatchTable:
    """The batches in the journal whose connection is `data`; `writing` is put around each change."""

    def __init__(self, data: sqlite3.Connection, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._data, self._writing = data, writing

    def begin(self, tag: str, asked: Iterable[Asked], now: float, worst_usd: float = 0.0) -> None:
        """Note the intent to submit these questions, which may cost so much, as the batch `tag`."""
        with self._writing():
            self._data.execute("begin")
            self._data.execute("insert into batches values (?, '', 'submitted', 0, ?)", (tag, now))
            self._data.execute("insert into worst_costs values (?, ?)", (tag, worst_usd))
            self._data.executemany(
                "insert into asked values (?, ?, ?, ?, ?, null, null)", [(*one, tag) for one in asked]
            )
            self._data.execute("commit")

    def submitted(self, tag: str, batch: str) -> None:
        """Note the provider's id of a batch."""
        with self._writing():
            self._data.execute("update batches set id = ? where tag = ?", (batch, tag))

    def seen(self, tag: str, state: str, answered: int) -> None:
        with self._writing():
            self._data.execute(
                "update batches set state = ?, answered = ? where tag = ?", (state, answered, tag)
            )

    def keep(self, tag: str, answers: Sequence[Answer]) -> None:
        """Keep answers of a batch; those to questions that are not in it are left."""
        with self._writing():
            self._data.execute("begin")
            self._data.executemany(
                "update asked set status = ?, body = ? where id = ? and tag = ?",
                [(answer.status, answer.body, answer.id, tag) for answer in answers],
            )
            self._data.execute("commit")

    def end(self, tag: str, why: str) -> None:
        """Note that all answers of a batch are here; `why` is said of questions without one."""
        with self._writing():
            self._data.execute("begin")
            self._data.execute(
                "update asked set status = ?, body = ? where tag = ? and status is null",
                (NOT_CARRIED_OUT, why, tag),
            )
            self._data.execute("delete from batches where tag = ?", (tag,))
            self._data.execute("delete from worst_costs where tag = ?", (tag,))
            self._data.execute("commit")

    def withdraw(self, tag: str) -> None:
        """Forget a batch that was never begun, and its questions."""
        with self._writing():
            self._data.execute("begin")
            self._data.execute("delete from asked where tag = ?", (tag,))
            self._data.execute("delete from batches where tag = ?", (tag,))
            self._data.execute("delete from worst_costs where tag = ?", (tag,))
            self._data.execute("commit")

    def forget(self, name: str) -> None:
        """Forget the questions of a file or line that has its text, or has failed."""
        with self._writing():
            self._data.execute("delete from asked where name = ?", (name,))

    def open(self) -> list[Batch]:
        """Return the batches whose answers are not here yet."""
        rows = self._data.execute(
            "select tag, batches.id, state, answered, count(asked.id), began, coalesce(usd, 0) from batches"
            " left join asked using (tag) left join worst_costs using (tag) group by tag"
            " order by batches.rowid"
        )
        return [Batch(*row) for row in rows]

    def ids(self, tag: str) -> list[str]:
        """Return the ids of a batch's questions, in order."""
        rows = self._data.execute("select id from asked where tag = ? order by rowid", (tag,))
        return [id_ for (id_,) in rows]

    def names(self) -> Mapping[tuple[str, str], bool]:
        """Return each file or line that was asked for, with its stamp, and whether its answers are here."""
        rows = self._data.execute(
            "select name, stamp, min(status is not null) from asked group by name, stamp"
        )
        return {(name, stamp): bool(is_here) for name, stamp, is_here in rows}

    def has(self, key: str) -> bool:
        """Tell whether the question of an entry was asked."""
        return self._data.execute("select 1 from asked where key = ? limit 1", (key,)).fetchone() is not None

    def answers(self, key: str) -> list[Answer]:
        """Return the answers to the questions of an entry, in order; none where one of them is missing."""
        rows = list(
            self._data.execute("select id, status, body from asked where key = ? order by rowid", (key,))
        )
        return [] if any(status is None for _, status, _ in rows) else [Answer(*row) for row in rows]

"""One run of a job over the lines of a file: those that are left, the questions, the rows of the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...llm_backends.model import Model
from .journal import Journal, digest
from .line_tasks import LineTasks
from .lines import Results
from .work import Ask, Entry, Question

SHOWN = 3


@dataclass(frozen=True, slots=True)
class FileReport:
    """The state of a file after a run: lines written, and the failures by line."""

    written: int
    failures: Mapping[str, str]
    total: int

    def line(self) -> str:
        failed = f"; {len(self.failures)} failed" if self.failures else ""
        return f"{self.written:,} of {self.total:,} lines have their prompt{failed}."


@dataclass
class FileJob:
    """The job of `tasks`, journalled in `journal`, whose results go to `out`.

    `model_name` is a part of what shapes the answers. Of the lines `before` had their answer already. `flush`
    is to be called in the end, however it ends.
    """

    tasks: LineTasks
    journal: Journal
    out: Path
    model_name: str

    unit = "lines"

    def __post_init__(self) -> None:
        self.before = 0
        self.failures: dict[str, str] = {}
        self._results: Results | None = None
        self._stamps = {
            name: digest(payload, self.model_name) for name, payload in self.tasks.payloads.items()
        }

    def entries(self) -> list[Entry]:
        """Begin the results with what is journalled, and return what is left to be asked for.

        Raises `JobError` where the results cannot be written.
        """
        self._results = Results(self.out, self.tasks.columns, self.tasks.lines)
        left = self._left()
        texts = self.journal.texts()
        for name in self.tasks.payloads:
            if name not in left:
                self.settle(name, texts[name])
        self.before = len(self._stamps) - len(left)
        return [*left.values()]

    def sample(self) -> tuple[list[Entry], int]:
        """Return the first entries for a preview, and how many are to be asked for in all. Writes nothing."""
        left = [*self._left().values()]
        return left[:SHOWN], len(left)

    def _left(self) -> dict[str, Entry]:
        known = self.journal.stamps()
        return {
            name: Entry(name, stamp, _asked(stamp, self.tasks.payloads[name]))
            for name, stamp in self._stamps.items()
            if known.get(name) != stamp
        }

    def asking(self, model: Model) -> Ask:
        return self.tasks.asking(model)

    def settle(self, name: str, outcome: Mapping[str, Any] | str) -> None:
        """Write the rows of a line; `outcome` is an error as a text."""
        if isinstance(outcome, str):
            self.failures[name] = outcome
        if self._results is not None:
            self._results.add(name, self.tasks.rows(self.tasks.lines[name], outcome))

    def flush(self) -> None:
        """Write what is known of the rest, too, and close the results."""
        if self._results is not None:
            self._results.close()
            self._results = None

    def note_stop(self, error: str) -> None:
        """Note in the journal how far the job has come, and the `error` that has ended it, "" for none."""
        known = self.journal.stamps()
        written = sum(1 for name, stamp in self._stamps.items() if known.get(name) == stamp)
        self.journal.note(written=written, total=len(self._stamps), ended=None, error=error)

    def report(self, now: float) -> FileReport:
        """Note the end, `now` in seconds since 1970, in the journal and return what there is."""
        report = FileReport(len(self._stamps) - len(self.failures), self.failures, len(self._stamps))
        self.journal.note(written=report.written, failed=len(self.failures), total=report.total, ended=now)
        return report


def _asked(key: str, payload: Any) -> Callable[[], Question]:
    return lambda: Question(key, payload)

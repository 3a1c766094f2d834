"""One run of a job over the lines of a file: those that are left, the questions, the rows of the results."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ...llm_backends.model import Model
from .journal import JobError, Journal, digest, hold_place, journal_file
from .line_tasks import IdeaOptions, LineTasks
from .lines import Results
from .work import Ask, Entry, Question, Sample

SHOWN = 3
# The name under which a journal keeps the text that was handed in.
HANDED_IN = "the text handed in"
_FOLDER = "quillwork"
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class FileReport:
    """The state of a file after a run: lines written, those of them with a warning, the failures by line."""

    written: int
    warned: int
    failures: Mapping[str, str]
    total: int

    def line(self) -> str:
        warned = f"; {self.warned:,} with a warning" if self.warned else ""
        failed = f"; {len(self.failures)} failed" if self.failures else ""
        return f"{self.written:,} of {self.total:,} lines have their prompt{warned}{failed}."


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

    unit: ClassVar[str] = "lines"

    def __post_init__(self) -> None:
        self.before = 0
        self.failures: dict[str, str] = {}
        self._warned: set[str] = set()
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

    def spoken(self, name: str, outcome: Mapping[str, Any] | str) -> tuple[str, str, str]:
        """Return what a preview shows of a line: its text, its prompt (the first of several), its error."""
        line = self.tasks.lines[name]
        row = self.tasks.rows(line, outcome)[0]
        return line.text, row["prompt"] or "", row["error"] or ""

    def settle(self, name: str, outcome: Mapping[str, Any] | str) -> None:
        """Write the rows of a line; `outcome` is an error as a text."""
        if isinstance(outcome, str):
            self.failures[name] = outcome
        rows = self.tasks.rows(self.tasks.lines[name], outcome)
        if any(row.get("warnings") for row in rows):
            self._warned.add(name)
        if self._results is not None:
            self._results.add(name, rows)

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
        written = len(self._stamps) - len(self.failures)
        report = FileReport(written, len(self._warned), self.failures, len(self._stamps))
        self.journal.note(written=report.written, failed=len(self.failures), total=report.total, ended=now)
        return report


def _asked(key: str, payload: Any) -> Callable[[], Question]:
    return lambda: Question(key, payload)


@dataclass(frozen=True, slots=True)
class FileOrder:
    """Order for a job over `data`, the text of a file called `name` ("" for none), with `options` of its
    `tasks`. The results go into the folder `results`, in a file that ends in `suffix`."""

    data: str
    name: str
    tasks: LineTasks
    options: IdeaOptions
    results: Path
    suffix: str

    @property
    def kind(self) -> str:
        return self.tasks.kind

    @property
    def source(self) -> str:
        return self.name

    def what(self, job: FileJob) -> str:
        """Return what the list of jobs calls it: the file of results."""
        return str(job.out)

    def out(self, model: Model) -> Path:
        """Return the file of results, which has another name for other lines, options or models."""
        stem = re.sub(r"[^\w-]+", "_", Path(self.name).stem).strip("_")[:_LONGEST_NAME] or "prompts"
        return self.results / f"{stem}-{self._digest(model)}{self.suffix}"

    def _digest(self, model: Model) -> str:
        return digest(self.data, self.name, self.options, self.suffix, model.deployment.name)[:8]

    def entries(self, job: FileJob, model: Model, opening: contextlib.ExitStack) -> list[Entry]:
        """Return what is left to be asked for."""
        return job.entries()

    def sample(self, job: FileJob) -> Sample:
        entries, left = job.sample()
        return Sample(entries, left, left, 0, len(self.tasks.lines))

    @contextlib.contextmanager
    def opened(self, jobs: Path, model: Model) -> Iterator[FileJob]:
        """Hold the file of results, and a journal for it in the folder `jobs`, for as long as the job runs.

        Raises `JobError` where another job is writing there.
        """
        out = self.out(model)
        file = journal_file(jobs, f"{self.kind}-{self._digest(model)}")
        with hold_place(jobs, out), Journal(file) as journal:
            journal.keep({HANDED_IN: self.data})
            yield FileJob(self.tasks, journal, out, model.deployment.name)


def results_folder(outputs: Path) -> Path:
    """Return the folder for results below a host's folder of outputs. Raises `JobError`."""
    try:
        outputs = outputs.resolve()
        folder = outputs / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JobError(f"The folder {outputs / _FOLDER} cannot be made ({error.strerror}).") from None
    if folder.resolve() != folder:
        raise JobError(
            f"{folder} leads to another folder. Remove the link, so that results stay in {outputs}."
        )
    return folder

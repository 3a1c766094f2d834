"""One run of a captioning job: the pictures that are left, the questions, the captions beside them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from ...llm_backends.errors import LLMError
from ...llm_backends.images import read_picture
from ...llm_backends.model import Model
from ...llm_backends.streaming.live import LiveText
from ...llm_backends.types import Image
from ..describe import describe_views
from ..tasks import SAVE_AS, Existing, SaveAs
from . import captions
from .caption_places import place_for
from .journal import JobError, Journal, digest, hold_place, journal_file
from .picture_readers import PictureReaders
from .work import Ask, Entry, Sample, Written

# Calls at once to one server, for what a job finds out by itself; a lower limit than the usual one is that of
# a server on somebody's desk.
MOST_AT_ONCE, _USUAL = 128, 16
# Captions that are shown as a sample.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a folder after a run: captions written, left alone, and the failures by picture."""

    written: int
    kept: int
    failures: Mapping[str, str]
    total: int

    def summary(self) -> str:
        """Return what was written and left alone as a clause."""
        were = "was" if self.kept == 1 else "were"
        kept = f"; {self.kept} had one and {were} left alone" if self.kept else ""
        return f"{self.written} of {self.total} images have their caption{kept}"

    def line(self) -> str:
        """Return the summary with the number of failures as a sentence."""
        failed = f"; {len(self.failures)} failed" if self.failures else ""
        return f"{self.summary()}{failed}."


@dataclass
class CaptionJob:
    """Captions for `pictures` in `place`, journalled in `journal`.

    Of them `kept` have somebody else's text and are left alone, and `before` have theirs of this job already.

    `say` is told a sentence about a caption's faults. `flush` is to be called in the end, however it ends.
    """

    wishes: captions.Wishes
    existing: Existing
    journal: Journal
    pictures: Sequence[captions.Picture]
    place: captions.Place
    say: Callable[[str], None] = lambda sentence: None

    unit: ClassVar[str] = "images"

    def __post_init__(self) -> None:
        self.by_name = {picture.name: picture for picture in self.pictures}
        self.kept = self.before = 0
        self.shown: list[tuple[str, str]] = []
        self._befores = dict[str, str]()

    def entries(self, seed: int, read: Callable[[bytes], Image] = read_picture) -> list[Entry]:
        """Return what is left to be asked for; `read` reads a picture.

        A text that is journalled but not there is written first. Raises `JobError` where the folder cannot be
        written, before anything is paid for.
        """
        if self.existing == "append":
            self._befores = self.journal.keep(
                {
                    name: self.place.read(picture)
                    for name, picture in self.by_name.items()
                    if self.place.has(picture)
                }
            )
        ours = self._ours()
        self.before = len(ours)
        if lost := self._lost(ours):
            texts = self.journal.texts()
            for name in lost:
                self.settle(name, texts[name])
        left = self._left(ours, self.journal.fail)
        if left and not os.access(left[0].folder, os.W_OK):
            raise JobError(
                f"The folder {left[0].folder} takes no files, and the captions go there. Allow it, or copy "
                "the images to another folder."
            )
        return list(captions.entries_of(left, self.wishes, seed, self.place, read))

    def sample(self, seed: int) -> tuple[list[Entry], int, int]:
        """Return the first entries for a preview, how many are to be asked for in all, and how many captions
        that were written once are not there any more. Writes nothing."""
        ours = self._ours()
        left = self._left(ours, lambda name, why: None)
        entries = list(captions.entries_of(left[:SHOWN], self.wishes, seed, self.place))
        return entries, len(left), len(self._lost(ours))

    def asking(self, model: Model) -> Ask:
        return describing(model)

    def spoken(self, name: str, outcome: Mapping[str, Any] | str) -> tuple[str, str, str]:
        """Return what a preview shows of a picture: its name, its text, its error."""
        if isinstance(outcome, str):
            return name, "", outcome
        return name, captions.caption(outcome["text"], self.wishes), ""

    def _lost(self, ours: Sequence[str]) -> list[str]:
        return [name for name in ours if not self.place.has(self.by_name[name])]

    def _ours(self) -> list[str]:
        """Return the pictures whose text is journalled."""
        stamps = self.journal.stamps()
        return [name for name, one in self.by_name.items() if stamps.get(name) == one.stamp]

    def _left(self, ours: Sequence[str], refuse: Callable[[str, str], None]) -> list[captions.Picture]:
        """Return the pictures that need a text; `refuse` is told of each that can have none."""
        done = set(ours)
        left: list[captions.Picture] = []
        if len(done) == len(self.by_name):
            return left
        for name, picture in self.by_name.items():
            if name in done:
                continue
            if why := self.place.refusal(picture):
                refuse(name, why)
            elif self.existing == "keep" and self.place.has(picture) and self.place.read(picture):
                self.kept += 1
            else:
                left.append(picture)
        return captions.in_order(left)

    def settle(self, name: str, outcome: Mapping[str, Any] | str) -> None:
        """Write the caption of a picture that has its text; `outcome` is an error as a text."""
        if isinstance(outcome, str):
            return
        picture = self.by_name[name]
        text = captions.caption(outcome["text"], self.wishes)
        before = self._befores.get(name, "") if self.existing == "append" else ""
        try:
            self.place.write(picture, captions.joined(before, text))
            if (stamp := captions.stamp_of(picture.file.stat())) != picture.stamp:
                self.journal.restamp(name, stamp)
        except ValueError as error:
            self.journal.fail(name, str(error))
            return
        except OSError as error:
            raise _unwritten(f"The caption of {name}", error) from None
        for warning in outcome.get("warnings", ()):
            self.say(f"{name}: {warning}")
        if words := captions.forbidden(text, self.wishes):
            self.say(f"{name}: the model used {', '.join(words)} all the same.")
        if len(self.shown) < SHOWN:
            self.shown.append((name, text))

    def flush(self) -> None:
        """Write what the place has not written yet."""
        try:
            self.place.flush()
        except OSError as error:
            raise _unwritten("The table of captions", error) from None

    def note_stop(self, error: str) -> None:
        """Note in the journal how far the job has come, and the `error` that has ended it, "" for none."""
        written = sum(1 for name in self.journal.stamps() if name in self.by_name)
        self.journal.note(written=written, total=len(self.by_name) - self.kept, ended=None, error=error)

    def report(self, now: float) -> Report:
        """Note the end, `now` in seconds since 1970, in the journal and return what there is."""
        failures = {name: said for name, said in self.journal.failures().items() if name in self.by_name}
        report = Report(len(self.by_name) - self.kept - len(failures), self.kept, failures, len(self.by_name))
        self.journal.note(written=report.written, failed=len(failures), total=report.total, ended=now)
        return report


def _unwritten(what: str, error: OSError) -> JobError:
    return JobError(
        f"{what} cannot be written ({error.strerror}). The texts are kept: put that right and run the job "
        "again."
    )


@dataclass(frozen=True, slots=True)
class CaptionOrder:
    """Order for a captioning job. `named` is the folder as the user calls it, `folder` its whole path.

    With a `limit` only the first so many pictures are captioned.
    """

    named: str
    folder: Path
    wishes: captions.Wishes
    existing: Existing = "keep"
    save_as: SaveAs = SAVE_AS[0]
    with_subfolders: bool = False
    with_videos: bool = False
    limit: int = 0
    seed: int = 0

    kind: ClassVar[str] = "caption"
    source: ClassVar[str] = ""

    def what(self, job: CaptionJob) -> str:
        """Return what the list of jobs calls it."""
        return str(self.folder)

    def entries(self, job: CaptionJob, model: Model, opening: contextlib.ExitStack) -> list[Entry]:
        """Return what is left to be asked for, read as long as `opening` is open."""
        readers = opening.enter_context(PictureReaders(0 if model.runs_in_place else len(job.pictures)))
        return job.entries(self.seed, readers.read)

    def sample(self, job: CaptionJob) -> Sample:
        entries, unasked, lost = job.sample(self.seed)
        return Sample(entries, unasked, unasked + lost, job.kept, len(job.pictures))

    @contextlib.contextmanager
    def opened(self, jobs: Path, model: Model) -> Iterator[CaptionJob]:
        """Hold the folder, and a journal for it in the folder `jobs`, for as long as the job runs.

        Raises `JobError` where there are no pictures, or another job is writing there.
        """
        place = place_for(self.save_as, self.folder)
        found = captions.find_pictures(
            self.folder, place.suffix, with_subfolders=self.with_subfolders, with_videos=self.with_videos
        )
        if not found:
            raise JobError(f"The folder {self.named} holds no images. Add some, or turn on subfolders.")
        job_id = caption_job_id(self.folder, self.wishes, self.save_as, self.existing, self.seed, model)
        with hold_place(jobs, self.folder), Journal(journal_file(jobs, job_id)) as journal:
            chosen = captions.in_order(found)[: self.limit] if self.limit else found
            yield CaptionJob(self.wishes, self.existing, journal, chosen, place)


def caption_job_id(
    folder: Path,
    wishes: captions.Wishes,
    save_as: str,
    existing: Existing,
    seed: int,
    model: Model,
) -> str:
    """Return the id of the journal for all that shapes the captions: the same ones resume the job."""
    return f"caption-{digest(str(folder), wishes, save_as, existing, seed, model.deployment.name)[:8]}"


def describing(model: Model) -> Ask:
    """Return what asks `model` for the texts of several pictures."""

    async def ask(payloads: Sequence[Any]) -> list[Written | LLMError]:
        described = await describe_views(payloads, quiet(model))
        cost = described.info["cost_usd"]
        return [
            Written({"text": text, "warnings": warnings}, cost and cost / len(payloads))
            for text, warnings in zip(described.texts, described.warnings, strict=True)
        ]

    return ask


def quiet(model: Model) -> Model:
    """Return the model for one call of many: it shows no text, and its retries are the job's own matter."""
    if model.runs_in_place:
        return replace(model, live=LiveText())
    deployment = replace(model.deployment, max_concurrency=MOST_AT_ONCE, retries=0)
    return replace(model, deployment=deployment, live=LiveText())


def most_at_once(model: Model, chosen: float | None) -> int:
    """Return the most calls at once to the servers of `model`; `chosen` is the user's limit for each."""
    usual = model.deployment.max_concurrency
    each = int(chosen) if chosen else usual if usual < _USUAL else MOST_AT_ONCE
    return each * (1 + len(model.deployment.replicas))

"""The work of one of Ray's workers: a batch of images as a small job, journalled in Parquet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow

from ...config.choice import Choice
from ...config.opening import open_model
from ...config.settings.home import targets_folder
from ...config.settings.values import load
from ...llm_backends.images import read_picture
from ...llm_backends.runner import runner
from ...prompting import targets
from ...prompting.describe import View
from ...prompting.jobs.caption_job import describing, most_at_once
from ...prompting.jobs.captions import Picture, Wishes, caption, read_text
from ...prompting.jobs.pace import Pace
from ...prompting.jobs.work import Entry, Question, Work
from .parquet_journal import ParquetJournal


class Worker:
    """Captions for batches of rows, with one model, which stays loaded."""

    def __init__(
        self, journal: str, model: str, wishes: Mapping[str, Any], target: str, seed: int, at_once: int
    ) -> None:
        known = targets.load(target, targets_folder()) if target else None
        self._wishes, self._seed, self._at_once = Wishes(target=known, **wishes), seed, at_once
        self._model = open_model(Choice(llm_model=model, by_workflow=False), caller="caption, Ray")
        self._journal = ParquetJournal(Path(journal))

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        self._journal.refresh()
        paths = batch.column("path").to_pylist()
        contents = batch.column("bytes").to_pylist() if "bytes" in batch.column_names else [None] * len(paths)
        outcomes: dict[str, Any] = {}
        entries = [self._entry(path, data) for path, data in zip(paths, contents, strict=True)]
        work = Work(entries, self._journal, describing(self._model), outcomes.__setitem__)
        try:
            if self._model.runs_in_place:
                work.run_in_place(self._at_once)
            else:
                most = min(self._at_once, most_at_once(self._model, load().number("LLM_MAX_CONCURRENCY")))
                runner.run(work.run(Pace(most, begin=most)))
        finally:
            self._journal.flush()
        texts, errors = [], []
        for path in paths:
            outcome = outcomes[path]
            failed = isinstance(outcome, str)
            texts.append("" if failed else caption(outcome["text"], self._wishes))
            errors.append(outcome if failed else "")
        strings = pyarrow.string()
        batch = batch.append_column("caption", pyarrow.array(texts, strings))
        return batch.append_column("error", pyarrow.array(errors, strings))

    def _entry(self, path: str, data: bytes | None) -> Entry:
        return Entry(path, "", partial(_question, Path(path), data, self._wishes, self._seed))


def _question(file: Path, data: bytes | None, wishes: Wishes, seed: int) -> Question:
    """Return the question for the picture of that name, whose content is `data` or else the file's."""
    data = file.read_bytes() if data is None else data
    picture = Picture(file.parent, file.name, "", file.with_suffix(".txt").name, False)
    instruction = wishes.instruction_for(
        picture, read_text(picture.text_file) if wishes.hint == "text" else ""
    )
    key = hashlib.sha256(data)
    key.update(instruction.encode())
    return Question(key.hexdigest(), View((read_picture(data),), wishes.target, instruction, seed))

"""Command caption: a text beside each picture of a folder."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....config.settings.home import targets_folder
from ....llm_backends.errors import LLMError
from ....llm_backends.model import Model
from ....prompting import targets
from ....prompting.describe import describe_views
from ....prompting.jobs import captions
from ....prompting.jobs.journal import JobError, Journal
from ....prompting.jobs.work import Ask, Entry, Progress, Written
from ..writing import open_chosen, print_json
from .carry_out import SOME_FAILED, carry_out, held, job_journal, list_failures, quiet, spoken_time

CANCELLED = 130
# Texts shown before a job asks whether to go on, and pictures above which it does not begin unasked.
_PREVIEW, _UNASKED = 3, 20


def caption_command(options: argparse.Namespace) -> int:
    folder = Path(options.folder).expanduser().resolve()
    options.arguments = [str(folder) if word == options.folder else word for word in options.arguments]
    wishes = captions.Wishes(
        target=targets.load(options.target, targets_folder()) if options.target else None,
        instruction=options.instruction,
        trigger=options.trigger,
        omit=options.omit,
        never=tuple(word.strip() for word in options.never.split(",") if word.strip()),
        form=options.form,
        words=options.words,
        hint=options.hint,
    )
    suffix = f".{options.suffix.lstrip('.')}"
    found = captions.find_pictures(folder, suffix, with_subfolders=options.subfolders)
    if not found:
        raise JobError(f"{folder} holds no images. Name the folder that they are in, or add --subfolders.")
    model = open_chosen(options, "caption, command line")
    shaping = (str(folder), wishes, suffix, options.existing, options.seed, model.deployment.name)
    with held(folder), job_journal("caption", shaping, options, str(folder)) as journal:
        pictures = found[: options.limit] if options.limit else found
        job = _Captions(wishes, options.existing, journal, pictures)
        entries = list(captions.entries_of(job.left(), wishes, options.seed))
        first, rest = entries[:_PREVIEW], entries[_PREVIEW:]
        if rest and not options.yes:
            if not sys.stdin.isatty() and len(rest) > _UNASKED:
                raise JobError(
                    f"{len(entries)} images are to be captioned. Add --yes to begin, or --limit N."
                )
            job.carry_out(first, model)
            if sys.stdin.isatty() and not job.goes_on(len(rest)):
                return CANCELLED
            entries = rest
        job.carry_out(entries, model)
        return job.report(options)


@dataclass
class _Captions:
    """One run of `caption`: which pictures are left, and what is written beside them."""

    wishes: captions.Wishes
    existing: captions.Existing
    journal: Journal
    pictures: Sequence[captions.Picture]

    def __post_init__(self) -> None:
        self.by_name = {picture.name: picture for picture in self.pictures}
        self.kept = 0
        self.shown: list[str] = []
        self.runs: list[Progress] = []
        self.befores = dict[str, str]()
        if self.existing == "append":
            self.befores = self.journal.keep(
                {
                    name: captions.read_text(picture.text_file)
                    for name, picture in self.by_name.items()
                    if picture.has_text
                }
            )

    def left(self) -> list[captions.Picture]:
        """Return the pictures that need a text; one that is journalled but not there is written first."""
        stamps = self.journal.stamps()
        ours = [name for name, one in self.by_name.items() if stamps.get(name) == one.stamp]
        lost = [name for name in ours if not self.by_name[name].has_text]
        if lost:
            texts = self.journal.texts()
            for name in lost:
                self.settle(name, texts[name])
        done = set(ours)
        left = []
        for name, picture in self.by_name.items():
            if name in done:
                continue
            if picture.has_text and self.existing == "keep" and captions.read_text(picture.text_file):
                self.kept += 1
            else:
                left.append(picture)
        return left

    def settle(self, name: str, outcome: Mapping[str, Any] | str) -> None:
        if isinstance(outcome, str):
            return
        text = captions.caption(outcome["text"], self.wishes)
        try:
            captions.write_caption(self.by_name[name], text, self.existing, self.befores.get(name, ""))
        except OSError as error:
            raise JobError(
                f"{self.by_name[name].text_file} cannot be written ({error.strerror}). The text is kept: "
                "put that right and run the command again."
            ) from None
        if words := captions.forbidden(text, self.wishes):
            print(f"{name}: the model used {', '.join(words)} all the same.", file=sys.stderr)
        if len(self.shown) < _PREVIEW:
            self.shown.append(f"{name}\n    {text}")

    def carry_out(self, entries: Sequence[Entry], model: Model) -> None:
        self.runs.append(carry_out(entries, self.journal, _describing(model), model, self.settle))

    def goes_on(self, left: int) -> bool:
        """Show the first texts, and ask whether the rest is wanted."""
        print("\n".join(self.shown))
        run = self.runs[-1]
        ended = max(1, run.done + run.failed)
        seconds = (time.monotonic() - run.began) / ended * left
        cost = f" and ${run.cost_usd / ended * left:.2f}" if run.cost_usd else ""
        question = f"{left} more images, at most about {spoken_time(seconds)}{cost}. Go on? [y/N] "
        return input(question).strip().lower() in ("y", "yes")

    def report(self, options: argparse.Namespace) -> int:
        failures = {name: said for name, said in self.journal.failures().items() if name in self.by_name}
        written = len(self.by_name) - self.kept - len(failures)
        self.journal.note(written=written, failed=len(failures), total=len(self.by_name), ended=time.time())
        if options.json:
            failed = [{"file": name, "error": said} for name, said in failures.items()]
            print_json(
                {
                    "job": self.journal.id,
                    "written": written,
                    "kept": self.kept,
                    "failed": failed,
                    "calls": sum(run.called for run in self.runs),
                    "cost_usd": sum(run.cost_usd for run in self.runs),
                }
            )
        else:
            kept = f"; {self.kept} had one and were left alone" if self.kept else ""
            print(f"{written} of {len(self.by_name)} images have their caption{kept}.")
            list_failures(failures, self.journal.id)
        return SOME_FAILED if failures else 0


def _describing(model: Model) -> Ask:
    async def ask(payloads: Sequence[Any]) -> list[Written | LLMError]:
        described = await describe_views(payloads, quiet(model))
        cost = described.info["cost_usd"]
        return [
            Written({"text": text, "warnings": described.info["warnings"]}, cost and cost / len(payloads))
            for text in described.texts
        ]

    return ask

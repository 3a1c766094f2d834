"""Progress of a job: a bar of rich or tqdm on a terminal where one is installed, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any, Protocol

from ....prompting.jobs.work import Progress

_SHOW_EVERY_S, _LINE_EVERY_S = 0.2, 10.0


class ProgressDisplay:
    """Display of `progress`: `tick` is called often and shows it now and then, `end` clears it away."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        is_there = sys.stderr is not None and sys.stderr.isatty()
        self._every = _SHOW_EVERY_S if is_there else _LINE_EVERY_S
        self._shown = time.monotonic()
        self._bar: _Bar | None = _bar(progress.in_all) if is_there else _Lines()

    def tick(self) -> None:
        now = time.monotonic()
        if self._bar is None or sys.stderr is None or now - self._shown < self._every:
            return
        self._shown = now
        progress = self._progress
        facts = progress.facts()
        if not progress.waiting:
            facts.insert(2 if progress.before else 1, f"{progress.at_once} at once")
        # A bar that breaks costs itself, never the job.
        with contextlib.suppress(Exception):
            self._bar.show(progress.ended, progress.in_all, " · ".join(facts))

    def end(self) -> None:
        if self._bar is not None:
            with contextlib.suppress(Exception):
                self._bar.close()
            self._bar = None


class _Bar(Protocol):
    def show(self, done: int, total: int, facts: str) -> None: ...

    def close(self) -> None: ...


def _bar(total: int) -> _Bar:
    for kind in (_Rich, _Tqdm):
        with contextlib.suppress(Exception):
            return kind(total)
    return _OneLine()


class _Rich:
    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[facts]}"))
        self._bar: Any = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=total, facts="")
        self._bar.start()

    def show(self, done: int, total: int, facts: str) -> None:
        self._bar.update(self._task, completed=done, facts=facts)

    def close(self) -> None:
        self._bar.stop()


class _Tqdm:
    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        form = "{percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt}{postfix}"
        self._bar: Any = tqdm(total=total, file=sys.stderr, leave=False, bar_format=form)

    def show(self, done: int, total: int, facts: str) -> None:
        self._bar.n = done
        self._bar.set_postfix_str(facts)

    def close(self) -> None:
        self._bar.close()


class _OneLine:
    def show(self, done: int, total: int, facts: str) -> None:
        print(f"\r\033[2K{done:,} of {total:,} · {facts}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        print("\r\033[2K", end="", file=sys.stderr, flush=True)


class _Lines:
    _last = ""

    def show(self, done: int, total: int, facts: str) -> None:
        # A batch may take a day.
        if (line := f"{done:,} of {total:,} · {facts}") != self._last:
            self._last = line
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        pass

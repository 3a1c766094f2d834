"""Control of running jobs: pause, resume and stop, from any thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .work import Progress


class Control:
    """A switch that a job looks at before each call. What is under way when it is turned is finished."""

    def __init__(self) -> None:
        self._may_go = threading.Event()
        self._may_go.set()
        self.is_stopped = False

    @property
    def is_paused(self) -> bool:
        return not self._may_go.is_set() and not self.is_stopped

    def pause(self) -> None:
        self._may_go.clear()

    def resume(self) -> None:
        self._may_go.set()

    def stop(self) -> None:
        self.is_stopped = True
        self._may_go.set()


@dataclass(slots=True)
class RunningJob:
    """A job of this process: its journal's id, its kind, what it works on, where it is once it has begun.

    It `waits` while the host does work of its own before the next texts. `end` is a sentence once it is over.
    """

    id: str
    kind: str
    what: str
    control: Control = field(default_factory=Control)
    progress: Progress | None = None
    waits: bool = False
    end: str = ""
    has_ended_well: bool = False

    def state(self) -> dict[str, Any]:
        """Return the state as a page shows it."""
        control, progress = self.control, self.progress
        state = "waiting" if self.waits else "running"
        state = "stopping" if control.is_stopped else "paused" if control.is_paused else state
        shown = {"id": self.id, "kind": self.kind, "what": self.what, "state": state}
        return shown | (progress.shown() if progress else {})


_running: dict[str, RunningJob] = {}


@contextlib.contextmanager
def announced(job: RunningJob) -> Iterator[RunningJob]:
    """Have `job` among `running_jobs` while it runs."""
    _running[job.id] = job
    try:
        yield job
    finally:
        _running.pop(job.id, None)


def running_jobs() -> dict[str, RunningJob]:
    """Return the jobs that run in this process, by id."""
    return dict(_running)

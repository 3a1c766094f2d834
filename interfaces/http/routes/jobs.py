"""Routes for jobs: those that there are, and a switch for each that runs in this program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ....config.settings.home import home
from ....prompting.jobs.control import running_jobs
from ....prompting.jobs.journal import JobError, journals, peek
from ..messages import Answer, HttpError
from ..routing import Exchange, Route
from ..schema import body, one_of
from ..threads import in_thread

# A page shows the latest ones.
_MOST_LISTED = 50


async def _list(exchange: Exchange) -> Answer:
    return Answer({"jobs": await in_thread(_known)})


def _known() -> list[dict[str, Any]]:
    running = running_jobs()
    return [job.state() for job in running.values()] + [
        _noted(file.stem, *noted)
        for file in journals(home() / "jobs")[:_MOST_LISTED]
        if file.stem not in running and (noted := _peeked(file)) is not None
    ]


def _peeked(file: Path) -> tuple[dict[str, Any], int] | None:
    try:
        return peek(file)
    except JobError:
        return None


def _noted(job_id: str, about: dict[str, Any], failed: int) -> dict[str, Any]:
    return {
        "id": job_id,
        "kind": about.get("kind", ""),
        "what": about.get("what", ""),
        "state": "done" if about.get("ended") else "open",
        "total": about.get("total"),
        "done": about.get("written"),
        "failed": failed,
    }


async def _switch(exchange: Exchange) -> Answer:
    job = running_jobs().get(exchange.name)
    if job is None:
        raise HttpError(
            404, "not_found", f"Job {exchange.name[:80]!r} does not run here.", "Run its workflow again."
        )
    control = job.control
    {"pause": control.pause, "resume": control.resume, "stop": control.stop}[exchange.body["do"]]()
    return Answer(job.state())


ROUTES = (
    Route("GET", "jobs", "private", "List jobs with their progress, those that run here first.", _list),
    Route(
        "POST",
        "jobs/{name}",
        "change",
        "Pause, resume or stop a job that runs here; a stopped one is resumed by running it again.",
        _switch,
        body=body(("do",), do=one_of("pause", "resume", "stop")),
    ),
)

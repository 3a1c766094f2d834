"""Routes for jobs: those that there are, a new one for a folder or a file, a switch and results for each."""

from __future__ import annotations

import asyncio
import concurrent.futures
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ....config.settings.home import home, targets_folder
from ....llm_backends.model import Model
from ....prompting.jobs import captions
from ....prompting.jobs.caption_job import CaptionOrder
from ....prompting.jobs.control import Control, running_jobs
from ....prompting.jobs.file_job import HANDED_IN, FileOrder
from ....prompting.jobs.journal import JobError, journals, kept_in, peek
from ....prompting.jobs.line_tasks import IDEAS, IdeaOptions, prompts_for
from ....prompting.jobs.lines import by_place, lines_of
from ....prompting.tasks import EXISTING, FORMS, HINTS, LARGEST_SEED, MOST_VARIATIONS, SAVE_AS
from ...background_jobs import J, Order, Preview, Turns, preview, start
from ..messages import Answer, HttpError
from ..model_calls import MODEL_FIELDS, open_asked
from ..names import load_target
from ..routing import Exchange, Route
from ..schema import body, checked, flag, one_of, text, whole
from ..threads import in_thread

T = TypeVar("T")

# A page shows the latest ones.
_MOST_LISTED = 50
_PAGE_FOLDER = {"type": "string", "maxLength": 4096}
_MOST_PICTURES = 1_000_000
# Characters and bytes of a file of prompts that a page may send, and bytes of results that it may fetch.
_LONGEST_FILE, _LARGEST_BODY, _LARGEST_RESULTS = 4_000_000, 2**24, 2**26
RESULTS = ("jsonl", "csv")
CAPTIONS = body(
    ("folder",),
    folder=_PAGE_FOLDER,
    target=text(200, "auto"),
    instruction=text(),
    trigger=text(1000),
    existing=one_of(*EXISTING, default="keep"),
    limit=whole(0, _MOST_PICTURES, 0),
    seed=whole(0, LARGEST_SEED, 0),
    always=text(),
    never=text(),
    omit=text(),
    form=one_of(*FORMS, default="any"),
    words=whole(0, 1000, 0),
    hint=one_of(*HINTS, default="none"),
    save_as=one_of(*SAVE_AS, default=SAVE_AS[0]),
    subfolders=flag(),
    videos=flag(),
    preview=flag(),
    **MODEL_FIELDS,
)


PROMPTS = body(
    ("text",),
    text={"type": "string", "maxLength": _LONGEST_FILE},
    name=text(255),
    target=text(200, "general"),
    instruction=text(),
    variations=whole(1, MOST_VARIATIONS, 1),
    seed=whole(0, LARGEST_SEED, 0),
    save_as=one_of(*RESULTS, default=RESULTS[0]),
    preview=flag(),
    **MODEL_FIELDS,
)


async def _list(exchange: Exchange) -> Answer:
    return Answer({"jobs": await in_thread(_known)})


def _known() -> list[dict[str, Any]]:
    running = running_jobs()
    return [{**job.state(), "has_results": job.kind == "enhance"} for job in running.values()] + [
        noted
        for file in journals(home() / "jobs")[:_MOST_LISTED]
        if file.stem not in running and (noted := _noted(file)) is not None
    ]


def _noted(file: Path) -> dict[str, Any] | None:
    """Return what is noted of a job that does not run here, None where it has never begun."""
    try:
        about, failed, failures = peek(file)
    except JobError:
        return None
    if not about.get("kind"):
        return None
    is_over = bool(about.get("ended"))
    return {
        "id": file.stem,
        "kind": about["kind"],
        "what": about.get("what", ""),
        "state": "done" if is_over else "open",
        "total": about.get("total"),
        "done": about.get("written"),
        "failed": failed,
        "failures": [{"name": name, "error": said} for name, said in by_place(failures, about).items()],
        "error": about.get("error") or "",
        "resumable": bool(about.get("asked")) and not (is_over and not failed),
        "has_results": about["kind"] == "enhance" and bool(about.get("asked")),
    }


async def _begin(exchange: Exchange) -> Answer:
    return await _begun(exchange, *await in_thread(_prepare, exchange), sample="file")


async def _begin_prompts(exchange: Exchange) -> Answer:
    return await _begun(exchange, *await in_thread(_prepare_prompts, exchange), sample="idea")


async def _begun(exchange: Exchange, order: Order[J], model: Model, *, sample: str) -> Answer:
    """Preview or begin a job; `sample` is what the samples of a preview are called by."""
    turns = _turns(exchange)
    if exchange.body["preview"]:
        control = Control()
        try:
            found = await _in_own_thread(lambda: preview(order, model, turns, control))
            return Answer(_previewed(found, sample))
        finally:
            # Nobody waits for it any more.
            control.stop()
    # A journal keeps the text of a file where it is not read with every look at the list.
    asked = {name: value for name, value in exchange.body.items() if name not in ("preview", "text")}
    return Answer((await in_thread(start, order, model, turns, asked)).state())


def _prepare(exchange: Exchange) -> tuple[CaptionOrder, Model]:
    order = order_of(exchange.body, exchange.host.picture_folder(exchange.body["folder"]))
    return order, open_asked(exchange, "Caption a folder", node="Caption Folder")


def _prepare_prompts(exchange: Exchange) -> tuple[FileOrder, Model]:
    order = prompts_order_of(exchange.body, exchange.host.results_folder())
    return order, open_asked(exchange, "Enhance a file")


def prompts_order_of(wanted: Mapping[str, Any], results: Path) -> FileOrder:
    """Return the order for a file that a body with the fields of `PROMPTS` makes; `results` is the folder.

    Raises `JobError` with the line that cannot be used.
    """
    name = re.split(r"[\\/]", wanted["name"])[-1]
    options = IdeaOptions(
        **{field: wanted[field] for field in ("target", "instruction", "variations", "seed")}
    )
    tasks = prompts_for(lines_of(wanted["text"], name, IDEAS), name, options, targets_folder())
    return FileOrder(wanted["text"], name, tasks, options, results, f".{wanted['save_as']}")


def order_of(wanted: Mapping[str, Any], folder: Path) -> CaptionOrder:
    """Return the order for `folder` that a body with the fields of `CAPTIONS` makes."""
    wishes = captions.Wishes(
        target=None if wanted["target"] in ("", "auto") else load_target(wanted["target"]),
        always=captions.split_words(wanted["always"]),
        never=captions.split_words(wanted["never"]),
        **{name: wanted[name] for name in ("instruction", "trigger", "omit", "form", "words", "hint")},
    )
    return CaptionOrder(
        wanted["folder"].strip(),
        folder,
        wishes,
        wanted["existing"],
        wanted["save_as"],
        wanted["subfolders"],
        wanted["videos"],
        wanted["limit"],
        wanted["seed"],
    )


def _turns(exchange: Exchange) -> Turns:
    loop, host = asyncio.get_running_loop(), exchange.host
    return Turns(
        lambda work: asyncio.run_coroutine_threadsafe(host.run_in_turn(work), loop), host.others_wait
    )


async def _in_own_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns; the threads of the other routes are not to wait for it."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 (raised again for whoever waits)
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="quillwork-preview", daemon=True).start()
    return await asyncio.wrap_future(future)


def _previewed(found: Preview, label: str) -> dict[str, Any]:
    return {
        "total": found.total,
        "left": found.left,
        "kept": found.kept,
        "samples": [{label: name, "text": written, "error": said} for name, written, said in found.samples],
        "left_s": found.seconds,
        "cost_usd": found.cost_usd,
    }


async def _switch(exchange: Exchange) -> Answer:
    job = running_jobs().get(exchange.name)
    if job is None:
        if exchange.body["do"] == "resume" and (asked := await in_thread(_asked, exchange.name)):
            is_file = "text" in asked
            wanted = checked({**asked, "preview": False}, PROMPTS if is_file else CAPTIONS)
            return await (_begin_prompts if is_file else _begin)(replace(exchange, body=wanted))
        raise HttpError(
            404, "not_found", f"Job {exchange.name[:80]!r} does not run here.", "Run its workflow again."
        )
    control = job.control
    {"pause": control.pause, "resume": control.resume, "stop": control.stop}[exchange.body["do"]]()
    return Answer(job.state())


def _asked(job_id: str) -> dict[str, Any] | None:
    """Return what the job was begun with on a page, None for another one."""
    file = _journal(job_id)
    asked: dict[str, Any] | None = peek(file)[0].get("asked") if file else None
    if file and asked and (handed_in := kept_in(file, HANDED_IN)) is not None:
        return {**asked, "text": handed_in}
    return asked


def _journal(job_id: str) -> Path | None:
    return next((file for file in journals(home() / "jobs") if file.stem == job_id), None)


async def _results(exchange: Exchange) -> Answer:
    return Answer(await in_thread(_read_results, exchange))


def _read_results(exchange: Exchange) -> dict[str, str]:
    """Return name and text of the file of results, as far as it is written."""
    file = _journal(exchange.name)
    about = peek(file)[0] if file else {}
    if about.get("kind") != "enhance" or not about.get("asked"):
        raise HttpError(404, "not_found", f"Job {exchange.name[:80]!r} has no results to fetch.", "")
    out = Path(about["what"])
    folder = exchange.host.results_folder()
    try:
        if not out.resolve().is_relative_to(folder) or out.stat().st_size > _LARGEST_RESULTS:
            raise HttpError(413, "too_large", f"{out} cannot be sent to a page.", "Open it where it lies.")
        return {"file": out.name, "text": out.read_bytes().decode("utf-8-sig")}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise HttpError(
            404, "not_found", f"The results {out.name} cannot be read ({reason}).", "Resume the job."
        ) from None


ROUTES = (
    Route("GET", "jobs", "private", "List jobs with their progress, those that run here first.", _list),
    Route(
        "POST",
        "jobs",
        "change",
        "Begin to caption a folder; with `preview` only the first images, and nothing is written there.",
        _begin,
        body=CAPTIONS,
    ),
    Route(
        "POST",
        "jobs/prompts",
        "change",
        "Begin to write a prompt for each line of a file; with `preview` only the first ones.",
        _begin_prompts,
        body=PROMPTS,
        most_bytes=_LARGEST_BODY,
    ),
    Route(
        "GET",
        "jobs/{name}",
        "private",
        "The results of a job for a file, as far as they are written.",
        _results,
    ),
    Route(
        "POST",
        "jobs/{name}",
        "change",
        "Pause, resume or stop a job that runs here; one that was begun here and has ended is begun again.",
        _switch,
        body=body(("do",), do=one_of("pause", "resume", "stop")),
    ),
)

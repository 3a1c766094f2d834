"""A folder in the tab: a caption beside each of its images, after a preview of the first."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from ....config.access import consent
from ....config.choice import Choice
from ....config.settings.values import load
from ....llm_backends.errors import ConsentNeeded
from ....llm_backends.host import program
from ....llm_backends.model import Model
from ....prompting.jobs.caption_job import CaptionOrder
from ....prompting.jobs.control import Control, RunningJob, running_jobs
from ....prompting.jobs.work import spoken_time
from ....prompting.tasks import EXISTING
from ...background_jobs import Preview, Turns, preview, start
from ...http import guard
from ...http.messages import HttpError
from ...http.routes.jobs import CAPTIONS, order_of
from ...http.schema import checked
from ..arguments import AUTO
from ..controls import models
from ..host.folders import picture_folder
from ..host.port import WebUiHost
from ..host.queue import QueuedWork, others_wait, settle
from ..host.settings import target_choices
from ..page_parts import AT_ONCE, QUIET, exchange_of, fault, guarded, note, steps_of, stream, table, together
from ..wording import sentence_of

_CAPTION = "a caption"
_LOOK_EVERY_S = 0.3
# Only sending reveals that the browser is gone.
_ALIVE_EVERY = 3
_LOOKING = "The model looks at the first images …"
_FIELDS = ("folder", "target", "instruction", "trigger", "existing", "limit", "subfolders", "llm_model")
_TURNS = Turns(lambda work: QueuedWork(work).future, others_wait)


class FolderSession:
    """Work of one browser under way: a preview, or a job that it shows."""

    def __init__(self) -> None:
        self.control: Control | None = None

    def __deepcopy__(self, memo: Any) -> FolderSession:
        """Make a session of its own for each browser: gradio copies the one that it was given."""
        return type(self)()

    def stop(self) -> None:
        if self.control is not None:
            self.control.stop()


def build(page: Any) -> None:
    session = gr.State(FolderSession())
    with gr.Accordion("Caption a folder", open=False, elem_id="quillwork_folder_part"):
        with gr.Row():
            folder = gr.Textbox(
                label="Folder",
                placeholder="A folder in the web UI's outputs, or a whole path",
                elem_id="quillwork_folder",
            )
            target = gr.Dropdown(
                label="Output: a caption, or a prompt for a model",
                choices=[_CAPTION, *(name for name in target_choices() if name != AUTO)],
                value=_CAPTION,
                elem_id="quillwork_folder_target",
            )
        with gr.Row():
            instruction = gr.Textbox(
                label="Instruction",
                placeholder="Optional, e.g. name the light",
                elem_id="quillwork_folder_instruction",
            )
            trigger = gr.Textbox(
                label="Trigger word",
                placeholder="Optional, begins every caption",
                elem_id="quillwork_folder_trigger",
            )
        with gr.Row():
            existing = gr.Dropdown(
                label="Captions that are already there",
                choices=list(EXISTING),
                value="keep",
                elem_id="quillwork_folder_existing",
            )
            limit = gr.Number(
                label="Only the first images (0: all)",
                value=0,
                precision=0,
                elem_id="quillwork_folder_limit",
            )
            model = gr.Dropdown(
                label="Vision model (empty: from settings)",
                choices=["", *models()],
                value="",
                allow_custom_value=True,
                elem_id="quillwork_folder_model",
            )
            subfolders = gr.Checkbox(
                label="Also the images in subfolders", value=False, elem_id="quillwork_folder_subfolders"
            )
        with gr.Row():
            look = gr.Button("Preview", elem_id="quillwork_folder_preview")
            begin = gr.Button("Start", variant="primary", visible=False, elem_id="quillwork_folder_start")
            allow = gr.Button("Allow this folder", visible=False, elem_id="quillwork_folder_allow")
            stop = gr.Button("Stop", visible=False, elem_id="quillwork_folder_stop")
        status = gr.HTML("", elem_id="quillwork_folder_status")
        samples = gr.HTML("", elem_id="quillwork_folder_samples")
    fields = [folder, target, instruction, trigger, existing, limit, subfolders, model]
    shown = [begin, allow, stop, samples, status]
    stream(look, stop, _preview, inputs=[session, *fields], outputs=[look, *shown])
    stream(begin, stop, _start, inputs=[session, *fields], outputs=[look, *shown], comes_back=look)
    allow.click(fn=_allow, inputs=[folder], outputs=[allow, status], **AT_ONCE)
    stop.click(fn=FolderSession.stop, inputs=[session], outputs=[], **AT_ONCE)
    # What was shown is not what would be begun any more.
    for field in fields:
        field.change(fn=_changed, inputs=[], outputs=[begin, allow, samples], **AT_ONCE)
    if follow := steps_of(_follow_running):
        page.load(fn=follow, inputs=[session], outputs=[look, *shown], **QUIET, **together())


def _changed() -> tuple[Any, ...]:
    return gr.update(visible=False), gr.update(visible=False), ""


def _prepared(values: tuple[Any, ...]) -> tuple[CaptionOrder, Model, dict[str, Any]]:
    given = dict(zip(_FIELDS, values, strict=True))
    given |= {
        "limit": int(given["limit"] or 0),
        "target": "" if given["target"] == _CAPTION else given["target"],
    }
    wanted = checked(given, CAPTIONS, "The form")
    folder = picture_folder(wanted["folder"])
    opened = WebUiHost("web UI").open(Choice(llm_model=wanted["llm_model"].strip(), by_workflow=False))
    asked = {name: value for name, value in wanted.items() if name != "preview"}
    return order_of(wanted, folder), opened, asked


def _step(
    status: Any = None,
    *,
    look: Any = None,
    begin: Any = None,
    allow: Any = None,
    stop: Any = None,
    samples: Any = None,
) -> tuple[Any, ...]:
    """Return a step for all outputs; buttons are named with whether they are to be seen."""
    same = gr.update()
    buttons = (
        same if is_there is None else gr.update(visible=is_there) for is_there in (look, begin, allow, stop)
    )
    return (*buttons, same if samples is None else samples, same if status is None else status)


async def _preview(session: FolderSession, *values: Any) -> AsyncGenerator[tuple[Any, ...], None]:
    control = session.control = Control()
    future: concurrent.futures.Future[Preview] = concurrent.futures.Future()

    def work() -> Preview:
        order, model, _ = _prepared(values)
        return preview(order, model, _TURNS, control)

    try:
        yield _step(note(_LOOKING), look=False, begin=False, allow=False, stop=True, samples="")
        threading.Thread(target=settle, args=(future, work), name="quillwork-preview", daemon=True).start()
        looks = 0
        while not future.done():
            await asyncio.sleep(_LOOK_EVERY_S)
            looks += 1
            if looks % _ALIVE_EVERY == 0:
                yield _step(note(_LOOKING))
        found = future.result()
    except Exception as error:  # noqa: BLE001 (shown on the page)
        yield _step(fault(sentence_of(error)), allow=isinstance(error, ConsentNeeded))
        return
    finally:
        # Nobody waits for it any more.
        control.stop()
        session.control = None
    rows = [(name, written or said) for name, written, said in found.samples]
    yield _step(
        _found(found), begin=bool(found.left), samples=table(("Image", "Caption"), rows) if rows else ""
    )


def _found(found: Preview) -> str:
    parts = [f"Images that get a caption: {found.left} of {found.total}."]
    if found.kept:
        parts.append(f"Already captioned: {found.kept}.")
    if found.seconds:
        parts.append(f"At most about {spoken_time(found.seconds)} for the rest.")
    if found.cost_usd:
        parts.append(f"About ${found.cost_usd:.2f}.")
    return note(" ".join(parts))


async def _start(session: FolderSession, *values: Any) -> AsyncGenerator[tuple[Any, ...], None]:
    yield _step(note("Starting …"), look=False, begin=False, allow=False, stop=True, samples="")
    try:
        running = await asyncio.to_thread(_begun, values)
    except Exception as error:  # noqa: BLE001 (shown on the page)
        yield _step(fault(sentence_of(error)), allow=isinstance(error, ConsentNeeded))
        return
    async for step in _follow(session, running):
        yield step


def _begun(values: tuple[Any, ...]) -> RunningJob:
    order, model, asked = _prepared(values)
    return start(order, model, _TURNS, asked)


async def _follow_running(session: FolderSession) -> AsyncGenerator[tuple[Any, ...], None]:
    """Yield the steps of a job that runs already, for a page that is loaded meanwhile."""
    running = next(iter(running_jobs().values()), None)
    if running is None:
        yield _step()
        return
    yield _step(look=False, stop=True)
    async for step in _follow(session, running):
        yield step
    yield _step(look=True, stop=False)


async def _follow(session: FolderSession, running: RunningJob) -> AsyncGenerator[tuple[Any, ...], None]:
    session.control = running.control
    shown, looks = "", 0
    while not running.end:
        line = _line(running)
        looks += 1
        if line != shown or looks % _ALIVE_EVERY == 0:
            shown = line
            yield _step(line)
        await asyncio.sleep(_LOOK_EVERY_S)
    session.control = None
    yield _step(note(running.end) if running.has_ended_well else fault(running.end))


def _line(running: RunningJob) -> str:
    state = running.state()["state"]
    words = f"waiting for the queue of {program()}" if state == "waiting" else state
    return note(f"{running.what}: {words} · {running.progress.line()}" if running.progress else words)


@guarded(2)
def _allow(folder: str, request: gr.Request) -> tuple[Any, ...]:
    """Allow captions in the folder, where only the person at this machine can press the button."""
    try:
        picture_folder(folder)
    except ConsentNeeded as wanted:
        exchange = exchange_of(request, "consent", {})
        if guard.is_beyond(exchange.request, exchange.host):
            raise HttpError(
                403,
                "forbidden",
                f"Others can reach {program()}, so that no folder can be allowed on its page.",
                f"Set LLM_ALLOW={wanted.provider} and restart {program()}.",
            ) from None
        guard.check(exchange.request, "private", exchange.host, load())
        if not consent.can_be_given(wanted.provider):
            raise HttpError(
                400, "bad_request", f"{folder} is no folder.", "Enter the whole path of one."
            ) from None
        consent.allow(wanted.provider, load().folder)
    return gr.update(visible=False), note(f"Captions may now be written in {folder}. Press Preview again.")

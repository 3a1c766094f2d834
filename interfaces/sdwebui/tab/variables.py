"""Generate Variables in the tab: values are invented, looked through, and kept or dropped one by one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ....config.choice import Choice
from ....llm_backends import modes
from ....prompting.generate_values import Invented, invent
from ....prompting.tasks import CREATIVITIES, MOST_VALUES, VariablesTask
from ....prompting.templates.missing import keep
from ...http.routes.library import open_library
from ..button_call import ButtonCall, Session
from ..controls import models
from ..generation import NO_MODEL
from ..host.lookup import fixed_seed
from ..page_parts import AT_ONCE, fault, guarded, note, stream
from ..wording import sentence_of


class ValueReview(Session):
    """Session that also holds the values of a variable shown so far: a dropped one does not come again."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self.values: list[str] = []


@dataclass(frozen=True, slots=True)
class Parts:
    """Components that the library beside this part works with."""

    name: Any
    added: Any


def build() -> Parts:
    session = gr.State(ValueReview())
    name = gr.Textbox(label="Variable", placeholder="season", elem_id="quillwork_variable")
    context = gr.Textbox(
        label="Prompt that the values will be used in",
        placeholder="Optional, e.g. a meadow in __season__, oil painting",
        lines=2,
        elem_id="quillwork_variable_context",
    )
    guidance = gr.Textbox(
        label="Guidance", placeholder="Optional, e.g. only warm ones", elem_id="quillwork_variable_guidance"
    )
    with gr.Row():
        count = gr.Slider(
            label="Number of values",
            minimum=1,
            maximum=MOST_VALUES,
            step=1,
            value=20,
            elem_id="quillwork_count",
        )
        creativity = gr.Dropdown(
            label="Creativity",
            choices=list(CREATIVITIES),
            value="balanced",
            elem_id="quillwork_creativity",
        )
        model = gr.Dropdown(
            label="Model (empty: from settings)",
            choices=["", *models()],
            value="",
            allow_custom_value=True,
            elem_id="quillwork_variable_model",
        )
    save = gr.Checkbox(label="Add to the library immediately", value=False, elem_id="quillwork_save")
    with gr.Row():
        begin = gr.Button("Generate values", variant="primary", elem_id="quillwork_invent")
        stop = gr.Button("Stop", visible=False, elem_id="quillwork_invent_stop")
    status = gr.HTML("", elem_id="quillwork_invent_status")
    found = gr.CheckboxGroup(
        label="Untick the values to discard; the others are kept when you generate more",
        choices=[],
        value=[],
        visible=False,
        elem_id="quillwork_found",
    )
    add = gr.Button("Add ticked values to the library", visible=False, elem_id="quillwork_add")
    stream(
        begin,
        stop,
        _generate,
        inputs=[session, name, context, guidance, count, creativity, model, save, found],
        outputs=[found, add, begin, stop, status],
    )
    stop.click(fn=Session.stop, inputs=[session], outputs=[], **AT_ONCE)
    added = add.click(fn=_add, inputs=[name, context, found], outputs=[status], **AT_ONCE)
    return Parts(name, added)


async def _generate(
    session: ValueReview,
    name: str,
    context: str,
    guidance: str,
    count: float,
    creativity: Any,
    model: str,
    save: bool,
    ticked: list[str],
) -> AsyncGenerator[tuple[Any, ...], None]:
    """Yield the list, its button, the two buttons and the status, step by step."""
    same = gr.update()
    name = name.strip()
    if name != session.name:
        session.name, session.values, ticked = name, [], []

    def work(desk: ButtonCall[Invented]) -> Invented:
        library = open_library()
        known = library.values(name) if name and library.exists(name) else ()
        task = VariablesTask(
            name=name,
            count=int(count),
            context=context,
            guidance=guidance,
            creativity=creativity,
            existing=(*known, *session.values),
            seed=fixed_seed(-1),
        )
        opened = desk.open(Choice(llm_model=model, by_workflow=False))
        return desk.perform(invent(task, opened), opened)

    call = session.call = ButtonCall(work)
    try:
        yield same, same, gr.update(visible=False), gr.update(visible=True), "Quillwork is writing …"
        async for _, notice in call.follow():
            yield same, same, same, same, note(notice or "Quillwork is writing …")
        invented = call.result()
        session.values += invented.values
        values = [*ticked, *invented.values]
        status = _status(invented, _kept(name, values, context) if save else "")
    except Exception as error:  # noqa: BLE001 (shown on the page)
        yield same, same, same, same, fault(sentence_of(error))
        return
    finally:
        call.stop()
        session.call = None
    yield gr.update(choices=values, value=values, visible=True), gr.update(visible=True), same, same, status


def _status(invented: Invented, kept: str) -> str:
    who = invented.info["model"] or invented.info["mode"]
    count = len(invented.values)
    by = NO_MODEL if modes.of(invented.info["mode"]).stands_in else f"{count} values from {who}."
    return note(by, *invented.info["warnings"], kept)


def _kept(name: str, values: list[str], context: str) -> str:
    added = keep(open_library(), name, values, context)
    return f"{len(added)} of {len(values)} values are new in the library as __{name}__."


@guarded(1)
def _add(name: str, context: str, ticked: list[str]) -> str:
    if not ticked:
        return fault("Nothing is ticked.")
    return note(_kept(name.strip(), ticked, context))

"""Describe Image in the tab: a picture becomes words, and these go into a prompt box."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from ....config.choice import Choice
from ....llm_backends.errors import NotConfigured
from ....llm_backends.images import encode_picture
from ....prompting.describe import Described, describe
from .. import enhance_now
from ..arguments import AUTO, TABS
from ..button_call import ButtonCall, Session
from ..controls import models
from ..host.lookup import fixed_seed
from ..host.settings import target_choices
from ..page_parts import AT_ONCE, fault, note, stream
from ..wording import sentence_of

_DESCRIPTION = "a description"
_LEGACY = ("txt2img", "img2img")


def build() -> None:
    session = gr.State(Session())
    with gr.Row():
        with gr.Column():
            picture = gr.Image(label="Picture", type="pil", elem_id="quillwork_picture")
        with gr.Column():
            target = gr.Dropdown(
                label="Output: a description, or a prompt for a model",
                choices=[_DESCRIPTION, *target_choices()],
                value=AUTO,
                elem_id="quillwork_describe_target",
            )
            instruction = gr.Textbox(
                label="Instruction or question",
                placeholder="Optional, e.g. only the light and the colours",
                elem_id="quillwork_describe_instruction",
            )
            model = gr.Dropdown(
                label="Vision model (empty: from settings)",
                choices=["", *models()],
                value="",
                allow_custom_value=True,
                elem_id="quillwork_describe_model",
            )
            with gr.Row():
                begin = gr.Button("Describe", variant="primary", elem_id="quillwork_describe")
                stop = gr.Button("Stop", visible=False, elem_id="quillwork_describe_stop")
            status = gr.HTML("", elem_id="quillwork_describe_status")
            text = gr.Textbox(label="Text", lines=6, elem_id="quillwork_description")
            with gr.Row():
                for tab in TABS:
                    _send_button(tab, text)
    stream(
        begin,
        stop,
        _describe,
        inputs=[session, picture, target, instruction, model],
        outputs=[text, begin, stop, status],
    )
    stop.click(fn=Session.stop, inputs=[session], outputs=[], **AT_ONCE)


def _send_button(tab: str, text: Any) -> None:
    """Build a button that puts the text into the tab's prompt box; the page's script then goes there."""
    box = enhance_now.prompt_box(tab)
    if box is not None:
        # SD.Next's Modern UI hides tabs of this class, unless set otherwise, and with them what leads there.
        legacy = ["only-legacy"] if tab in _LEGACY and enhance_now.prompt_box("control") is not None else []
        send = gr.Button(f"Send to {tab}", elem_id=f"quillwork_send_{tab}", elem_classes=legacy)
        send.click(fn=lambda words: words, inputs=[text], outputs=[box], **AT_ONCE)


async def _describe(
    session: Session, picture: Any, target: str, instruction: str, model: str
) -> AsyncGenerator[tuple[Any, ...], None]:
    """Yield the text, the two buttons and the status, step by step."""
    same = gr.update()

    def work(desk: ButtonCall[Described]) -> Described:
        if picture is None:
            raise NotConfigured("There is no image.", hint="Drop an image into the field.")
        opened = desk.open(Choice(llm_model=model, by_workflow=False))
        asked = describe(
            [encode_picture(picture)],
            opened,
            instruction=instruction,
            target=None if target == _DESCRIPTION else enhance_now.target_named(target),
            seed=fixed_seed(-1),
        )
        return desk.perform(asked, opened)

    call = session.call = ButtonCall(work)
    try:
        yield same, gr.update(visible=False), gr.update(visible=True), "Quillwork is looking …"
        async for words, notice in call.follow():
            yield words or same, same, same, note(notice or "Quillwork is looking …")
        described = call.result()
    except Exception as error:  # noqa: BLE001 (shown on the page)
        yield same, same, same, fault(sentence_of(error))
        return
    finally:
        call.stop()
        session.call = None
    info = described.info
    status = note(f"Written by {info['model'] or info['mode']}.", *info["warnings"])
    yield described.texts[0], same, same, status

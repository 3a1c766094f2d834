"""Tags for the completion in our text fields, handed to the page's script through gradio.

Not by the route, so that it works wherever the page does: behind a login, a tunnel or a proxy.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

import gradio as gr

from ....prompting import targets
from ...http.routes.tags import tags_for
from .. import enhance_now
from ..host.settings import completes_tags
from ..page_parts import AT_ONCE


def build() -> None:
    """Build what the script fills in, presses and reads; the style sheet hides it."""
    with gr.Row(elem_id="quillwork_tags"):
        question = gr.Textbox(label="Tags for", elem_id="quillwork_tags_question")
        ask = gr.Button("Ask for tags", elem_id="quillwork_tags_ask")
        answer = gr.HTML("", elem_id="quillwork_tags_answer")
    ask.click(fn=_answer, inputs=[question], outputs=[answer], **AT_ONCE)


def _answer(question: str) -> str:
    """Return the answer in an element that the page does not draw, marked with the number of its question."""
    try:
        asked = json.loads(question)
    except ValueError:
        return ""
    found = json.dumps(_found(str(asked["target"]), str(asked["version"])))
    return f"<template data-number='{int(asked['number'])}'>{escape(found)}</template>"


def _found(name: str, version: str) -> dict[str, Any]:
    try:
        target = enhance_now.target_named(name) if completes_tags() else None
    except (targets.UnknownTarget, ValueError):
        # A description, a caption, or what is being typed into the list of targets.
        target = None
    return {"version": "", "rows": ""} if target is None else tags_for(target, version)

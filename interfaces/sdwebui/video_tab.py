"""Accordion in SD.Next's Video tab: Enhance now and what that needs, as no script has a turn there."""

from __future__ import annotations

from typing import Any

from . import enhance_now
from .arguments import TITLE
from .controls import build_writer
from .page_parts import unsaved

_TAB = "video"
# The component that the host makes right below its prompt boxes, when both are there.
_AFTER = "video_prompt_image"


def see(component: Any) -> None:
    """Put the accordion where the host has come to it, for ``on_after_component``."""
    if getattr(component, "elem_id", None) == _AFTER:
        _build()


def _build() -> None:
    import gradio as gr

    with gr.Accordion(TITLE, open=False, visible=False, elem_id=f"quillwork_{_TAB}") as accordion:
        writer = build_writer(lambda name: f"script_{_TAB}_quillwork_{name}")
        unsaved(*writer.values())
        enhance_now.build(_TAB, {**writer, "accordion": accordion})

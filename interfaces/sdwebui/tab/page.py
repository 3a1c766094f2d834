"""Page of the Quillwork tab. Loaded when the host builds its page, so gradio is there."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ..page_parts import unsaved
from . import describe, folder, keys, library, settings
from . import tags as tab_tags
from . import usage as tab_usage
from . import variables as tab_variables


def build() -> list[tuple[Any, str, str]]:
    """Build the tab, for ``on_ui_tabs``. Only components that Gradio 3 and 4 both have."""
    with gr.Blocks(analytics_enabled=False) as page:
        with gr.Tabs():
            with gr.Tab("Variables"), gr.Row():
                with gr.Column():
                    variables = tab_variables.build()
                with gr.Column():
                    library.build(page, variables)
            with gr.Tab("Describe image"):
                describe.build()
                folder.build(page)
            with gr.Tab("Settings"):
                settings.build(page)
            with gr.Tab("Keys"):
                keys.build(page)
            with gr.Tab("Usage") as usage:
                tab_usage.build(page, usage)
        tab_tags.build()
    unsaved(*page.blocks.values())
    return [(page, "Quillwork", "quillwork")]

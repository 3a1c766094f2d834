"""Split Prompt: the parts of a written prompt, each on an output of its own."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import inputs

MOST_PARTS = 6
# A text, which may be one of another node's options: the key and the time signature of a song.
_PART = io.Custom("STRING,COMBO")


class SplitPrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="QuillworkSplitPrompt",
            display_name="Split Prompt",
            category=inputs.CATEGORY,
            description="Splits a prompt into its parts: caption and lyrics, tags and prose for two text "
            "encoders, the sections or the JSON fields of a target.",
            search_aliases=["quillwork", "lyrics", "caption", "clip_l", "t5xxl", "json field", "sections"],
            inputs=[
                io.String.Input(
                    "prompt",
                    force_input=True,
                    tooltip="A prompt from Enhance Prompt, or any text of the same form.",
                ),
                io.String.Input(
                    "parts",
                    default="",
                    placeholder="caption, lyrics",
                    tooltip="The names of the parts to output, separated by commas. Empty: all, in order.",
                ),
            ],
            outputs=[
                *(_PART.Output(f"part_{number}") for number in range(1, MOST_PARTS + 1)),
                io.String.Output("json", tooltip="All parts by their names, as JSON."),
            ],
        )

    @classmethod
    def execute(cls, prompt: Any, parts: Any = "") -> io.NodeOutput:
        from .runs.split_prompt import split

        return split(str(prompt or ""), str(parts or ""), MOST_PARTS)

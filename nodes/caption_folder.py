"""Caption Folder: a caption beside each image of a folder."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..prompting.tasks import EXISTING, FORMS, HINTS, SAVE_AS
from . import inputs


class CaptionFolder(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="QuillworkCaptionFolder",
            display_name="Caption Folder",
            category=inputs.CATEGORY,
            description="Writes a caption beside each image of a folder with a vision model, for a training "
            "set. If it is interrupted, the next run continues where it stopped.",
            search_aliases=["quillwork", "llm", "caption", "dataset", "training", "tagger", "batch", "vlm"],
            is_output_node=True,
            inputs=[
                io.String.Input(
                    "folder",
                    default="",
                    placeholder="A folder in ComfyUI's input folder",
                    tooltip="A folder in ComfyUI's input folder, or with [output] after its name in the "
                    "output folder. For a folder elsewhere, you are asked for permission once.",
                ),
                io.String.Input(
                    "instruction",
                    multiline=True,
                    default="",
                    placeholder="Optional instruction, e.g. name the light",
                    tooltip="What every caption should mention.",
                ),
                inputs.target_input("Auto (a caption)"),
                io.String.Input(
                    "trigger", default="", tooltip="A trigger word that every caption begins with."
                ),
                io.Combo.Input(
                    "existing_captions",
                    options=list(EXISTING),
                    default="keep",
                    tooltip="What to do with captions that are already there.",
                ),
                io.Int.Input(
                    "limit",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Only the first so many images. 0: all of them.",
                ),
                inputs.seed_input(),
                *inputs.llm_inputs(),
                _words("always", "Words that must appear in every caption, separated by commas."),
                _words("never", "Words to avoid, separated by commas."),
                _words("omit", "What not to mention, so that it becomes part of the trigger."),
                io.Combo.Input(
                    "form",
                    options=list(FORMS),
                    default="any",
                    optional=True,
                    advanced=True,
                    tooltip="Whether captions are sentences, tags, or tags followed by sentences.",
                ),
                io.Int.Input(
                    "words",
                    default=0,
                    min=0,
                    max=1000,
                    optional=True,
                    advanced=True,
                    tooltip="The approximate length in words. 0: any length.",
                ),
                io.Combo.Input(
                    "hint",
                    options=list(HINTS),
                    default="none",
                    optional=True,
                    advanced=True,
                    tooltip="Tell the model the file's name, or the text that is already there.",
                ),
                io.Combo.Input(
                    "save_as",
                    options=list(SAVE_AS),
                    default=SAVE_AS[0],
                    optional=True,
                    advanced=True,
                    tooltip="Where the captions are saved: in a file beside each image (txt, caption), in "
                    "one table (jsonl, csv), or in the metadata of the images.",
                ),
                io.Boolean.Input(
                    "subfolders",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="Also caption the images in subfolders.",
                ),
                io.Boolean.Input(
                    "videos",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="Also caption videos, from frames that are evenly spread over each.",
                ),
                inputs.llm_socket(),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip="The text encoder to use as the vision model in host_encoder mode.",
                ),
            ],
            outputs=[
                io.Int.Output("written"),
                io.Int.Output("kept"),
                io.Int.Output("failed"),
                io.String.Output("report"),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, target: Any = None, llm_mode: Any = None) -> bool | str:
        return inputs.unknown_target(target) or inputs.unknown_mode(llm_mode) or True

    @classmethod
    def fingerprint_inputs(cls, **others: Any) -> float:
        # The folder may have changed. A run that finds nothing to do asks for nothing.
        return float("nan")

    @classmethod
    async def execute(
        cls,
        folder: str,
        instruction: str,
        target: str,
        trigger: str,
        existing_captions: Any,
        limit: int,
        seed: int,
        llm_mode: Any = None,
        llm_model: Any = None,
        always: str = "",
        never: str = "",
        omit: str = "",
        form: Any = "any",
        words: int = 0,
        hint: Any = "none",
        save_as: Any = SAVE_AS[0],
        subfolders: bool = False,
        videos: bool = False,
        llm: Any = None,
        clip: Any = None,
    ) -> io.NodeOutput:
        from .runs.caption_folder import caption_folder

        wishes = {
            "instruction": instruction,
            "trigger": trigger,
            "omit": omit or "",
            "form": form or "any",
            "words": words or 0,
            "hint": hint or "none",
        }
        return await caption_folder(
            cls,
            folder=folder,
            target=target,
            always=always or "",
            never=never or "",
            wishes=wishes,
            existing=existing_captions,
            save_as=save_as or SAVE_AS[0],
            with_subfolders=bool(subfolders),
            with_videos=bool(videos),
            limit=limit,
            seed=seed,
            choice=inputs.choice_of(llm, llm_mode, llm_model, clip=clip),
        )


def _words(name: str, tooltip: str) -> Any:
    return io.String.Input(name, default="", optional=True, advanced=True, tooltip=tooltip)

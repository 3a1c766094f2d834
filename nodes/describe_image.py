"""Describe Image: a picture becomes words, or the prompt that would make it again."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import inputs

ONE_EACH, ONE_VIDEO = "one text each", "frames of one video"


class DescribeImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="QuillworkDescribeImage",
            display_name="Describe Image",
            category=inputs.CATEGORY,
            description="Describes an image with a vision model, or writes a prompt for it in the form "
            "that the chosen image model expects.",
            search_aliases=["quillwork", "llm", "caption", "image to prompt", "vision", "vlm", "interrogate"],
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.Image.Input("image", tooltip="The images to describe. Each one gets its own text."),
                io.String.Input(
                    "instruction",
                    multiline=True,
                    default="",
                    placeholder="Optional instruction or question, e.g. in one sentence",
                    tooltip="What to focus on, or a question about the image.",
                ),
                inputs.target_input("Auto (a description)"),
                inputs.seed_input(),
                *inputs.llm_inputs(),
                *inputs.freeze_inputs(),
                inputs.llm_socket(),
                io.Combo.Input(
                    "frames",
                    options=[ONE_EACH, ONE_VIDEO],
                    default=ONE_EACH,
                    optional=True,
                    advanced=True,
                    tooltip=(
                        "For several images: write one text for each, or treat them all as the "
                        "frames of one video."
                    ),
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip="The text encoder to use as the vision model in host_encoder mode.",
                ),
                inputs.roles_input(),
            ],
            outputs=[
                io.String.Output("text", is_output_list=True),
                io.String.Output("info"),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, target: Any = None, llm_mode: Any = None) -> bool | str:
        return inputs.unknown_target(target) or inputs.unknown_mode(llm_mode) or True

    @classmethod
    def fingerprint_inputs(
        cls,
        target: Any = None,
        llm_mode: Any = None,
        llm_model: Any = None,
        freeze: Any = None,
        llm: Any = None,
        **others: Any,
    ) -> str:
        from .runs.running import fingerprint

        return fingerprint(
            cls,
            lambda: inputs.choice_of(llm, llm_mode, llm_model),
            bool(inputs.one(freeze, False)),
            inputs.target_signature(target),
        )

    @classmethod
    async def execute(
        cls,
        image: Any,
        instruction: Any,
        target: Any,
        seed: Any,
        llm_mode: Any = None,
        llm_model: Any = None,
        freeze: Any = None,
        frozen: Any = None,
        llm: Any = None,
        frames: Any = None,
        clip: Any = None,
        reference_roles: Any = None,
    ) -> io.NodeOutput:
        from .runs.describe_image import look

        return await look(
            cls,
            image=image,
            instruction=instruction,
            target=target,
            seed=seed,
            choice=inputs.choice_of(llm, llm_mode, llm_model, clip=clip),
            frozen=inputs.one(frozen, "") if inputs.one(freeze, False) else None,
            reference_roles=reference_roles,
            as_video=inputs.one(frames, ONE_EACH) == ONE_VIDEO,
        )

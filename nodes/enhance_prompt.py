"""Enhance Prompt: an idea becomes a prompt for the chosen image model."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..prompting.tasks import MOST_VARIATIONS, ON_ERROR
from . import inputs


class EnhancePrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="QuillworkEnhancePrompt",
            display_name="Enhance Prompt",
            category=inputs.CATEGORY,
            description="A language model turns a short idea into a rich prompt, in the manner of the "
            "image model that it is for.",
            search_aliases=["quillwork", "llm", "prompt enhancer", "expand prompt", "magic prompt", "ollama"],
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    placeholder="An idea, such as: a fox in the snow",
                    tooltip="Your idea. LoRA tags, embeddings and (weights:1.2) come through untouched.",
                ),
                io.String.Input(
                    "instruction",
                    multiline=True,
                    default="",
                    placeholder="Optional wish, such as: at night, in watercolour",
                    tooltip="A wish for the prompt that is not part of the idea itself.",
                ),
                inputs.target_input(),
                io.Int.Input(
                    "variations",
                    default=1,
                    min=1,
                    max=MOST_VARIATIONS,
                    tooltip="How many different prompts; they are asked for at the same time.",
                ),
                inputs.seed_input(),
                *inputs.llm_inputs(),
                io.Combo.Input(
                    "on_error",
                    options=list(ON_ERROR),
                    default="raise",
                    optional=True,
                    advanced=True,
                    tooltip="When the model cannot be had: stop, pass your prompt on as it is, or let the "
                    "phrasebook write. The error is shown in each case.",
                ),
                *inputs.freeze_inputs(),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip="Tells which image model the prompt is for, when that is auto, and writes in the "
                    "mode host_encoder.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="A picture for a model that can see: what is to be edited.",
                ),
                inputs.llm_socket(),
            ],
            outputs=[
                io.String.Output("prompt", is_output_list=True),
                io.String.Output("negative", is_output_list=True),
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
        prompt: Any,
        instruction: Any,
        target: Any,
        variations: Any,
        seed: Any,
        llm_mode: Any = None,
        llm_model: Any = None,
        on_error: Any = None,
        freeze: Any = None,
        frozen: Any = None,
        clip: Any = None,
        image: Any = None,
        llm: Any = None,
    ) -> io.NodeOutput:
        from .runs.enhance_prompt import write

        return await write(
            cls,
            prompt=prompt,
            instruction=instruction,
            target=target,
            variations=variations,
            seed=seed,
            choice=inputs.choice_of(llm, llm_mode, llm_model, clip=clip),
            on_error=inputs.one(on_error, "raise"),
            frozen=inputs.one(frozen, "") if inputs.one(freeze, False) else None,
            clip=inputs.one(clip, None),
            image=image,
        )

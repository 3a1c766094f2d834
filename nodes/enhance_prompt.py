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
            description="Uses a language model to turn a short idea into a detailed prompt, in the form "
            "that the target image model expects.",
            search_aliases=["quillwork", "llm", "prompt enhancer", "expand prompt", "magic prompt", "ollama"],
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    placeholder="Your idea, e.g. a fox in the snow",
                    tooltip="Your idea. LoRA tags, embeddings and (weights:1.2) are kept unchanged.",
                ),
                io.String.Input(
                    "instruction",
                    multiline=True,
                    default="",
                    placeholder="Optional instruction, e.g. at night, in watercolour",
                    tooltip=("An additional instruction for the prompt that is not part of the idea itself."),
                ),
                inputs.target_input(),
                io.Int.Input(
                    "variations",
                    default=1,
                    min=1,
                    max=MOST_VARIATIONS,
                    tooltip="How many different prompts to write. They are requested in parallel.",
                ),
                inputs.seed_input(),
                *inputs.llm_inputs(),
                io.Combo.Input(
                    "on_error",
                    options=list(ON_ERROR),
                    default="raise",
                    optional=True,
                    advanced=True,
                    tooltip="If the model fails: raise stops the run, passthrough passes your prompt on "
                    "unchanged, phrasebook writes without a model. The error is shown in every "
                    "case.",
                ),
                *inputs.freeze_inputs(),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip="Tells auto which image model the prompt is for, and is the language model "
                    "in host_encoder mode.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="An image for a vision model, e.g. the one to be edited.",
                ),
                inputs.llm_socket(),
                *inputs.brief_inputs(),
                inputs.roles_input(),
                inputs.references_input(),
            ],
            outputs=[
                io.String.Output("prompt", is_output_list=True),
                io.String.Output("negative", is_output_list=True),
                io.String.Output("info"),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, target: Any = None, llm_mode: Any = None, references: Any = None) -> bool | str:
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
        duration: Any = None,
        aspect: Any = None,
        language: Any = None,
        reference_roles: Any = None,
        references: Any = None,
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
            duration=duration,
            aspect=aspect,
            language=language,
            reference_roles=reference_roles,
            references=inputs.in_order(references),
        )

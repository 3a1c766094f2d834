"""Generate Variables: a model invents the values of a variable."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..prompting.tasks import CREATIVITIES, MOST_VALUES
from . import inputs


class GenerateVariables(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="QuillworkGenerateVariables",
            display_name="Generate Variables",
            category=inputs.CATEGORY,
            description="Uses a language model to generate a list of values, such as seasons or "
            "fabrics, so that one template makes many different images.",
            search_aliases=["quillwork", "llm", "wildcard", "wildcards", "list", "dynamic prompts"],
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.String.Input(
                    "name",
                    default="season",
                    tooltip=(
                        "What to generate. It is also the variable's name: season becomes "
                        "__season__ in a template."
                    ),
                ),
                io.String.Input(
                    "context",
                    multiline=True,
                    default="",
                    placeholder="The template, e.g. a cottage in __season__, oil painting",
                    tooltip="The template in which the values will be used.",
                ),
                io.Int.Input(
                    "count", default=10, min=1, max=MOST_VALUES, tooltip="How many values to generate."
                ),
                io.String.Input(
                    "guidance",
                    multiline=True,
                    default="",
                    placeholder="Optional guidance, e.g. only cold ones",
                    tooltip="Additional guidance for the values.",
                ),
                io.Combo.Input(
                    "creativity",
                    options=list(CREATIVITIES),
                    default="balanced",
                    tooltip="How far the values may depart from the obvious.",
                ),
                io.Combo.Input(
                    "save",
                    options=["no", "add"],
                    default="no",
                    tooltip="add: saves new values to the variable's file in your library.",
                ),
                inputs.seed_input(),
                *inputs.llm_inputs(),
                *inputs.freeze_inputs(),
                io.String.Input(
                    "existing",
                    force_input=True,
                    optional=True,
                    tooltip="Values that you already have. They are not generated again.",
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip=("The text encoder to use as the language model in host_encoder mode."),
                ),
                inputs.llm_socket(),
            ],
            outputs=[
                io.String.Output("values", is_output_list=True),
                io.String.Output("text"),
                io.String.Output("json"),
                io.String.Output("info"),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, llm_mode: Any = None) -> bool | str:
        return inputs.unknown_mode(llm_mode) or True

    @classmethod
    def fingerprint_inputs(
        cls, llm_mode: Any = None, llm_model: Any = None, freeze: Any = None, llm: Any = None, **others: Any
    ) -> str:
        from .runs.running import fingerprint

        return fingerprint(
            cls, lambda: inputs.choice_of(llm, llm_mode, llm_model), bool(inputs.one(freeze, False))
        )

    @classmethod
    async def execute(
        cls,
        name: Any,
        context: Any,
        count: Any,
        guidance: Any,
        creativity: Any,
        save: Any,
        seed: Any,
        llm_mode: Any = None,
        llm_model: Any = None,
        freeze: Any = None,
        frozen: Any = None,
        existing: Any = None,
        clip: Any = None,
        llm: Any = None,
    ) -> io.NodeOutput:
        from .runs.generate_variables import invent_values

        return await invent_values(
            cls,
            name=inputs.one(name, ""),
            context=context,
            count=inputs.one(count, 10),
            guidance=guidance,
            creativity=inputs.one(creativity, "balanced"),
            adds=inputs.one(save, "no") == "add",
            seed=inputs.one(seed, 0),
            choice=inputs.choice_of(llm, llm_mode, llm_model, clip=clip),
            frozen=inputs.one(frozen, "") if inputs.one(freeze, False) else None,
            existing=existing,
        )

"""Resolve Variables: a template becomes prompts, with a value for every variable."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..prompting.tasks import SELECTIONS
from . import inputs

MAX_COUNT = 1000
MOST_LISTS = 20
VALUES_HELP = (
    "Values from Generate Variables; they are used before any file of the same name. A list "
    "from another node is used for the one variable that has no values yet."
)
# Texts and lists of texts are STRING; these are the names that packs give to a list in one piece.
_LISTS = [io.String, *map(io.Custom, ("LIST", "ARRAY", "DICT", "JSON"))]


class ResolveVariables(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="QuillworkResolveVariables",
            display_name="Resolve Variables",
            category=inputs.CATEGORY,
            description="Fills a template such as “a cottage in __season__, {dawn|dusk}” with values "
            "from your variable library.",
            search_aliases=[
                "quillwork",
                "wildcard",
                "wildcards",
                "dynamic prompts",
                "template",
                "combinations",
            ],
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.String.Input(
                    "template",
                    multiline=True,
                    default="",
                    placeholder="a cottage in __season__, {dawn|dusk}",
                    tooltip="__name__ takes a value from the library, {a|b} one of the two.",
                ),
                io.Combo.Input(
                    "selection",
                    options=list(SELECTIONS),
                    default="random",
                    tooltip=(
                        "random: chosen by seed; cycle: in file order; combinations: every combination."
                    ),
                ),
                io.Int.Input("count", default=1, min=1, max=MAX_COUNT, tooltip="How many prompts to make."),
                inputs.seed_input(),
                io.Boolean.Input(
                    "generate_missing",
                    default=False,
                    tooltip=(
                        "Let the model generate 20 values for each variable that has no file, and save them."
                    ),
                ),
                *inputs.llm_inputs(),
                io.Boolean.Input(
                    "no_repeats",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="No value of a variable twice in one prompt, as long as it has others.",
                ),
                inputs.llm_socket(),
                io.Autogrow.Input(
                    "values",
                    optional=True,
                    template=io.Autogrow.TemplatePrefix(
                        io.MultiType.Input("list", _LISTS, optional=True, tooltip=VALUES_HELP),
                        prefix="values",
                        min=0,
                        max=MOST_LISTS,
                    ),
                    tooltip=VALUES_HELP,
                ),
            ],
            outputs=[
                io.String.Output("prompt", is_output_list=True),
                io.String.Output(
                    "picks", is_output_list=True, tooltip="The value chosen for each variable, as JSON."
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, llm_mode: Any = None, values: Any = None) -> bool | str:
        return inputs.unknown_mode(llm_mode) or True

    @classmethod
    def fingerprint_inputs(
        cls,
        template: Any = None,
        generate_missing: Any = None,
        llm_mode: Any = None,
        llm_model: Any = None,
        llm: Any = None,
        **others: Any,
    ) -> str:
        from .runs.resolve_variables import files_behind
        from .runs.running import fingerprint

        files = files_behind(cls.hidden.unique_id, template)
        # Without a model to ask, its settings do not matter.
        asks = bool(inputs.one(generate_missing, False))
        return fingerprint(cls, lambda: inputs.choice_of(llm, llm_mode, llm_model), not asks, files)

    @classmethod
    async def execute(
        cls,
        template: Any,
        selection: Any,
        count: Any,
        seed: Any,
        generate_missing: Any,
        llm_mode: Any = None,
        llm_model: Any = None,
        no_repeats: Any = None,
        llm: Any = None,
        values: Any = None,
    ) -> io.NodeOutput:
        from .runs.resolve_variables import fill

        return await fill(
            cls,
            template=template,
            selection=selection,
            count=count,
            seed=seed,
            generates_missing=inputs.one(generate_missing, False),
            no_repeats=bool(inputs.one(no_repeats, False)),
            choice=inputs.choice_of(llm, llm_mode, llm_model),
            values=values,
        )

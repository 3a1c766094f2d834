"""LLM Chat: talk with a language model, from one node to the next."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import inputs

HISTORY = io.Custom("QUILLWORK_HISTORY")


class Chat(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="QuillworkChat",
            display_name="LLM Chat",
            category=inputs.CATEGORY,
            description="Talks with a language model, which may look at pictures and use tools. Wire history "
            "into the next LLM Chat to go on.",
            search_aliases=["quillwork", "llm", "chat", "ask", "conversation", "refine", "vision", "tools"],
            is_output_node=True,
            inputs=[
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    placeholder="What you say, such as: make it night",
                    tooltip="What you say to the model.",
                ),
                io.String.Input(
                    "system",
                    multiline=True,
                    default="",
                    placeholder="Optional: how the model is to be, such as: answer with the prompt only",
                    tooltip="How the model is to be, throughout the conversation.",
                ),
                inputs.seed_input(),
                *inputs.llm_inputs(),
                io.String.Input(
                    "tools",
                    default="",
                    optional=True,
                    placeholder="variables.lookup, image.size",
                    tooltip="Names of the tools that the model may use, with commas between them. "
                    "Empty: none.",
                ),
                HISTORY.Input(
                    "history", optional=True, tooltip="What was said before, from another LLM Chat."
                ),
                io.Image.Input("image", optional=True, tooltip="Pictures for a model that can see."),
                inputs.llm_socket(),
            ],
            outputs=[
                io.String.Output("text"),
                HISTORY.Output("history"),
                io.String.Output("info"),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, llm_mode: Any = None) -> bool | str:
        return inputs.unknown_mode(llm_mode) or True

    @classmethod
    def fingerprint_inputs(
        cls, llm_mode: Any = None, llm_model: Any = None, tools: Any = None, llm: Any = None, **others: Any
    ) -> str:
        from .runs.chat import library_state
        from .runs.running import fingerprint

        state = library_state(cls.hidden.unique_id, tools or "")
        return fingerprint(cls, lambda: inputs.choice_of(llm, llm_mode, llm_model, "chat"), False, state)

    @classmethod
    async def execute(
        cls,
        prompt: str,
        system: str,
        seed: int,
        llm_mode: Any = None,
        llm_model: Any = None,
        tools: str = "",
        history: Any = None,
        image: Any = None,
        llm: Any = None,
    ) -> io.NodeOutput:
        from .runs.chat import talk

        return await talk(
            cls,
            prompt=prompt or "",
            system=system or "",
            seed=seed or 0,
            choice=inputs.choice_of(llm, llm_mode, llm_model, "chat"),
            tools=tools or "",
            history=history,
            image=image,
        )

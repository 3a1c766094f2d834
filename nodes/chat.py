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
            description="Chats with a language model that can look at images and use tools. Connect "
            "history to the next LLM Chat to continue the conversation.",
            search_aliases=["quillwork", "llm", "chat", "ask", "conversation", "refine", "vision", "tools"],
            is_output_node=True,
            inputs=[
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    placeholder="Your message, e.g. make it night",
                    tooltip="Your message to the model.",
                ),
                io.String.Input(
                    "system",
                    multiline=True,
                    default="",
                    placeholder="Optional system prompt, e.g. answer with the prompt only",
                    tooltip="The system prompt: how the model should behave throughout the conversation.",
                ),
                inputs.seed_input(),
                *inputs.llm_inputs(),
                io.String.Input(
                    "tools",
                    default="",
                    optional=True,
                    placeholder="variables.lookup, image.size",
                    tooltip="Names of the tools that the model may use, separated by commas. Empty: no "
                    "tools.",
                ),
                HISTORY.Input(
                    "history", optional=True, tooltip="The conversation so far, from another LLM Chat."
                ),
                io.Image.Input(
                    "image", optional=True, tooltip=("Images for the model to look at. Needs a vision model.")
                ),
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

"""Unload LLM: language models give up their memory before whatever is wired through the node goes on."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import inputs


class UnloadLLM(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        anything = io.MatchType.Template("any")
        return io.Schema(
            node_id="QuillworkUnloadLLM",
            display_name="Unload LLM",
            category=inputs.CATEGORY,
            description="Unloads the language models that Quillwork used, including those in Ollama, "
            "then passes its input on unchanged.",
            search_aliases=["quillwork", "llm", "free memory", "vram", "ollama"],
            inputs=[io.MatchType.Input("any", anything, tooltip="Any input. It is passed on unchanged.")],
            outputs=[io.MatchType.Output(anything, "any")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    async def execute(cls, any: Any) -> io.NodeOutput:  # noqa: A002 - saved workflows know the input by it
        from ..llm_backends.local.unload import unload_in_place, unload_used_servers
        from ..llm_backends.streaming.live import LiveText
        from .host.port import ComfyHost, PromptOver, perform

        host = ComfyHost(str(cls.hidden.unique_id), LiveText())
        try:
            unload_in_place()
            await perform(unload_used_servers(), host)
        except PromptOver:
            pass
        return io.NodeOutput(any)

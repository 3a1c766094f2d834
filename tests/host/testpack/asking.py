"""Nodes of another pack that ask our models, as docs/python.md tells packs to."""

from __future__ import annotations

import sys
from pathlib import Path

from comfy_api.latest import io


def schema(node_id: str) -> io.Schema:
    return io.Schema(
        node_id=node_id,
        category="testpack",
        is_output_node=True,
        inputs=[io.String.Input("question"), io.String.Input("model", default="")],
        outputs=[io.String.Output()],
    )


def open_chosen(model: str):
    from quillwork.config.choice import Choice
    from quillwork.config.opening import open_model

    return open_model(Choice(llm_model=model, role="chat"))


class Ask(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema("TestpackAsk")

    @classmethod
    def execute(cls, question, model):
        import comfy.model_management as host

        from quillwork.llm_backends import Cancelled, ask

        try:
            answer = ask(question, open_chosen(model), cancelled=host.processing_interrupted)
        except Cancelled:
            host.throw_exception_if_processing_interrupted()
            raise
        return io.NodeOutput(answer.text)


class AskAsync(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema("TestpackAskAsync")

    @classmethod
    async def execute(cls, question, model):
        from quillwork.llm_backends import ask_async

        return io.NodeOutput((await ask_async(question, open_chosen(model))).text)


class Read(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema("TestpackRead")

    @classmethod
    async def execute(cls, question, model):
        from quillwork.llm_backends import stream

        return io.NodeOutput("|".join([chunk.text async for chunk in stream(question, open_chosen(model))]))


# As of a distribution that was installed with pip: its entry point names the mode `test_installed`.
sys.path.append(str(Path(__file__).with_name("installed")))


class AddMode(io.ComfyNode):
    """A node that registers a mode; a real pack does so when it is loaded."""

    @classmethod
    def define_schema(cls):
        return schema("TestpackAddMode")

    @classmethod
    def execute(cls, question, model):
        from quillwork.llm_backends import Chunk, register

        class Parrot:
            async def stream(self, request, deployment):
                yield Chunk(text=request.messages[-1].content.upper(), finish_reason="stop")

            async def close(self):
                pass

        register(model, Parrot, replace=True)
        return io.NodeOutput(model)


NODES = [Ask, AskAsync, Read, AddMode]

"""Nodes that break the rules that a host punishes."""

from __future__ import annotations

import asyncio
import os

from comfy_api.latest import io


class Fail(io.ComfyNode):
    """A node that raises, before or after it has let other nodes go on."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackFail",
            category="testpack",
            is_output_node=True,
            inputs=[
                io.String.Input("message", default="as asked"),
                io.Float.Input("after", default=0.0, min=0.0, max=60.0),
                io.AnyType.Input("value", optional=True),
            ],
            outputs=[],
        )

    @classmethod
    async def execute(cls, message, after, value=None):
        if after:
            await asyncio.sleep(after)
        try:
            raise KeyError("the cause of it")
        except KeyError as cause:
            raise ValueError(message) from cause


class Vanish(io.ComfyNode):
    """A node that lets a CancelledError out, which was not asked for."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackVanish", category="testpack", is_output_node=True, inputs=[], outputs=[]
        )

    @classmethod
    async def execute(cls):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.02, future.cancel)
        await future


class Cancelled(io.ComfyNode):
    """A node that waits for ever and records its end in a file."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackCancelled",
            category="testpack",
            is_output_node=True,
            inputs=[io.String.Input("file"), io.Float.Input("winding_up", default=0.0, min=0.0, max=5.0)],
            outputs=[],
        )

    @classmethod
    async def execute(cls, file, winding_up):
        try:
            await asyncio.sleep(3600)
        except BaseException as end:
            if winding_up:
                await asyncio.sleep(winding_up)
            with open(file, "w") as record:
                record.write(type(end).__name__)
            raise


class SetOnClass(io.ComfyNode):
    """A node that keeps state on its own class, where a host allows none."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackSetOnClass", category="testpack", is_output_node=True, inputs=[], outputs=[]
        )

    @classmethod
    def execute(cls):
        cls.remembered = 1


class Environment(io.ComfyNode):
    """A node that returns a variable of the server's environment."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackEnvironment",
            category="testpack",
            is_output_node=True,
            inputs=[io.String.Input("name")],
            outputs=[],
        )

    @classmethod
    def execute(cls, name):
        return io.NodeOutput(ui={"text": [os.environ.get(name, "unset")]})


NODES = [Environment, Fail, Vanish, Cancelled, SetOnClass]

"""Another pack's tools for Quillwork's models."""

import time

from comfy_api.latest import io

NOTHING = {"type": "object", "properties": {}}


def hang():
    time.sleep(30)


def fail():
    raise RuntimeError("/home/somebody/secret.txt is not there")


def flood():
    return "snow " * 2_000_000


def paint(colour):
    return {"red": "fox", "green": "garden"}[colour]


# What the tiny model of tests/tiny_model/call.py was taught, to the letter.
COLOUR = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}


class RegisterTools(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackTools",
            category="testpack",
            is_output_node=True,
            not_idempotent=True,
            inputs=[io.Float.Input("time_limit_s", default=30.0, min=0.1, max=60.0)],
            outputs=[],
        )

    @classmethod
    def execute(cls, time_limit_s):
        from quillwork.llm_backends.tools import registry

        for tool in (hang, fail, flood):
            registry.register(
                f"testpack.{tool.__name__}",
                "Does what its name says.",
                NOTHING,
                tool,
                time_limit_s=time_limit_s,
                replace=True,
            )
        registry.register("fox.paint", "Paints.", COLOUR, paint, replace=True)
        return io.NodeOutput()


NODES = [RegisterTools]

"""Nodes that make, take and pass lists, and one of each plain type."""

from __future__ import annotations

from comfy_api.latest import io


class Lines(io.ComfyNode):
    """A list with one text for each line."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackLines",
            category="testpack",
            inputs=[io.String.Input("text", multiline=True)],
            outputs=[io.String.Output(display_name="lines", is_output_list=True)],
        )

    @classmethod
    def execute(cls, text):
        return io.NodeOutput(text.split("\n"))


class Numbers(io.ComfyNode):
    """A list of whole numbers, one for each line."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackNumbers",
            category="testpack",
            inputs=[io.String.Input("text", multiline=True)],
            outputs=[io.Int.Output(display_name="numbers", is_output_list=True)],
        )

    @classmethod
    def execute(cls, text):
        return io.NodeOutput([int(line) for line in text.split("\n")])


class Values(io.ComfyNode):
    """A list of anything, from JSON; its output fits any input, a combo's and a toggle's too."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackValues",
            category="testpack",
            inputs=[io.String.Input("json", multiline=True)],
            outputs=[io.AnyType.Output(display_name="values", is_output_list=True)],
        )

    @classmethod
    def execute(cls, json):
        from json import loads

        return io.NodeOutput(loads(json))


class Join(io.ComfyNode):
    """A node that takes its lists whole. `got` shows exactly what arrived."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackJoin",
            category="testpack",
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.AnyType.Input("values"),
                io.String.Input("between", default="|"),
                io.String.Input("unset", default="", optional=True),
            ],
            outputs=[io.String.Output(display_name="text")],
        )

    @classmethod
    def execute(cls, values, between, unset="not given"):
        text = between[0].join(str(value) for value in values)
        return io.NodeOutput(text, ui={"text": [text], "got": [repr((values, between, unset))]})


class Upper(io.ComfyNode):
    """A node for one text at a time: a list wired into it makes it run once for each item."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackUpper",
            category="testpack",
            inputs=[io.String.Input("text"), io.Int.Input("times", default=1, min=1, max=9)],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(cls, text, times):
        return io.NodeOutput(text.upper() * times, ui={"seen": [text]})


NODES = [Lines, Numbers, Values, Join, Upper]

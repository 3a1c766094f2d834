"""Nodes that use the corners of the schema: validation, fingerprints, hidden inputs, intermediate output."""

from __future__ import annotations

import json
from pathlib import Path

from comfy_api.latest import io


class Choose(io.ComfyNode):
    """Two combos of the same two options: `any` is named in validate_inputs, `strict` is not."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackChoose",
            category="testpack",
            is_output_node=True,
            is_input_list=True,
            inputs=[
                io.Combo.Input("strict", options=["a", "b"], default="a"),
                io.Combo.Input("any", options=["a", "b"], default="a"),
                io.Int.Input(
                    "seed", default=0, min=0, max=100, control_after_generate=io.ControlAfterGenerate.fixed
                ),
            ],
            outputs=[io.String.Output()],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, any=None):
        if any[0] == "bad":
            return f"'{any[0]}' is not for node {cls.hidden.unique_id}"
        return True

    @classmethod
    def execute(cls, strict, any, seed):
        return io.NodeOutput(any[0], ui={"text": [f"{strict[0]} {any[0]} {seed[0]}"]})


class Fingerprint(io.ComfyNode):
    """A node that runs again when the file has changed; `arrived` shows what fingerprint_inputs was given."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackFingerprint",
            category="testpack",
            is_output_node=True,
            is_input_list=True,
            inputs=[io.String.Input("file"), io.AnyType.Input("link", optional=True)],
            outputs=[io.String.Output()],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, file, link=None):
        path = Path(file[0])
        path.with_suffix(".arrived").write_text(repr((file, link, cls.hidden.unique_id)))
        return path.read_text()

    @classmethod
    def execute(cls, file, link=None):
        path = Path(file[0])
        text = path.read_text() if path.exists() else "no file"
        return io.NodeOutput(text, ui={"text": [text]})


class Annotate(io.ComfyNode):
    """A node that writes into the workflow that a saved image carries."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackAnnotate",
            category="testpack",
            inputs=[io.AnyType.Input("value"), io.String.Input("note")],
            outputs=[io.AnyType.Output()],
            hidden=[io.Hidden.extra_pnginfo, io.Hidden.unique_id, io.Hidden.prompt],
        )

    @classmethod
    def execute(cls, value, note):
        info = cls.hidden.extra_pnginfo
        if info is not None:
            info["workflow"].setdefault("extra", {})["note"] = note
        return io.NodeOutput(value)


class Intermediate(io.ComfyNode):
    """A node that shows a text in the middle of a graph; the host shows it again when the node is cached."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackIntermediate",
            category="testpack",
            has_intermediate_output=True,
            inputs=[io.String.Input("text")],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(cls, text):
        return io.NodeOutput(text, ui={"text": [text]})


class Same(io.ComfyNode):
    """A node that passes any value on, as the same type."""

    @classmethod
    def define_schema(cls):
        kind = io.MatchType.Template("kind")
        return io.Schema(
            node_id="TestpackSame",
            category="testpack",
            inputs=[io.MatchType.Input("value", template=kind)],
            outputs=[io.MatchType.Output(template=kind, display_name="value")],
        )

    @classmethod
    def execute(cls, value):
        return io.NodeOutput(value)


class Ticket(io.ComfyNode):
    """An object of a type of our own, with a telling `repr`."""

    Kind = io.Custom("TESTPACK_TICKET")

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackTicket",
            category="testpack",
            inputs=[io.String.Input("name")],
            outputs=[cls.Kind.Output(display_name="ticket")],
        )

    @classmethod
    def execute(cls, name):
        return io.NodeOutput(_Named(name))


class TakeTicket(io.ComfyNode):
    """A node that fails at once with a ticket in hand, or shows it."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackTakeTicket",
            category="testpack",
            is_output_node=True,
            inputs=[Ticket.Kind.Input("ticket"), io.Boolean.Input("fail", default=False)],
            outputs=[],
        )

    @classmethod
    def execute(cls, ticket, fail):
        if fail:
            raise RuntimeError("no entry")
        return io.NodeOutput(ui={"text": [json.dumps(repr(ticket))]})


class _Named:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<ticket of {self.name}>"


NODES = [Choose, Fingerprint, Annotate, Intermediate, Same, Ticket, TakeTicket]

"""ComfyUI's own nodes that our blueprints use between ours, under their own ids and with their sockets."""

from __future__ import annotations

import re

from comfy_api.latest import io


class CLIPTextEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CLIPTextEncode",
            category="conditioning",
            inputs=[io.Clip.Input("clip"), io.String.Input("text", multiline=True)],
            outputs=[io.Conditioning.Output()],
        )

    @classmethod
    def execute(cls, clip: object, text: str) -> io.NodeOutput:
        return io.NodeOutput([text])


class StringConcatenate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="StringConcatenate",
            category="text",
            inputs=[
                io.String.Input("string_a", multiline=True),
                io.String.Input("string_b", multiline=True),
                io.String.Input("delimiter", default=""),
            ],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(cls, string_a: str, string_b: str, delimiter: str) -> io.NodeOutput:
        return io.NodeOutput(delimiter.join((string_a, string_b)))


class StringReplace(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="StringReplace",
            category="text",
            inputs=[io.String.Input(name, multiline=True) for name in ("string", "find", "replace")],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(cls, string: str, find: str, replace: str) -> io.NodeOutput:
        return io.NodeOutput(string.replace(find, replace))


class RegexReplace(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        flags = {"case_insensitive": True, "multiline": False, "dotall": False}
        return io.Schema(
            node_id="RegexReplace",
            category="text",
            inputs=[
                *(io.String.Input(name, multiline=True) for name in ("string", "regex_pattern", "replace")),
                *(io.Boolean.Input(name, default=on, optional=True) for name, on in flags.items()),
                io.Int.Input("count", default=0, min=0, max=100, optional=True),
            ],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(
        cls,
        string: str,
        regex_pattern: str,
        replace: str,
        case_insensitive: bool = True,
        multiline: bool = False,
        dotall: bool = False,
        count: int = 0,
    ) -> io.NodeOutput:
        flags = re.IGNORECASE * case_insensitive | re.MULTILINE * multiline | re.DOTALL * dotall
        return io.NodeOutput(re.sub(regex_pattern, replace, string, count=count, flags=flags))


NODES = [CLIPTextEncode, StringConcatenate, StringReplace, RegexReplace]

"""The few nodes of ComfyUI itself that workflows of ours use, under their own ids and with their sockets."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io, ui
from image_files import write_png


@dataclass
class Picture:
    """An IMAGE without pixels: so many of one size and colour."""

    count: int
    height: int
    width: int
    colour: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (self.count, self.height, self.width, 3)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Frame]:
        return iter([Frame(self.height, self.width, self.colour)] * self.count)


@dataclass
class Frame:
    """One picture of a batch, with as much of a tensor as turns it into bytes."""

    height: int
    width: int
    colour: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.height, self.width, 3)

    def _same(self, *_: float) -> Frame:
        return self

    nan_to_num = clamp = mul = round = byte = cpu = numpy = _same

    def tobytes(self) -> bytes:
        return self.colour.to_bytes(3, "big") * (self.width * self.height)


class PreviewAny(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PreviewAny",
            display_name="Preview as Text",
            category="utilities",
            is_output_node=True,
            inputs=[io.AnyType.Input("source")],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(cls, source: Any = None) -> io.NodeOutput:
        text = source if isinstance(source, str) else _readable(source)
        return io.NodeOutput(text, ui=ui.PreviewText(text))


def _readable(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    try:
        return json.dumps(value, indent=4, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


class PrimitiveString(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PrimitiveString",
            display_name="Text",
            category="utilities/primitive",
            inputs=[io.String.Input("value")],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(cls, value: Any) -> io.NodeOutput:
        return io.NodeOutput(value)


class PrimitiveStringMultiline(PrimitiveString):
    @classmethod
    def define_schema(cls) -> io.Schema:
        schema = super().define_schema()
        schema.node_id, schema.display_name = "PrimitiveStringMultiline", "Text (Multiline)"
        schema.inputs = [io.String.Input("value", multiline=True)]
        return schema


class PrimitiveInt(PrimitiveString):
    @classmethod
    def define_schema(cls) -> io.Schema:
        schema = super().define_schema()
        schema.node_id, schema.display_name = "PrimitiveInt", "Int"
        fixed = io.ControlAfterGenerate.fixed
        schema.inputs = [
            io.Int.Input("value", min=-sys.maxsize, max=sys.maxsize, control_after_generate=fixed)
        ]
        schema.outputs = [io.Int.Output()]
        return schema


class EmptyImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmptyImage",
            category="image",
            inputs=[
                io.Int.Input("width", default=512, min=1, max=16384, step=1),
                io.Int.Input("height", default=512, min=1, max=16384, step=1),
                io.Int.Input("batch_size", default=1, min=1, max=4096),
                io.Int.Input(
                    "color", default=0, min=0, max=0xFFFFFF, step=1, extra_dict={"display": "color"}
                ),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, width: int, height: int, batch_size: int, color: int) -> io.NodeOutput:
        return io.NodeOutput(Picture(batch_size, height, width, color))


class LoadImage(io.ComfyNode):
    """A loader of images; of a picture in many colours only the one in its corner is left."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        folder = Path(folder_paths.get_input_directory())
        files = sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
        return io.Schema(
            node_id="LoadImage",
            display_name="Load Image",
            category="image",
            inputs=[io.Combo.Input("image", options=files, extra_dict={"image_upload": True})],
            outputs=[io.Image.Output(), io.Mask.Output()],
        )

    @classmethod
    def execute(cls, image: str) -> io.NodeOutput:
        from PIL import Image

        with Image.open(Path(folder_paths.get_input_directory(), image)) as picture:
            red, green, blue = picture.convert("RGB").getpixel((0, 0))
            return io.NodeOutput(
                Picture(1, picture.height, picture.width, red << 16 | green << 8 | blue), None
            )


class SaveImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SaveImage",
            display_name="Save Image",
            category="image",
            is_output_node=True,
            inputs=[io.Image.Input("images"), io.String.Input("filename_prefix", default="ComfyUI")],
            outputs=[io.Image.Output(display_name="images")],
        )

    @classmethod
    def execute(cls, images: Picture, filename_prefix: str = "ComfyUI") -> io.NodeOutput:
        texts = {"prompt": cls.hidden.prompt} if cls.hidden.prompt is not None else {}
        texts |= cls.hidden.extra_pnginfo or {}
        top = Path(folder_paths.get_output_directory())
        folder, prefix = os.path.split(os.path.normpath(filename_prefix))
        target = (top / folder).resolve()
        if not target.is_relative_to(top.resolve()):
            raise Exception("Saving image outside the output folder is not allowed.")
        target.mkdir(parents=True, exist_ok=True)
        numbers = [re.match(re.escape(prefix) + r"_(\d+)_?\.", file.name) for file in target.iterdir()]
        number = max((int(found[1]) for found in numbers if found), default=0) + 1
        saved = []
        for index in range(images.count):
            name = f"{prefix}_{number + index:05}_.png"
            chunks = {key: json.dumps(value) for key, value in texts.items()}
            write_png(target / name, images.width, images.height, images.colour, chunks)
            saved.append({"filename": name, "subfolder": folder, "type": "output"})
        return io.NodeOutput(images, ui={"images": saved})


NODES = [
    PreviewAny,
    PrimitiveString,
    PrimitiveStringMultiline,
    PrimitiveInt,
    EmptyImage,
    LoadImage,
    SaveImage,
]

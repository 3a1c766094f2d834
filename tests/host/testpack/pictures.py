"""Pictures as other nodes may hand them on: with holes, with no numbers in them, or none at all."""

from __future__ import annotations

from comfy_api.latest import io


class Pictures(io.ComfyNode):
    """A batch of the given kind. Needs torch, and so a real ComfyUI."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackPictures",
            category="testpack",
            inputs=[
                io.Combo.Input("kind", options=["nan", "alpha", "grey", "empty", "flat", "half", "beyond"])
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, kind):
        import torch

        plain = torch.full((1, 48, 64, 3), 0.5)
        if kind == "nan":
            plain[:, :24] = float("nan")
        elif kind == "alpha":
            plain = torch.cat([torch.zeros(1, 48, 64, 3), torch.zeros(1, 48, 64, 1)], dim=-1)
        elif kind == "grey":
            plain = torch.full((1, 48, 64, 1), 0.5)
        elif kind == "empty":
            plain = torch.zeros(0, 48, 64, 3)
        elif kind == "flat":
            plain = torch.zeros(1, 0, 64, 3)
        elif kind == "half":
            plain = plain.half()
        elif kind == "beyond":
            plain[:, :24], plain[:, 24:] = 7.0, -7.0
        return io.NodeOutput(plain)


NODES = [Pictures]

"""The baseline of the benchmark: Enhance Prompt's sockets and widgets, and nothing behind them."""

from __future__ import annotations

from comfy_api.latest import io


class NoopEnhance(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackNoopEnhance",
            category="testpack",
            is_input_list=True,
            is_output_node=True,
            not_idempotent=True,
            inputs=[
                io.String.Input("prompt", multiline=True),
                io.String.Input("instruction", multiline=True),
                io.Combo.Input("target", options=["auto", "plain"], default="auto"),
                io.Int.Input("variations", default=1, min=1, max=64),
                io.Int.Input("seed", default=0, min=0, control_after_generate=io.ControlAfterGenerate.fixed),
                io.Combo.Input(
                    "llm_mode", options=["auto", "litellm"], default="auto", optional=True, advanced=True
                ),
                io.String.Input("llm_model", default="", optional=True, advanced=True),
                io.Combo.Input(
                    "on_error", options=["raise", "passthrough", "phrasebook"], optional=True, advanced=True
                ),
                io.Boolean.Input("freeze", default=False, optional=True, advanced=True),
                io.String.Input("frozen", default="", multiline=True, optional=True, advanced=True),
                io.Clip.Input("clip", optional=True),
                io.Image.Input("image", optional=True),
                io.Custom("QUILLWORK_LLM").Input("llm", optional=True),
            ],
            outputs=[
                io.String.Output(display_name="prompt", is_output_list=True),
                io.String.Output(display_name="negative", is_output_list=True),
                io.String.Output(display_name="info"),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, target=None, llm_mode=None):
        return True

    @classmethod
    def fingerprint_inputs(cls, **inputs):
        return ""

    @classmethod
    async def execute(cls, prompt, **settings):
        return io.NodeOutput(list(prompt), [""] * len(prompt), "{}", ui={"text": list(prompt)})


NODES = [NoopEnhance]

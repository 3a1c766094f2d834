"""ComfyUI's own text encoders, shrunken and with random weights, and what comes behind them up to a sampler.

They need torch, and so a real ComfyUI.
"""

from __future__ import annotations

import functools
import io as streams
import json
from types import SimpleNamespace

from comfy_api.latest import io, ui

SMALL = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
SMALL_T5 = {"d_model": 64, "d_ff": 64, "d_kv": 32, "num_heads": 2, "num_layers": 2, "vocab_size": 512}
SMALL_CLIP = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "num_hidden_layers": 4,
    "projection_dim": 64,
}
EYES = {"hidden_size": 64, "num_heads": 4, "intermediate_size": 64, "depth": 2}
WORDS = "The quick brown fox jumps over a lazy dog, while wizards boxed with zebras. Shot 1 (0-6s): 23 45 789"


class Encoder(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackEncoder",
            category="testpack",
            inputs=[
                io.Combo.Input("kind", options=["ace15", "minimax", "qwen_image", "sdxl", "wan"]),
                # The file that it would come from.
                io.String.Input("ckpt_name", default="", optional=True),
            ],
            outputs=[io.Custom("CLIP").Output()],
        )

    @classmethod
    def execute(cls, kind, ckpt_name=""):
        return io.NodeOutput(_clip(kind))


class Vae(io.ComfyNode):
    """A VAE that encodes pictures to nothing but the right shape: `channels` over `step` pixels each way."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackVae",
            category="testpack",
            inputs=[io.Int.Input("channels", default=24), io.Int.Input("step", default=16)],
            outputs=[io.Custom("VAE").Output()],
        )

    @classmethod
    def execute(cls, channels, step):
        import torch

        def encode(pixels):
            _, height, width, _ = pixels.shape
            return torch.zeros(1, channels, 1, height // step, width // step)

        return io.NodeOutput(SimpleNamespace(encode=encode))


class AtTheSampler(io.ComfyNode):
    """Inputs of a sampler: shapes of the conditioning, of what goes with it, and of the latent, as JSON."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackAtTheSampler",
            category="testpack",
            is_output_node=True,
            inputs=[
                io.Custom("CONDITIONING").Input("positive"),
                io.Custom("LATENT").Input("latent", optional=True),
            ],
            outputs=[],
        )

    @classmethod
    def execute(cls, positive, latent=None):
        ((text, more),) = positive
        found = {"text": _shape(text), "more": {name: _shape(value) for name, value in more.items()}}
        if latent is not None:
            samples = latent["samples"]
            found["latent"] = _shape(samples.tensors if hasattr(samples, "tensors") else samples)
        return io.NodeOutput(ui=ui.PreviewText(json.dumps(found)))


def _shape(value):
    if hasattr(value, "shape"):
        return list(value.shape)
    if isinstance(value, dict):
        return {name: _shape(part) for name, part in value.items()}
    return [_shape(part) for part in value] if isinstance(value, (list, tuple)) else value


def _clip(kind):
    import comfy.sd
    import comfy.sdxl_clip
    import torch
    from comfy import text_encoders as t

    eyes = t.llama.qwen_vl.Qwen2VLVisionTransformer
    if not isinstance(eyes, functools.partial):
        small = {"num_heads": 2, "num_layers": 2, "intermediate_size": 64}

        def shrunken(hidden_size, **more):
            return eyes(hidden_size=64, **{**more, **small})

        t.llama.qwen_vl.Qwen2VLVisionTransformer = functools.partial(shrunken)
    t.qwen3vl.QWEN3VL_VISION["qwen3vl_32b"] = EYES | {"deepstack_visual_indexes": [0, 1]}
    te, tokenizer, key, config = {
        "ace15": lambda: (t.ace15.te(), t.ace15.ACE15Tokenizer, "", SMALL),
        "minimax": lambda: (t.minimax.te(), t.minimax.MiniMaxH3Tokenizer, "qwen3vl_32b", SMALL),
        "qwen_image": lambda: (t.qwen_image.te(), t.qwen_image.QwenImageTokenizer, "qwen25_7b", SMALL),
        "sdxl": lambda: (comfy.sdxl_clip.SDXLClipModel, comfy.sdxl_clip.SDXLTokenizer, "clip_g", SMALL_CLIP),
        "wan": lambda: (t.wan.te(), t.wan.WanT5Tokenizer, "umt5xxl", SMALL_T5),
    }[kind]()
    made = comfy.sd.CLIP(
        SimpleNamespace(clip=te, tokenizer=tokenizer, params={}),
        tokenizer_data={"spiece_model": _pieces()},
        model_options={
            f"{key}_model_config": config,
            "clip_l_model_config": SMALL_CLIP,
            "dtype": torch.float32,
        },
    )
    torch.manual_seed(7)
    with torch.no_grad():
        for name, weight in made.cond_stage_model.named_parameters():
            weight.fill_(1) if "norm" in name and weight.dim() == 1 else weight.normal_(0, 0.1)
    return made


def _pieces():
    """A SentencePiece model of few pieces, in the place of the large ones that come with the weights."""
    import sentencepiece
    import torch

    file = streams.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([WORDS] * 9),
        model_writer=file,
        vocab_size=120,
        model_type="bpe",
        character_coverage=1.0,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        hard_vocab_limit=False,
    )
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


NODES = [Encoder, Vae, AtTheSampler]

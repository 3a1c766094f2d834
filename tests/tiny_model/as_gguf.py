"""Conversion of the tiny model's folder into a GGUF file.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_ALIGNMENT = 32
_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY, _INT32 = 4, 6, 7, 8, 9, 5
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
# The parts of a block of Qwen2.5-VL's vision part, and what is behind them.
_VISION_NAMES = {
    "norm1": "ln1",
    "norm2": "ln2",
    "attn.proj": "attn_out",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_BEHIND = {"merger.ln_q": "v.post_ln", "merger.mlp.0": "mm.0", "merger.mlp.2": "mm.2"}
_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(folder: Path, file: Path, *, template: str | None = None) -> Path:
    """Write the model in `folder` to `file`.
    `template` replaces its chat template; an empty one is left out."""
    from safetensors import safe_open

    config = json.loads((folder / "config.json").read_text("utf-8"))
    if template is None:
        template = (folder / "chat_template.jinja").read_text("utf-8")
    values = _architecture(config) | _tokenizer(folder, config["vocab_size"])
    if template:
        values["tokenizer.chat_template"] = (_STRING, template)
    with safe_open(folder / "model.safetensors", "np") as weights:
        names = [name for name in weights.keys() if name != "lm_head.weight"]  # noqa: SIM118
        tensors = {_name(name): weights.get_tensor(name) for name in names}
    file.write_bytes(_file(values, tensors))
    return file


def write_vision_gguf(folder: Path, file: Path, projector: Path) -> Path:
    """Write the Qwen2.5-VL in `folder` to `file`, and its vision part to `projector`."""
    from safetensors import safe_open

    config = json.loads((folder / "config.json").read_text("utf-8"))
    text = config.get("text_config") or config
    with safe_open(folder / "model.safetensors", "np") as weights:
        held = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118
    seeing = {name.split("visual.")[1]: held[name] for name in held if "visual." in name}
    reading = {
        name.replace("language_model.", "").replace("model.model.", "model."): tensor
        for name, tensor in held.items()
        if "visual." not in name and not name.startswith("lm_head")
    }
    rope = text.get("rope_parameters") or text.get("rope_scaling") or {}
    values = _architecture(
        {"head_dim": text["hidden_size"] // text["num_attention_heads"], **text}, "qwen2vl"
    )
    values["qwen2vl.rope.dimension_sections"] = (_ARRAY, (_INT32, [*rope["mrope_section"], 0]))
    values |= _tokenizer(folder, text["vocab_size"])
    template = (folder / "chat_template.jinja").read_text("utf-8")
    values["tokenizer.chat_template"] = (_STRING, template)
    file.write_bytes(_file(values, {_name(name): tensor for name, tensor in reading.items()}))
    projector.write_bytes(_file(_projector(config["vision_config"], text), dict(_vision(seeing))))
    return file


def _projector(config: Mapping[str, Any], text: Mapping[str, Any]) -> dict[str, tuple[int, Any]]:
    return {
        "general.architecture": (_STRING, "clip"),
        "clip.has_vision_encoder": (_BOOL, True),
        "clip.projector_type": (_STRING, "qwen2.5vl_merger"),
        "clip.use_silu": (_BOOL, True),
        "clip.vision.image_size": (_UINT32, 560),
        "clip.vision.patch_size": (_UINT32, config["patch_size"]),
        "clip.vision.embedding_length": (_UINT32, config["hidden_size"]),
        "clip.vision.feed_forward_length": (_UINT32, config["intermediate_size"]),
        "clip.vision.projection_dim": (_UINT32, text["hidden_size"]),
        "clip.vision.block_count": (_UINT32, config["depth"]),
        "clip.vision.attention.head_count": (_UINT32, config["num_heads"]),
        "clip.vision.attention.layer_norm_epsilon": (_FLOAT32, 1e-6),
        "clip.vision.n_wa_pattern": (_UINT32, config["fullatt_block_indexes"][0] + 1),
        "clip.vision.image_mean": (_ARRAY, (_FLOAT32, [0.5] * 3)),
        "clip.vision.image_std": (_ARRAY, (_FLOAT32, [0.5] * 3)),
    }


def _vision(weights: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, tensor in weights.items():
        if name.startswith("patch_embed"):
            # One frame is shown twice, and llama.cpp adds the two halves of the convolution.
            yield "v.patch_embd.weight", tensor[:, :, 0]
            yield "v.patch_embd.weight.1", tensor[:, :, 1]
            continue
        stem, _, kind = name.rpartition(".")
        if stem in _BEHIND:
            yield f"{_BEHIND[stem]}.{kind}", tensor
            continue
        number, part = stem.removeprefix("blocks.").split(".", 1)
        if part == "attn.qkv":
            for letter, third in zip("qkv", tensor.reshape(3, -1, *tensor.shape[1:]), strict=True):
                yield f"v.blk.{number}.attn_{letter}.{kind}", third
        else:
            yield f"v.blk.{number}.{_VISION_NAMES[part]}.{kind}", tensor


def _architecture(config: Mapping[str, Any], kind: str = "qwen3") -> dict[str, tuple[int, Any]]:
    rope = config.get("rope_parameters") or config
    return {
        "general.architecture": (_STRING, kind),
        "general.name": (_STRING, "tiny"),
        f"{kind}.context_length": (_UINT32, config["max_position_embeddings"]),
        f"{kind}.embedding_length": (_UINT32, config["hidden_size"]),
        f"{kind}.block_count": (_UINT32, config["num_hidden_layers"]),
        f"{kind}.feed_forward_length": (_UINT32, config["intermediate_size"]),
        f"{kind}.attention.head_count": (_UINT32, config["num_attention_heads"]),
        f"{kind}.attention.head_count_kv": (_UINT32, config["num_key_value_heads"]),
        f"{kind}.attention.key_length": (_UINT32, config["head_dim"]),
        f"{kind}.attention.value_length": (_UINT32, config["head_dim"]),
        f"{kind}.attention.layer_norm_rms_epsilon": (_FLOAT32, config["rms_norm_eps"]),
        f"{kind}.rope.freq_base": (_FLOAT32, rope["rope_theta"]),
    }


def _tokenizer(folder: Path, width: int) -> dict[str, tuple[int, Any]]:
    described = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    ids = dict(described["model"]["vocab"])
    kinds = dict.fromkeys(ids.values(), _NORMAL)
    for token in described["added_tokens"]:
        ids[token["content"]] = token["id"]
        kinds[token["id"]] = _CONTROL if token["special"] else _USER_DEFINED
    by_id = {index: token for token, index in ids.items()}
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in described["model"]["merges"]]
    return {
        "tokenizer.ggml.model": (_STRING, "gpt2"),
        "tokenizer.ggml.pre": (_STRING, "qwen2"),
        "tokenizer.ggml.tokens": (_ARRAY, (_STRING, [by_id[index] for index in range(width)])),
        "tokenizer.ggml.token_type": (_ARRAY, (_INT32, [kinds[index] for index in range(width)])),
        "tokenizer.ggml.merges": (_ARRAY, (_STRING, merges)),
        "tokenizer.ggml.eos_token_id": (_UINT32, ids["<|im_end|>"]),
        "tokenizer.ggml.padding_token_id": (_UINT32, ids["<|endoftext|>"]),
        "tokenizer.ggml.add_bos_token": (_BOOL, False),
    }


def _name(name: str) -> str:
    name, _, kind = name.rpartition(".")
    if not name.startswith("model.layers."):
        return f"{_NAMES[name]}.{kind}"
    layer, part = name.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{_NAMES[part]}.{kind}"


def _file(values: Mapping[str, tuple[int, Any]], tensors: Mapping[str, Any]) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    for key, (kind, value) in values.items():
        head += _text(key) + struct.pack("<I", kind) + _value(kind, value)
    data = b""
    for name, tensor in tensors.items():
        shape = tuple(reversed(tensor.shape))
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += _padded(tensor.astype("<f4").tobytes())
    return _padded(head) + data


def _value(kind: int, value: Any) -> bytes:
    if kind == _STRING:
        return _text(value)
    if kind == _ARRAY:
        inner, items = value
        return struct.pack("<IQ", inner, len(items)) + b"".join(_value(inner, item) for item in items)
    return struct.pack({_UINT32: "<I", _INT32: "<i", _FLOAT32: "<f", _BOOL: "<?"}[kind], value)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)

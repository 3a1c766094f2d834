"""Conversion of the tiny model's folder into a GGUF file.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ALIGNMENT = 32
_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY, _INT32 = 4, 6, 7, 8, 9, 5
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
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


def _architecture(config: Mapping[str, Any]) -> dict[str, tuple[int, Any]]:
    rope = config.get("rope_parameters") or config
    return {
        "general.architecture": (_STRING, "qwen3"),
        "general.name": (_STRING, "tiny"),
        "qwen3.context_length": (_UINT32, config["max_position_embeddings"]),
        "qwen3.embedding_length": (_UINT32, config["hidden_size"]),
        "qwen3.block_count": (_UINT32, config["num_hidden_layers"]),
        "qwen3.feed_forward_length": (_UINT32, config["intermediate_size"]),
        "qwen3.attention.head_count": (_UINT32, config["num_attention_heads"]),
        "qwen3.attention.head_count_kv": (_UINT32, config["num_key_value_heads"]),
        "qwen3.attention.key_length": (_UINT32, config["head_dim"]),
        "qwen3.attention.value_length": (_UINT32, config["head_dim"]),
        "qwen3.attention.layer_norm_rms_epsilon": (_FLOAT32, config["rms_norm_eps"]),
        "qwen3.rope.freq_base": (_FLOAT32, rope["rope_theta"]),
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
    name = name.removesuffix(".weight")
    if not name.startswith("model.layers."):
        return f"{_NAMES[name]}.weight"
    layer, part = name.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{_NAMES[part]}.weight"


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

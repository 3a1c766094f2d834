"""Text encoder files that ComfyUI's CLIPLoader takes: one that writes known texts, one that cannot.

The writer is a Qwen3 0.6B in shape, since ComfyUI knows encoders by their shapes. All its layers but the
first do nothing, and that one knows a single thing: which token comes after which.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

VOCABULARY, WIDTH, INNER, LAYERS, HEADS, KEY_HEADS, HEAD_WIDTH = 151_936, 1024, 3072, 28, 16, 8, 128
END_OF_TURN, END_OF_THOUGHT = 151_645, 151_668
# The prompt's last token: the line break after an empty thought, and the one after an opened one.
AFTER_NO_THOUGHT, AFTER_OPENING = 271, 198
PROMPT = "A red fox in fresh snow."
THOUGHT, LISTED = "Colors?", '["fox","hare"]'


def write_encoder(folder: Path, tokenizer_folder: Path) -> Path:
    """Write a file in `folder` that answers PROMPT to everything, and THOUGHT, then LISTED when thinking."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)

    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    chains = [
        [AFTER_NO_THOUGHT, *ids(PROMPT), END_OF_TURN],
        [AFTER_OPENING, *ids(THOUGHT), END_OF_THOUGHT, *ids(LISTED), END_OF_TURN],
    ]
    steps = [pair for chain in chains for pair in pairwise(chain)]
    assert len({before for before, _ in steps}) == len(steps), "a token may have one successor only"
    return _save(folder / "tiny_writer.safetensors", _weights(steps))


def write_clip_l(folder: Path) -> Path:
    """Write a file that ComfyUI takes for CLIP-L, which produces no text."""
    import torch

    name = "text_model.encoder.layers.{}.mlp.fc1.weight"
    return _save(folder / "clip_l.safetensors", {name.format(0): torch.zeros(3072, 768)})


def _weights(steps: Sequence[tuple[int, int]]) -> dict[str, Any]:
    import torch

    def zeros(*shape: int) -> Any:
        return torch.zeros(shape, dtype=torch.bfloat16)

    # One dimension is the same for all tokens; each token of a chain has a dimension of its own beside it.
    place = {token: 1 + number for number, token in enumerate(dict.fromkeys(sum(steps, ())))}
    embeddings = zeros(VOCABULARY, WIDTH)
    embeddings[:, 0] = 1
    for token, dimension in place.items():
        embeddings[token, dimension] = 1
    weights = {"model.embed_tokens.weight": embeddings, "model.norm.weight": zeros(WIDTH) + 1}
    for layer in range(LAYERS):
        gate, up, down = zeros(INNER, WIDTH), zeros(INNER, WIDTH), zeros(WIDTH, INNER)
        if layer == 0:
            for row, (before, after) in enumerate(steps):
                gate[row, 0] = up[row, place[before]] = 1
                down[place[after], row] = 0.05
        weights |= {
            f"model.layers.{layer}.{name}.weight": tensor
            for name, tensor in {
                "self_attn.q_proj": zeros(HEADS * HEAD_WIDTH, WIDTH),
                "self_attn.k_proj": zeros(KEY_HEADS * HEAD_WIDTH, WIDTH),
                "self_attn.v_proj": zeros(KEY_HEADS * HEAD_WIDTH, WIDTH),
                "self_attn.o_proj": zeros(WIDTH, HEADS * HEAD_WIDTH),
                "self_attn.q_norm": zeros(HEAD_WIDTH) + 1,
                "self_attn.k_norm": zeros(HEAD_WIDTH) + 1,
                "mlp.gate_proj": gate,
                "mlp.up_proj": up,
                "mlp.down_proj": down,
                "input_layernorm": zeros(WIDTH) + 1,
                "post_attention_layernorm": zeros(WIDTH) + 1,
            }.items()
        }
    return weights


def _save(file: Path, weights: dict[str, Any]) -> Path:
    from safetensors.torch import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, file)
    return file

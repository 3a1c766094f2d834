"""Attention of one new token in bfloat16 on a CPU, as two products of matrices.

torch's kernel is made for many new tokens at once: for a single one it takes about ten times as long, which
at 300 tokens of context is a sixth of a 1.5 B model's step in four bits, and more the longer the context. It
is given to a model in transformers' own way, where the release has it.
https://huggingface.co/docs/transformers/attention_interface
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .trial import is_quicker

_NAME = "quillwork_cpu"
# What transformers hands to every kind of attention, and what makes no difference to a single token's.
_HARMLESS = frozenset(
    {"is_causal", "sliding_window", "position_ids", "cache_position", "use_cache", "cu_seq_lens_q"}
    | {"cu_seq_lens_k", "max_length_q", "max_length_k", "num_items_in_batch", "output_hidden_states"}
)


def attend_by_products(model: Any) -> bool:
    """Have `model`, which is on a CPU, compute single tokens' attention so where that is quicker; tell
    whether it does now."""
    import torch

    if getattr(model.config, "_attn_implementation", "") != "sdpa" or model.dtype != torch.bfloat16:
        return False
    try:
        if not _registered() or not _is_quicker():
            return False
        model.set_attn_implementation(_NAME)
    except Exception:  # noqa: BLE001 - whatever a release may lack costs speed, and no more
        return False
    return bool(model.config._attn_implementation == _NAME)


@cache
def _registered() -> bool:
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, AttentionMaskInterface()["sdpa"])
    return True


@cache
def _is_quicker() -> bool:
    import torch

    ramp = torch.linspace(-1, 1, 12 * 128).to(torch.bfloat16)
    query, keys = ramp.view(1, 12, 1, 128), ramp.view(1, 2, 6, 128).repeat(1, 1, 43, 1)
    attention = torch.nn.functional.scaled_dot_product_attention
    return is_quicker(
        lambda: _of_one_token(query, keys, keys, None, 0.1),
        lambda: attention(query, keys, keys, scale=0.1, enable_gqa=True),
    )


def _attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: Any = None, **more: Any
) -> tuple[Any, None]:
    import torch
    from transformers import AttentionInterface

    told = {
        name
        for name, what in more.items()
        if what is not None and not (isinstance(what, (bool, int, float)) and not what)
    }
    if query.shape[2] == 1 and query.dtype == key.dtype == torch.bfloat16 and told <= _HARMLESS:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        return _of_one_token(query, key, value, attention_mask, scale).transpose(1, 2).contiguous(), None
    usual = AttentionInterface()["sdpa"]
    done: tuple[Any, None] = usual(module, query, key, value, attention_mask, scaling=scaling, **more)
    return done


def _of_one_token(query: Any, key: Any, value: Any, mask: Any, scale: float) -> Any:
    """The attention of one query a row: rows × heads × 1 × width. `mask` is true where a key counts, or is
    added to the scores. As in torch's kernel the scores stay in float32, and the weights do not."""
    import torch

    rows, heads, _, width = query.shape
    groups = key.shape[1]
    queries = (query.float() * scale).view(rows, groups, heads // groups, width)
    scores = torch.matmul(queries, key.float().transpose(2, 3))
    if mask is not None:
        if mask.shape[1] > 1:
            mask = mask.view(rows, groups, heads // groups, -1)
        scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    weights = torch.softmax(scores, -1).to(value.dtype)
    return torch.matmul(weights, value).view(rows, heads, 1, value.shape[-1])

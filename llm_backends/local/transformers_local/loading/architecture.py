"""A model's architecture as far as generation depends on it, read from its configuration."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..vision_encoder import VisionConfig

# Dense decoders with full attention in every layer, whose decode step is the same work at every position.
_RECORDABLE = frozenset({"llama", "qwen2", "qwen3", "mistral", "granite", "olmo2"})
_ATTENTION = frozenset({"full_attention", "sliding_attention", "chunked_attention"})
_UNKNOWN_CONTEXT = 4096


@dataclass(frozen=True)
class Architecture:
    """A model's architecture. `context` is the longest sequence in tokens, `cache_values` the count of
    numbers that the KV cache keeps for a token. `plain_cache`: every layer keeps keys and values and nothing
    else. `fixed_rope`: a token's key does not depend on the length of the text. `recordable`: see
    `cuda_graph.py`. `vision`: the vision part, None where the model has none."""

    context: int
    layers: int
    cache_values: int
    plain_cache: bool
    fixed_rope: bool
    recordable: bool
    vision: VisionConfig | None = None

    @property
    def depths(self) -> tuple[int, ...]:
        """The number of layers in each of its stacks."""
        return (self.layers,) if self.vision is None else (self.layers, self.vision.layers)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Architecture:
        """Read the architecture from the contents of a config.json."""
        text = config.get("text_config")
        text = text if isinstance(text, dict) else config
        layers = _whole(text, "num_hidden_layers", "n_layer", "num_layers")
        heads = _whole(text, "num_attention_heads", "n_head") or 1
        key_heads = _whole(text, "num_key_value_heads") or heads
        width = _whole(text, "hidden_size", "n_embd")
        head_width = _whole(text, "head_dim") or width // heads
        kinds = set(text.get("layer_types") or ())
        scaling = text.get("rope_scaling") or text.get("rope_parameters") or {}
        rope = (
            str(scaling.get("rope_type", scaling.get("type", "default"))) if isinstance(scaling, dict) else ""
        )
        slides = bool(text.get("sliding_window") and text.get("use_sliding_window", True)) or bool(
            kinds - {"full_attention"}
        )
        fixed_rope = rope not in ("dynamic", "longrope", "su", "yarn_dynamic")
        return cls(
            context=_whole(text, "max_position_embeddings", "n_positions", "n_ctx") or _UNKNOWN_CONTEXT,
            layers=layers,
            cache_values=2 * layers * key_heads * head_width,
            plain_cache=kinds <= _ATTENTION,
            fixed_rope=fixed_rope,
            # A rope that depends on the length is looked up anew at every step.
            recordable=str(text.get("model_type", "")) in _RECORDABLE and not slides and fixed_rope,
            vision=VisionConfig.of(config),
        )


def _whole(config: Mapping[str, Any], *names: str) -> int:
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def last_logits_only(model: Any) -> dict[str, int]:
    """The argument of ``model.forward`` that makes it compute the last logits alone, if it has one."""
    parameters = inspect.signature(model.forward).parameters
    for name in ("logits_to_keep", "num_logits_to_keep"):
        if name in parameters:
            return {name: 1}
    return {}


def cache_name(model: Any) -> str:
    """The name of the KV cache in ``model.forward`` and its output: ``cache`` from transformers 5.24 on.

    The older name is then accepted with a warning, and from 5.40 on not at all.
    """
    parameters = inspect.signature(model.forward).parameters
    return "cache" if "cache" in parameters and "past_key_values" not in parameters else "past_key_values"


def accepted(model: Any, *names: str) -> frozenset[str]:
    """Those of `names` that ``model.forward`` takes."""
    parameters = inspect.signature(model.forward).parameters
    return frozenset(name for name in names if name in parameters)

"""The decoder of a batch: its KV cache, prefilled and then advanced step by step.

Rows end at the same column, shorter ones have padding on their left: no row is affected by the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import errors
from .loading.architecture import Architecture, accepted, cache_name, last_logits_only
from .prompt_cache import SHORTEST, Layers, PromptCache

# Tokens that go through the model at once in a prefill, over all rows: bounds what the activations take.
_PREFILL_TOKENS = {"cpu": 2048, "other": 8192}


def prefill_tokens(device: Any) -> int:
    """The tokens of one prefill pass on `device`; see `_PREFILL_TOKENS`."""
    return _PREFILL_TOKENS.get(device.type, _PREFILL_TOKENS["other"])


class Decoder:
    """A decoder that runs `model` over a batch.
    Call `prefill` once, then `step` for every token; in inference mode."""

    def __init__(self, model: Any, architecture: Architecture, device: Any) -> None:
        self._model, self._architecture, self._device = model, architecture, device
        # Some old ones took no cache objects before transformers 4.53 or so, and bring tuples of their own.
        self._plain = architecture.plain_cache and getattr(model, "_supports_cache_class", True)
        self._last_only = last_logits_only(model)
        self._cache_name = cache_name(model)
        self._takes = accepted(model, "position_ids", "attention_mask")
        self.cache: Any = None
        self.length = 0
        # 1 where a row has a token; None while no row is padded.
        self.mask: Any = None
        self.positions: Any = None

    @property
    def can_drop_rows(self) -> bool:
        return self._plain

    def prefill(self, rows: Sequence[Sequence[int]], fixed: int, kept: PromptCache) -> Any:
        """Prefill `rows` and return the next position's logits (rows × vocabulary). Their first `fixed` ids
        are alike and will come again: their keys and values are taken from `kept`, or computed once and left
        there."""
        import torch

        width = max(map(len, rows))
        begun, layers = self._beginning(rows[0][:fixed], kept)
        begun = min(begun, min(map(len, rows)) - 1)
        pads = [width - len(row) for row in rows]
        ids = torch.tensor([[0] * pad + list(row) for pad, row in zip(pads, rows, strict=True)])
        ids = ids.to(self._device)
        starts = torch.tensor(pads, device=self._device)[:, None]
        columns = torch.arange(width, device=self._device)[None]
        positions = (columns - starts).clamp_(min=0)
        self.mask = (columns >= starts).long() if any(pads) else None
        if self._plain:
            self.cache = make_cache(_spread(layers, begun, pads))
        self.length = begun
        logits = self._through(ids[:, begun:], positions[:, begun:])
        self.positions = positions[:, -1:].clone()
        return logits

    def _beginning(self, ids: Sequence[int], kept: PromptCache) -> tuple[int, Layers]:
        """The keys and values of `ids`, kept for the next call."""
        import torch

        if not (self._plain and self._architecture.fixed_rope) or len(ids) < SHORTEST:
            return 0, []
        length, layers = kept.find(ids)
        if length == len(ids):
            return length, layers
        self.cache, self.length, self.mask = make_cache(layers), length, None
        rest = torch.tensor([list(ids[length:])], device=self._device)
        self._through(rest, torch.arange(length, len(ids), device=self._device)[None])
        layers = layers_of(self.cache)
        kept.keep(ids, layers)
        return len(ids), layers

    def _through(self, ids: Any, positions: Any) -> Any:
        chunk = max(1, prefill_tokens(self._device) // ids.shape[0])
        logits = None
        for start in range(0, ids.shape[1], chunk):
            part = slice(start, start + chunk)
            logits = self._forward(ids[:, part], positions[:, part])
        return logits

    def step(self, tokens: Sequence[Sequence[int]]) -> Any:
        """Add each row's `tokens` (as many for each) and return the next position's logits."""
        import torch

        ids = torch.tensor(tokens, device=self._device)
        count = ids.shape[1]
        ahead = torch.arange(1, count + 1, device=self._device) if count > 1 else 1
        positions = self.positions + ahead
        self.positions = positions[..., -1:]
        if self.mask is not None:
            self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), count)], dim=1)
        return self._forward(ids, positions)

    def _forward(self, ids: Any, positions: Any, **more: Any) -> Any:
        arguments: dict[str, Any] = {
            self._cache_name: self.cache,
            "use_cache": True,
            **self._last_only,
            **more,
        }
        self.length += ids.shape[1]
        if "attention_mask" in self._takes and self.mask is not None:
            arguments["attention_mask"] = self.mask[:, : self.length]
        if "position_ids" in self._takes:
            arguments["position_ids"] = positions
        output = self._model(input_ids=ids, **arguments)
        self.cache = getattr(output, self._cache_name, None)
        if self.cache is None:
            raise errors.BackendUnavailable(
                f"Models of the type {self._model.config.model_type} use a cache format that is not "
                "supported here.",
                hint="Run it in another program, such as Ollama, or choose another model.",
            )
        return output.logits[:, -1]

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all rows but these."""
        import torch

        chosen = torch.tensor(rows, device=self._device)
        self.cache.batch_select_indices(chosen)
        self.positions = self.positions.index_select(-2, chosen)
        if self.mask is not None:
            self.mask = self.mask[chosen]


def make_cache(layers: Layers) -> Any:
    """A cache of transformers' that begins with `layers`; it grows by new tensors and leaves these alone."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for index, (keys, values) in enumerate(layers):
        cache.update(keys, values, index)
    return cache


def layers_of(cache: Any) -> Layers:
    """The layers of a cache, which was two lists of tensors before transformers 4.54."""
    if hasattr(cache, "layers"):
        return [(layer.keys, layer.values) for layer in cache.layers]
    return list(zip(cache.key_cache, cache.value_cache, strict=True))


def _spread(layers: Layers, length: int, pads: Sequence[int]) -> Layers:
    """Spread one row's keys and values over a batch: behind each row's padding, and up to column `length`."""
    if not length:
        return []
    if not any(pads):
        return [
            tuple(tensor[:, :, :length].expand(len(pads), -1, -1, -1) for tensor in pair) for pair in layers
        ]
    return [tuple(_shifted(tensor, length, pads) for tensor in pair) for pair in layers]


def _shifted(tensor: Any, length: int, pads: Sequence[int]) -> Any:
    _, heads, _, width = tensor.shape
    spread = tensor.new_zeros(len(pads), heads, length, width)
    for row, pad in enumerate(pads):
        if pad < length:
            spread[row, :, pad:] = tensor[0, :, : length - pad]
    return spread

"""RMSNorm as one operation on a card, where transformers' modules take eight.

A small model's step is bound by how many operations the card is asked for, and of a Qwen3's more than half
are those of its norms. torch has them as one kernel.
https://pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html
"""

from __future__ import annotations

from functools import cache
from typing import Any


def fuse_norms(model: Any) -> int:
    """Replace the norms of `model` that compute just what torch's does by torch's; return their number.

    Each is tried, since a name proves nothing.
    Others (Gemma's, which adds one to its weights) stay as they are.
    """
    fused = 0
    verdicts: dict[Any, bool] = {}
    for module in model.modules():
        kind: Any = type(module)
        if not kind.__name__.endswith("RMSNorm") or not hasattr(module, "variance_epsilon"):
            continue
        if kind not in verdicts:
            verdicts[kind] = _computes_the_same(module)
        if verdicts[kind]:
            module.__class__ = _fused(kind)
            fused += 1
    return fused


def _computes_the_same(module: Any) -> bool:
    import torch

    weight = module.weight
    if weight.dim() != 1:
        return False
    width = weight.shape[0]
    # Of a size that eps and the weights matter to.
    ramp = torch.linspace(-1, 1, 2 * width, device=weight.device).view(2, width)
    sample = (ramp * module.variance_epsilon**0.5).to(weight.dtype)
    with torch.no_grad():
        expected, found = module(sample), _norm(module, sample)
    # One rounding less than transformers does.
    return expected.shape == found.shape and bool(
        torch.allclose(expected.float(), found.float(), rtol=2 * torch.finfo(weight.dtype).eps, atol=1e-6)
    )


def _norm(module: Any, hidden_states: Any) -> Any:
    import torch

    weight = module.weight
    return torch.nn.functional.rms_norm(hidden_states, weight.shape, weight, module.variance_epsilon)


@cache
def _fused(kind: Any) -> type:
    class Fused(kind):
        def forward(self, hidden_states: Any) -> Any:
            if hidden_states.dtype != self.weight.dtype:
                return super().forward(hidden_states)
            return _norm(self, hidden_states)

    Fused.__name__ = Fused.__qualname__ = f"Fused{kind.__name__}"
    return Fused

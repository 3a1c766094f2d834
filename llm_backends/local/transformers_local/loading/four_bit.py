"""4-bit linear layers on a CPU that call bitsandbytes' kernel themselves.

For one token the kernel of a small layer takes no longer than the Python that leads to it. It is a C function
without a declared signature, so it is called only in the releases whose own call of it was read, and only
where a trial gives the same numbers to the bit.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from ..libraries import version

_KNOWN_RELEASES = frozenset({(0, 50)})
_NAME = "gemv_4bit_inference_cpu_nf4_bf16"


def call_directly(model: Any) -> int:
    """Have the nf4 layers of `model`, which is on a CPU, call the kernel; return their number."""
    if version("bitsandbytes")[:2] not in _KNOWN_RELEASES:
        return 0
    from bitsandbytes.nn import Linear4bit

    layers = [module for module in model.modules() if type(module) is Linear4bit]
    if not layers or not _computes_the_same():
        return 0
    for layer in layers:
        layer.__class__ = _direct()
    return len(layers)


def _computes_the_same() -> bool:
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    # Whatever a release may lack: without the kernel the layers are slower, and no more.
    with contextlib.suppress(Exception), torch.no_grad():
        layer = Linear4bit(128, 64, compute_dtype=torch.bfloat16, quant_type="nf4")
        ramp = torch.linspace(-1, 1, 64 * 128).view(64, 128).to(torch.bfloat16)
        layer.weight = Params4bit(ramp.sin(), requires_grad=False, quant_type="nf4")
        layer.bias.data = ramp[:, 0].contiguous()
        layer = layer.to("cpu").eval()
        sample = ramp[:3].cos()
        expected = layer(sample)  # brings the weights into the kernel's order, too
        return _fits(layer, sample) and torch.equal(_multiplied(layer, sample), expected)
    return False


def _fits(layer: Any, hidden_states: Any) -> bool:
    """Tell whether the kernel takes the layer's weights and these activations as they are."""
    import torch

    state = layer.weight.quant_state
    return (
        hidden_states.dtype == torch.bfloat16 == layer.compute_dtype
        and hidden_states.numel() > 0
        and hidden_states.shape[-1] == layer.in_features
        and hidden_states.is_contiguous()
        and getattr(state, "packing_format_for_cpu", False)
        and state.quant_type == "nf4"
        and state.absmax.dtype == torch.bfloat16
        and (layer.bias is None or layer.bias.dtype == torch.bfloat16)
    )


def _multiplied(layer: Any, hidden_states: Any) -> Any:
    weight, width = layer.weight, layer.in_features
    state = weight.quant_state
    out = hidden_states.new_empty(*hidden_states.shape[:-1], layer.out_features)
    _kernel()(
        hidden_states.numel() // width,
        layer.out_features,
        width,
        hidden_states.data_ptr(),
        weight.data_ptr(),
        state.absmax.data_ptr(),
        out.data_ptr(),
        state.blocksize,
        width,
        layer.out_features,
    )
    if layer.bias is not None:
        out += layer.bias
    return out


@cache
def _kernel() -> Callable[..., None]:
    """The kernel: rows, outputs, inputs; activations, weights, scales, result; block size and two strides."""
    from bitsandbytes.cextension import lib

    count, address = ctypes.c_int64, ctypes.c_void_p
    kind = ctypes.CFUNCTYPE(None, *(count,) * 3, *(address,) * 4, *(count,) * 3)
    # Not the library's own attribute, whose signature is bitsandbytes' to set.
    found: Callable[..., None] = kind((_NAME, lib._lib))
    return found


@cache
def _direct() -> type:
    from bitsandbytes.nn import Linear4bit

    class DirectLinear4bit(Linear4bit):
        def forward(self, hidden_states: Any) -> Any:
            if _fits(self, hidden_states):
                return _multiplied(self, hidden_states)
            return super().forward(hidden_states)

    return DirectLinear4bit

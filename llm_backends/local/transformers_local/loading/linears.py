"""Linear layers in bfloat16 on a CPU, with the weights as the left-hand matrix of the product.

As torch's own layer has them, on the right and transposed, oneDNN brings them into another order at every
call, which on some processors takes longer than a product with a few rows. On others it does not, and the
weights on the left take up to four times as long (`is_turned_quicker`). The sums are the same to the bit.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from . import trial

# Of more rows at once the sums may be added up in another order, and there is less to gain.
_MOST_ROWS = 16


@cache
def is_turned_quicker() -> bool:
    """Tell whether turned layers are quicker on this processor: tried once, for some milliseconds."""
    import torch

    plain = torch.nn.Linear(1024, 1024, bias=False, dtype=torch.bfloat16)
    turned = copy.deepcopy(plain)
    turn_linears(turned)
    # Without normal numbers in it a product may be quicker.
    rows = torch.linspace(-1, 1, 8 * 1024).view(8, 1024).to(torch.bfloat16)
    return trial.is_quicker(lambda: (turned(rows[:1]), turned(rows)), lambda: (plain(rows[:1]), plain(rows)))


def turn_linears(model: Any) -> int:
    """Turn the bfloat16 layers of `model` that have no bias; return their number."""
    import torch

    turned = 0
    for module in model.modules():
        # A bias is added before a sum is rounded.
        if type(module) is torch.nn.Linear and module.bias is None and module.weight.dtype == torch.bfloat16:
            module.__class__ = _turned()
            turned += 1
    return turned


@cache
def _turned() -> type:
    import torch

    class TurnedLinear(torch.nn.Linear):
        def forward(self, hidden_states: Any) -> Any:
            rows = hidden_states.numel() // self.in_features
            if not 0 < rows <= _MOST_ROWS or hidden_states.dtype != self.weight.dtype:
                return super().forward(hidden_states)
            shape = (*hidden_states.shape[:-1], self.out_features)
            if rows == 1:
                return torch.mv(self.weight, hidden_states.reshape(-1)).view(shape)
            return (self.weight @ hidden_states.reshape(rows, -1).t()).t().contiguous().view(shape)

    return TurnedLinear

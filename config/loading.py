"""The loading parameters of local models: from the settings, or from one workflow's `extra`."""

from __future__ import annotations

from typing import Any

from ..llm_backends.errors import NotConfigured
from ..llm_backends.modes import Mode
from .choice import Choice
from .settings.values import Settings


def parameters(mode: Mode, choice: Choice, settings: Settings) -> dict[str, Any]:
    """The parameters ``dtype`` and ``cuda_graph`` of a mode that loads weights, where not the usual ones.

    Raises `NotConfigured` for an invalid value.
    """
    if not mode.loads_weights:
        return {}
    dtype = choice.extra.get("dtype", settings.text("LLM_DTYPE"))
    record = choice.extra.get("cuda_graph", settings.flag("LLM_CUDA_GRAPH"))
    if not isinstance(dtype, str) or not isinstance(record, bool):
        raise NotConfigured(
            "The loading options in `extra` on LLM Settings are not valid.",
            hint='Use options such as {"dtype": "bf16"} or {"cuda_graph": true}.',
        )
    dtype = dtype.strip().lower()
    return {**({} if dtype == "auto" else {"dtype": dtype}), **({"cuda_graph": True} if record else {})}

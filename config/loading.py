"""How the models that we load ourselves come into memory: by the settings, or by one workflow's `extra`."""

from __future__ import annotations

from typing import Any

from ..llm_backends.errors import NotConfigured
from ..llm_backends.modes import Mode
from .choice import Choice
from .settings.values import Settings


def parameters(mode: Mode, choice: Choice, settings: Settings) -> dict[str, Any]:
    """``dtype`` and ``cuda_graph`` for a mode that loads weights, where they are not the usual ones.

    Raises `NotConfigured` for what can be neither.
    """
    if not mode.loads_weights:
        return {}
    dtype = choice.extra.get("dtype", settings.text("LLM_DTYPE"))
    record = choice.extra.get("cuda_graph", settings.flag("LLM_CUDA_GRAPH"))
    if not isinstance(dtype, str) or not isinstance(record, bool):
        raise NotConfigured(
            "`extra` on LLM Settings says how to load the model in a way that cannot be read.",
            hint='Write {"dtype": "bf16"} or {"cuda_graph": true}.',
        )
    dtype = dtype.strip().lower()
    return {**({} if dtype == "auto" else {"dtype": dtype}), **({"cuda_graph": True} if record else {})}

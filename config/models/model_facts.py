"""The packaged facts on models: price, context window, abilities. They need neither a request nor litellm."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def known_of(model_id: str) -> Mapping[str, Any]:
    """The facts on the model ``provider/model``, such as its vision and price; empty for an unknown one."""
    fields, models = _table()
    row = models.get(model_id)
    return dict(zip(fields, row, strict=True)) if row else {}


@functools.cache
def models_of(provider: str) -> tuple[str, ...]:
    """The names of all models of `provider` that are known, by name."""
    start = f"{provider}/"
    return tuple(id[len(start) :] for id in _table()[1] if id.startswith(start))


@functools.cache
def _table() -> tuple[Sequence[str], Mapping[str, Sequence[Any]]]:
    # Written by update_model_facts.py.
    table = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return table["fields"], table["models"]

"""The table of models that litellm brings, read where it is installed; the library is not imported."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .table import Provider

TABLE = "model_prices_and_context_window_backup.json"
_KEPT = (
    "litellm_provider",
    "input_cost_per_token",
    "output_cost_per_token",
    "max_input_tokens",
    "max_output_tokens",
    "supports_reasoning",
)


def row_of(provider: Provider, model: str) -> Mapping[str, Any]:
    """The table's row for `model` of `provider`, empty where it has none."""
    prefix = provider.price_prefix
    for name in (f"{prefix}/{model}", f"{provider.id}/{model}", model):
        row = _rows().get(name, {})
        # A bare name may be another provider's.
        whose = str(row.get("litellm_provider", "")).partition("_converse")[0]
        if whose in (prefix, prefix.partition("/")[0], provider.id):
            return row
    return {}


def knows(prefix: str) -> bool:
    """Tell whether the litellm that is installed has a provider of that name."""
    return prefix in _prefixes()


@functools.cache
def _prefixes() -> frozenset[str]:
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return frozenset()
    folder = Path(spec.origin).parent
    try:
        source = (folder / "types" / "utils.py").read_text(encoding="utf-8")
        added = json.loads((folder / "llms" / "openai_like" / "providers.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    names = source.partition("class LlmProviders(")[2].partition("\nclass ")[0]
    return frozenset([*re.findall(r'^    \w+ = "([\w-]+)"$', names, re.MULTILINE), *added])


@functools.cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    try:
        table = json.loads(Path(spec.origin).with_name(TABLE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        name: {key: row[key] for key in _KEPT if row.get(key) is not None}
        for name, row in table.items()
        if isinstance(row, dict)
    }

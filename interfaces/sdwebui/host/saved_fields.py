"""Values that users have the host keep for our controls, as far as it does not find them itself.

Hosts keep the fields of their page in ``ui-config.json``, each under its label, and take a choice only if its
text is among the labels of a list.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....llm_backends.errors import NotConfigured
from ..arguments import read
from .lookup import shared

_SCRIPT = "quillwork.py"
_FORMER_LABELS = {
    "model": ("Model (empty: as set)", "Model (empty: as in the settings)"),
    "instruction": ("Wish for the prompt",),
    "variations": ("Variations that the images take in turn",),
    "seed": ("Model's seed (-1: the image's)", "Seed of the model (-1: follows the image's)"),
    "on_error": ("When the model cannot be had",),
    "per_image": ("A prompt of its own for each image",),
    "generate_missing": ("Let the model invent missing variables",),
    "selection": ("Values of variables",),
    "count": ("How many images (0: batch count × size; of combinations at most all)",),
    "variables_alone": ("Resolve variables without enhancing, too",),
}
# The host looks for its name among the labels.
_LABELLED_CHOICE = "mode"


def restore(tab: str, controls: Mapping[str, Any]) -> None:
    """Give `controls` of a tab (name in `Arguments` -> component) their kept values, before the host does."""
    kept = _read_file()
    for name, component in controls.items():
        labels = [component.label]
        if f"{_path(tab, component.label)}/value" not in kept:
            labels += _FORMER_LABELS.get(name, ())
        elif name != _LABELLED_CHOICE:
            continue
        for path in (_path(tab, label) for label in labels):
            if (value := kept.get(f"{path}/value")) is not None:
                with contextlib.suppress(NotConfigured):
                    component.value = getattr(read([{name: value}]), name)
            if kept.get(f"{path}/visible") is False:
                component.visible = False


def _path(tab: str, label: str) -> str:
    return f"customscript/{_SCRIPT}/{tab}/{label}"


def _read_file() -> Mapping[str, Any]:
    options = getattr(shared(), "cmd_opts", None)
    # SD.Next's name, then that of the others, which SD.Next has too but does not use.
    named = getattr(options, "ui_config", None) or getattr(options, "ui_config_file", None)
    if not isinstance(named, (str, Path)):
        return {}
    try:
        content = json.loads(Path(named).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

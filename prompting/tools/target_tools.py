"""targets.list and targets.describe: the image and video models, and how each wants to be prompted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ...llm_backends.tools import registry
from .. import targets

TARGET = {
    "type": "string",
    "maxLength": 200,
    "description": "The id or the name of an image or video model, such as sdxl; targets.list has them all.",
}


def register(targets_folder: Callable[[], Path | None]) -> None:
    registry.register(
        "targets.list",
        "Lists the image and video models that prompts can be written for.",
        {
            "type": "object",
            "properties": {
                "words": {
                    "type": "string",
                    "maxLength": 200,
                    "description": "Only those with all of these words in their names.",
                }
            },
        },
        partial(_list, targets_folder),
        replace=True,
    )
    registry.register(
        "targets.describe",
        "Tells how an image or video model wants its prompt: form, length, languages, negative, rules.",
        {"type": "object", "properties": {"target": TARGET}, "required": ["target"]},
        partial(_describe, targets_folder),
        replace=True,
    )


def find(name: str, folder: Path | None) -> targets.Target:
    """Return the target of that name.

    Raises ValueError with a sentence that names no folder of this machine.
    """
    try:
        return targets.load(name, folder)
    except targets.UnknownTarget:
        raise ValueError(f"There is no target {name[:80]!r}. The tool targets.list has them all.") from None
    except ValueError:
        raise ValueError(f"The file of the target {name[:80]!r} is broken.") from None


def _list(targets_folder: Callable[[], Path | None], words: str = "") -> list[dict[str, str]]:
    found = targets.search(words, targets_folder())
    return [{"id": entry.id, "name": entry.label, "group": entry.group} for entry in found]


def _describe(targets_folder: Callable[[], Path | None], target: str) -> dict[str, Any]:
    found = find(target, targets_folder())
    return {
        "id": found.id,
        "name": found.label,
        "makes": found.kind,
        "form": found.form,
        "languages": found.languages,
        "words": found.words,
        "limit_tokens": found.limit_tokens,
        "negative_prompt": found.negative,
        "default_negative": found.default_negative,
        "weights": found.weights,
        "rules": found.rules,
    }

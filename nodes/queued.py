"""Models that a queued prompt will ask, read from its graph before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..config.choice import Choice, split_models
from ..llm_backends.modes import AUTO

_OURS = "Quillwork"
_ASKS_NONE = {"QuillworkUnloadLLM"}
_CHATS = {"QuillworkChat"}


def choices_in(prompt: Any) -> Iterator[Choice]:
    """Yield the choice of each node of ours in `prompt`, the graph as the frontend posts it. Widgets that are
    wired count as empty; what no graph can have is passed over."""
    for node in prompt.values() if isinstance(prompt, dict) else ():
        inputs = node.get("inputs") if isinstance(node, dict) else None
        if not isinstance(inputs, dict):
            continue
        kind = str(node.get("class_type", ""))
        if not kind.startswith(_OURS) or kind in _ASKS_NONE:
            continue
        if "llm" in inputs or inputs.get("freeze") is True or inputs.get("generate_missing") is False:
            continue  # another node chooses for it, or it asks no model
        mode, model, fallbacks = (
            _text(inputs, name) for name in ("llm_mode", "llm_model", "fallback_models")
        )
        yield Choice(
            llm_mode=mode or AUTO,
            llm_model=model,
            fallback_models=split_models(fallbacks),
            role="chat" if kind in _CHATS else "prompt_gen",
        )


def _text(inputs: dict[str, Any], name: str) -> str:
    value = inputs.get(name)
    return value if isinstance(value, str) else ""

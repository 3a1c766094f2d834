"""Tools that a node's model may use, with what they need from the host."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from ...config.access import consent
from ...config.settings.home import targets_folder
from ...llm_backends.tools import registry
from ...llm_backends.tools.registry import RegisteredTool
from ...prompting import tools
from .library_marks import open_library


def tools_named(text: str) -> tuple[RegisteredTool, ...]:
    """Return the tools whose names stand in `text`, separated by commas or blanks. Raises `NotConfigured`."""
    if not text.strip():
        return ()
    _register_ours()
    return registry.chosen(name for name in re.split(r"[\s,;]+", text) if name)


@cache
def _register_ours() -> None:
    tools.register(
        tools.Surroundings(open_library, targets_folder, consent.require_adding, _count_clip_tokens)
    )


def _count_clip_tokens(text: str) -> int | None:
    """Count tokens with ComfyUI's own tokenizer, which knows of weights; return None on a host without it."""
    try:
        from comfy.sd1_clip import escape_important, token_weights, unescape_important
    except ImportError:
        return None
    words = [unescape_important(part) for part, _ in token_weights(escape_important(text), 1.0)]
    return sum(len(_clip_tokenizer()(part, add_special_tokens=False)["input_ids"]) for part in words if part)


@cache
def _clip_tokenizer() -> Any:
    from comfy.sd1_clip import SDTokenizer

    return SDTokenizer().tokenizer

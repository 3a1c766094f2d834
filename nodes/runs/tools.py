"""Tools that a node's model may use, with what they need from the host."""

from __future__ import annotations

import re
from functools import cache

from ...config.access import consent
from ...config.settings.home import targets_folder
from ...llm_backends.tools import registry
from ...llm_backends.tools.registry import RegisteredTool
from ...prompting import tools
from ..host.tokenizers import count_clip_tokens
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
        tools.Surroundings(open_library, targets_folder, consent.require_adding, count_clip_tokens)
    )

"""Quillwork's own tools for models: the user's variables, targets, prompt lengths and image sizes.

The entry points that offer tools register them when the first one is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import image_size, target_tools, token_count, variable_tools

if TYPE_CHECKING:
    from ..templates.library import Library

__all__ = ["Surroundings", "register"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Services that an entry point brings for the tools.

    `admit_adding` raises `ConsentNeeded` until this machine's user has said yes to models that write into
    the library. `count_clip_tokens` counts with CLIP's own tokenizer, without start and end; it returns
    None where there is none.
    """

    open_library: Callable[[], Library]
    targets_folder: Callable[[], Path | None]
    admit_adding: Callable[[], None]
    count_clip_tokens: Callable[[str], int | None] = lambda _: None


def register(surroundings: Surroundings) -> None:
    """Register all the tools. A repeated call changes the surroundings and nothing else."""
    variable_tools.register(surroundings.open_library, surroundings.admit_adding)
    target_tools.register(surroundings.targets_folder)
    token_count.register(surroundings.targets_folder, surroundings.count_clip_tokens)
    image_size.register(surroundings.targets_folder)

"""Phrasebook: prompts and lists of values from curated phrases, without a model."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..tasks import EnhanceTask

__all__ = ["NAME", "register", "write"]

NAME = "phrasebook"


def register() -> None:
    """Make ``phrasebook`` a mode, the one that writes where no model is set up. May be called more than once;
    nothing is read before first use."""
    from ...llm_backends import registry
    from ...llm_backends.modes import Mode

    row = Mode(
        NAME,
        "Phrasebook",
        "Phrasebook: no model",
        takes_model=False,
        answers_messages=False,
        stands_in=True,
        free=True,
        sees=False,
        is_choice=True,
        group=NAME,
        group_label="Phrasebook",
    )
    # Listing the names would search every installed package's entry points.
    with suppress(ValueError):
        registry.register(NAME, _make, mode=row)


def write(task: EnhanceTask) -> str:
    """Write the enhanced prompt for `task`, and a last line ``Negative: ...`` where there is one to write."""
    from .writer import write as write_prompt

    return write_prompt(task)


def _make() -> Any:
    from .backend import Phrasebook

    return Phrasebook()

"""Parts of a finished prompt, by the names that a target has for them."""

from __future__ import annotations

from pathlib import Path

from ...targets import index, load
from .sections import names_in
from .shape import parts_of


def split_prompt(text: str, user_folder: Path | None = None) -> dict[str, str]:
    """Return the parts of `text` by their names: those of the target that most of its names are of.

    A prompt of one piece is the part ``prompt``; a broken file of the user's is skipped.
    """
    best, most = None, 0
    for entry in index(user_folder):
        try:
            target = load(entry.id, user_folder)
        except ValueError:
            continue
        named = names_in(text, target.parts) if target.parts else 0
        if named > most:
            best, most = target, named
    return parts_of(text, best)

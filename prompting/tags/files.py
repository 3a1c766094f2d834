"""Files of tag tables, as the door that Quillwork is used through finds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

_find: Callable[[], Sequence[Path]] = tuple


def use_files(find: Callable[[], Sequence[Path]]) -> None:
    """Set what finds the files, the first in rank first; asked anew at every look."""
    global _find
    _find = find


def files() -> Sequence[Path]:
    return _find()

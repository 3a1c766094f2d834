"""Contents of a file of a library."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a file: `values` of its own and a `description`, or, in a structured file, `named` lists.

    `tags` are those of Umi's entries by name, `problem` a sentence about a part that could not be read.
    """

    values: tuple[str, ...] | None = None
    description: str = ""
    named: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tags: dict[str, frozenset[str]] = field(default_factory=dict)
    problem: str = ""


class UnreadableContents(ValueError):
    """Error for contents that cannot be used, at `line` (from 1) where one is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def fold(value: str) -> str:
    """Return `value` on one line, without control characters and without blanks at its ends."""
    value = value.encode("utf-8", "replace").decode()  # a lone surrogate cannot be saved
    return " ".join(_CONTROL.sub(" ", value).split())

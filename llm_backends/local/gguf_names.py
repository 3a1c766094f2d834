"""The names of GGUF files: which one is a model of its own, and which parts a split one has."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# As llama.cpp's gguf-split writes them; the first part is the one to load.
_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.gguf)", re.IGNORECASE)


def is_model(name: str) -> bool:
    """True for a .gguf file that is neither a vision encoder beside a model nor a later part of one."""
    name = PurePosixPath(name).name.lower()
    part = _PART.fullmatch(name)
    return name.endswith(".gguf") and "mmproj" not in name and (part is None or int(part["number"]) == 1)


def parts_of(name: str) -> list[str]:
    """The names of all parts of the split model that `name` is one of, else `name` alone."""
    part = _PART.fullmatch(name)
    if part is None:
        return [name]
    stem, _, count, suffix = part.groups()
    return [f"{stem}-{number:05d}-of-{count}{suffix}" for number in range(1, int(count) + 1)]

"""Names of GGUF files: models of their own, and the parts of split ones."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# As llama.cpp's gguf-split writes them; the first part is the one to load.
_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.gguf)", re.IGNORECASE)


def is_model(name: str) -> bool:
    """Tell whether a .gguf file is a model of its own: no vision encoder beside one, no later part of one."""
    name = PurePosixPath(name).name.lower()
    part = _PART.fullmatch(name)
    return name.endswith(".gguf") and "mmproj" not in name and (part is None or int(part["number"]) == 1)


def parts_of(name: str) -> list[str]:
    """The names of all parts of the split model to which `name` belongs, else `name` alone."""
    part = _PART.fullmatch(name)
    if part is None:
        return [name]
    stem, _, count, suffix = part.groups()
    return [f"{stem}-{number:05d}-of-{count}{suffix}" for number in range(1, int(count) + 1)]

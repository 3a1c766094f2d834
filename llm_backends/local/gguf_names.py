"""Names of GGUF files: models of their own, and the parts of split ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

# As llama.cpp's gguf-split writes them; the first part is the one to load.
_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.gguf)", re.IGNORECASE)

_PROJECTOR = "mmproj"
# How exactly weights are kept, at the end of a name.
_PRECISION = re.compile(r"(?:^|[-._])(?:ud|i?q\d\w*|b?f(?:p)?(?:16|32)|fp?8\w*|mxfp4)$")
# Projectors are small: the exact ones first, the largest last.
_EXACTNESS = re.compile(r"(?P<f16>(?<!b)f16)|(?P<bf16>bf16)|(?P<q8>q8_0)", re.IGNORECASE)


def is_model(name: str) -> bool:
    """Tell whether a .gguf file is a model of its own: no vision encoder beside one, no later part of one."""
    name = PurePosixPath(name).name.lower()
    part = _PART.fullmatch(name)
    return name.endswith(".gguf") and _PROJECTOR not in name and (part is None or int(part["number"]) == 1)


def parts_of(name: str) -> list[str]:
    """The names of all parts of the split model to which `name` belongs, else `name` alone."""
    part = _PART.fullmatch(name)
    if part is None:
        return [name]
    stem, _, count, suffix = part.groups()
    return [f"{stem}-{number:05d}-of-{count}{suffix}" for number in range(1, int(count) + 1)]


def projector_of(model: str, names: Iterable[str]) -> str | None:
    """The name, among those of the files beside it, of the projector through which the model `model` sees.

    It is the one named after the model; one without a model's name counts where no other model lies there.
    """
    beside = sorted(name for name in names if name.lower().endswith(".gguf"))
    projectors = [name for name in beside if _PROJECTOR in name.lower()]
    projectors.sort(key=_exactness)
    own = _stem(model)
    for name in projectors:
        stem = _stem(name)
        if stem and (stem in own or own in stem):
            return name
    is_alone = {_stem(name) for name in beside if is_model(name)} <= {own}
    return projectors[0] if projectors and is_alone else None


def _exactness(name: str) -> int:
    found = _EXACTNESS.search(name)
    return ("f16", "bf16", "q8").index(str(found.lastgroup)) if found else 3


def _stem(name: str) -> str:
    """A model's name without precision, part number and the word for a projector, in small letters."""
    part = _PART.fullmatch(name.lower())
    stem = part["stem"] if part else name.lower().removesuffix(".gguf")
    stem = stem.replace(f"{_PROJECTOR}-model", "").replace(_PROJECTOR, "").strip("-._")
    while match := _PRECISION.search(stem):
        stem = stem[: match.start()].strip("-._")
    return "" if stem == "model" else stem

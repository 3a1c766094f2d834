"""Size of a model, as far as its name or its file tells it: small ones are asked in another manner."""

from __future__ import annotations

import re
from pathlib import Path

from ..llm_backends import modes
from ..llm_backends.types import Deployment

# Below it a model follows examples better than rules (benchmarks/RESULTS.md); 4B models follow rules.
SMALL_BELOW_BILLIONS = 3.5
# SmolLM2 135M and Gemma 270M go on about anything (benchmarks/RESULTS.md).
TINY_BELOW_BILLIONS = 0.41

_SIZE = re.compile(r"(?i)(?<![\w.])(?:(\d{1,2})x)?e?(\d{1,4}(?:[._]\d{1,2})?)(b|m)(?![a-z0-9])")
_SMALL_FAMILIES = re.compile(r"(?i)\b(?:smol|tinyllama|phi-?[12](?!\d))")
# What a parameter takes in a file, in bytes: about 4.5 bits in GGUF, 2 bytes in a folder.
_BYTES_IN_GGUF, _BYTES_IN_FOLDER = 0.65, 2.0


def is_small(deployment: Deployment) -> bool:
    """Tell whether the model is known to be a small one."""
    size = billions_of(deployment)
    return size is not None and size < SMALL_BELOW_BILLIONS


def is_tiny(deployment: Deployment) -> bool:
    """Tell whether the model is known to have only a few hundred million parameters."""
    size = billions_of(deployment)
    return size is not None and size < TINY_BELOW_BILLIONS


def billions_of(deployment: Deployment) -> float | None:
    """Return the parameters of the model in billions; None where neither name nor file tells."""
    names = (str(deployment.params.get("file") or ""), deployment.model)
    for name in names:
        found = _SIZE.findall(re.sub(r"[_/\\: ]", "-", name))
        if found:
            experts, number, unit = found[0]
            size = float(number.replace("_", ".")) * int(experts or 1)
            return size if unit in "bB" else size / 1000
    by_file = _by_file(deployment) if modes.of(deployment.backend).in_folders else None
    if by_file is None and any(map(_SMALL_FAMILIES.search, names)):
        return 1.0
    return by_file


def _by_file(deployment: Deployment) -> float | None:
    path = Path(deployment.model).expanduser()
    try:
        if path.is_file():
            return path.stat().st_size / _BYTES_IN_GGUF / 1e9
        weights = [file.stat().st_size for file in path.glob("*.safetensors")] if path.is_dir() else []
    except OSError:
        return None
    return sum(weights) / _BYTES_IN_FOLDER / 1e9 if weights else None

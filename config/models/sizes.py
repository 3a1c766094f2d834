"""Sizes of local models to choose from, for the first set-up."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from ..model_source import DEFAULT_REPOSITORY

_GB = 1e9


@dataclass(frozen=True, slots=True)
class Size:
    """A model in 4 bits by the `name` of its size: what it downloads, and the memory that it needs to write.

    `cpu_tokens_per_s` was measured on a CPU (benchmarks/RESULTS.md) with the model's shape; None where nobody
    has measured it. No size has been measured on a GPU yet.
    """

    name: str
    repository: str
    download_gb: float
    needs_gb: float
    cpu_tokens_per_s: float | None = None


# Weights as 4-bit files have them: the embeddings, and the large model's output head, in 16 bits.
SIZES = (
    Size("tiny", "unsloth/Qwen3-0.6B-bnb-4bit", 0.5, 1.5, 21),
    Size("small", "unsloth/Qwen3-1.7B-bnb-4bit", 1.4, 2.5),
    Size("standard", DEFAULT_REPOSITORY, 2.7, 4.0, 2),
    Size("large", "unsloth/Qwen3-8B-bnb-4bit", 6.2, 7.5),
)


def as_rows() -> list[dict[str, Any]]:
    """The sizes as JSON, the smallest first."""
    return [asdict(size) for size in SIZES]


def suggested(free_gb: float | None, *, on_gpu: bool = True) -> Size:
    """The size that fits into `free_gb` of memory, at most the standard one; `None` is unknown.

    The large one is for those who want it, since the rest of the memory serves the images. Without a GPU it
    is the tiny one: a CPU takes a minute for an answer of the standard one.
    """
    standard = next(size for size in SIZES if size.repository == DEFAULT_REPOSITORY)
    if free_gb is None:
        return standard
    if not on_gpu:
        return SIZES[0]
    fitting = [size for size in SIZES if size.needs_gb <= free_gb and size.needs_gb <= standard.needs_gb]
    return fitting[-1] if fitting else SIZES[0]


def free_memory() -> tuple[float | None, bool]:
    """The free memory of this machine in gigabytes, and whether it is a GPU's; None where this Python cannot
    know it, since it has no torch."""
    try:
        import torch

        if torch.cuda.is_available():
            return torch.cuda.mem_get_info()[0] / _GB, True
    except (ImportError, OSError, RuntimeError):
        return None, False
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GB, False
    except (AttributeError, ValueError, OSError):
        return None, False

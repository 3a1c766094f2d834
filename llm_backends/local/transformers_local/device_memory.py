"""Device memory where no host manages it: in scripts, on the command line, in tests."""

from __future__ import annotations

import gc
from typing import Any

from ...host import ManagedModel, MemoryManager, host_memory


class OwnMemory:
    """A memory manager that takes the first GPU, else the CPU, and never evicts a model."""

    def admit(self, model: ManagedModel, bytes_needed: int) -> None:
        model.load(best_device())

    def release(self, model: ManagedModel) -> None:
        model.detach()


def best_device() -> Any:
    """The first CUDA (or ROCm) device, else the CPU."""
    import torch

    return (
        torch.device("cuda", torch.cuda.current_device())
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


def give_back() -> None:
    """Free unreferenced memory, on the card too, for other programs."""
    import torch

    # A model refers to itself in places.
    gc.collect()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


_own = OwnMemory()


def memory_of(host: object) -> MemoryManager:
    """The memory manager of `host`, else of the surrounding program, else a plain one."""
    return getattr(host, "memory", None) or host_memory() or _own

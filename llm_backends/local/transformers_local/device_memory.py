"""Where a model goes when no host rules over the memory: scripts, the command line, tests."""

from __future__ import annotations

import gc
from typing import Any

from ...host import Guest, GuestMemory, host_memory


class OwnMemory:
    """Takes the first GPU where there is one, else the CPU, and never evicts anybody."""

    def admit(self, guest: Guest, bytes_needed: int) -> None:
        guest.load(best_device())

    def release(self, guest: Guest) -> None:
        guest.detach()


def best_device() -> Any:
    """The first CUDA (or ROCm) device, else the CPU."""
    import torch

    return (
        torch.device("cuda", torch.cuda.current_device())
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


def give_back() -> None:
    """Have what nothing refers to any more leave main memory and the card, for whoever needs it now."""
    import torch

    # A model refers to itself in places.
    gc.collect()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


_own = OwnMemory()


def memory_of(host: object) -> GuestMemory:
    """The memory manager of `host`, else of the program that we are in, else a plain one."""
    return getattr(host, "memory", None) or host_memory() or _own

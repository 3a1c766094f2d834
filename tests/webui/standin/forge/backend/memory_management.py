"""Forge's memory manager, as far as an extension calls it; calls are logged."""

from __future__ import annotations

from typing import Any

FREE_BYTES = 8 * 2**30


def unload_all_models() -> None:
    print("[memory_management] unload_all_models", flush=True)


def free_memory(memory_required: float, device: Any, keep_loaded: Any = (), free_all: bool = False) -> None:
    print(f"[memory_management] free_memory {memory_required:.0f}", flush=True)


def minimum_inference_memory() -> int:
    return 2**30


def soft_empty_cache(force: bool = False) -> None:
    pass


def get_torch_device() -> str:
    return "cpu"


def get_free_memory(dev: Any = None, torch_free_too: bool = False) -> Any:
    return (FREE_BYTES, FREE_BYTES) if torch_free_too else FREE_BYTES


def get_total_memory(dev: Any = None, torch_total_too: bool = False) -> Any:
    return (2 * FREE_BYTES, FREE_BYTES) if torch_total_too else 2 * FREE_BYTES

"""A CUDA graph of the card: the operations that it recorded, run again on the memory that they ran on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch.utils._pytree import tree_leaves

from .device import Card, OnCard, card


class Graph:
    """A substitute for ``torch.cuda.CUDAGraph``. `replays` counts over all graphs since it was set to 0."""

    replays = 0
    captures = 0

    def __init__(self) -> None:
        self._calls: list[tuple[Any, Any, Any, Any]] | None = []

    def add(self, func: Any, args: Any, kwargs: Any, output: Any) -> None:
        assert self._calls is not None
        self._calls.append((func, args, kwargs, output))

    def replay(self) -> None:
        if self._calls is None:
            raise RuntimeError("a graph that was reset is replayed")
        Graph.replays += 1
        for func, args, kwargs, output in self._calls:
            again = func(*args, **kwargs)
            for old, new in zip(tree_leaves(output), tree_leaves(again), strict=True):
                if isinstance(old, OnCard) and old.inner.data_ptr() != new.data_ptr():
                    old.inner.copy_(new)

    def reset(self) -> None:
        self._calls = None


@contextlib.contextmanager
def recording(graph: Graph) -> Iterator[None]:
    """A substitute for ``torch.cuda.graph``."""
    Graph.captures += 1
    card().recording = graph
    try:
        yield
    finally:
        card().recording = None


class Stream:
    """A substitute for ``torch.cuda.Stream``: all is done in the order in which it is asked for."""

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        pass

    def wait_stream(self, other: Any) -> None:
        pass


class Event:
    """A substitute for ``torch.cuda.Event``; `synchronized` counts over all of them."""

    synchronized = 0

    def record(self, stream: Any = None) -> None:
        pass

    def synchronize(self) -> None:
        Event.synchronized += 1


def on_stream(stream: Stream) -> Any:
    """A substitute for ``torch.cuda.stream``."""
    return contextlib.nullcontext()


def current_stream(device: Any = None) -> Stream:
    """A substitute for ``torch.cuda.current_stream``."""
    return Stream()


def replacements(there: Card) -> dict[str, Any]:
    """The replacements in ``torch.cuda`` while `there` is in the machine."""
    memory = there.memory

    def statistics(device: Any = None) -> dict[str, int]:
        return {"active_bytes.all.current": memory.taken, "reserved_bytes.all.current": memory.taken}

    return {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_capability": lambda device=None: (9, 0),
        "get_device_properties": lambda device=None: there.properties,
        "mem_get_info": lambda device=None: (memory.capacity - memory.taken, memory.capacity),
        "memory_allocated": lambda device=None: memory.taken,
        "memory_reserved": lambda device=None: memory.taken,
        "memory_stats": statistics,
        "empty_cache": lambda: None,
        "ipc_collect": lambda: None,
        "synchronize": lambda device=None: None,
        "get_rng_state_all": lambda: [],
        "set_rng_state_all": lambda states: None,
        "CUDAGraph": Graph,
        "graph": recording,
        "Stream": Stream,
        "Event": Event,
        "stream": on_stream,
        "current_stream": current_stream,
    }

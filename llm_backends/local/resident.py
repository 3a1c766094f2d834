"""The resident model: the part that backends holding a model's weights in this process share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeVar

from ..host import ManagedModel, MemoryManager

G = TypeVar("G", bound=ManagedModel)


class Evicted(Exception):
    """The host evicted the model from memory while it was writing."""


class Resident(Generic[G]):
    """One model in memory at a time, managed by the host where it has a memory manager.

    Everything but `unload` belongs under `_lock`: a web UI's routes and its generation may want the model in
    two threads.
    """

    runs_in_place: Literal[True] = True

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._model: G | None = None
        self._memory: MemoryManager | None = None
        self._key: tuple[Any, ...] = ()

    def unload(self) -> list[str]:
        """Free weights, caches and graphs; return the name of the model that was in memory."""
        with self._lock:
            model, self._model, self._key = self._model, None, ()
            if model is None:
                return []
            was_loaded = model.loaded_on is not None
            _dismiss(model, self._memory)
            return [model.name] if was_loaded else []

    def _take_in(self, key: tuple[Any, ...], make: Callable[[], G], memory: MemoryManager | None) -> G:
        """Return the model of `key`; for another key, unload the former model and `make` a new one."""
        key = (*key, id(memory))
        if self._model is None or self._key != key:
            self.unload()
            self._model, self._memory, self._key = make(), memory, key
        return self._model

    @contextmanager
    def _in_use(self, model: G) -> Iterator[None]:
        """Release `model` after its use if a hook of the host's unloaded it meanwhile.
        It came back for the rest of the answer."""
        memory = self._memory
        try:
            yield
        finally:
            if self._model is not model:
                _dismiss(model, memory)


def _dismiss(model: ManagedModel, memory: MemoryManager | None) -> None:
    if memory is not None:
        memory.release(model)
    model.detach()

"""The interrupt, and as much of a machine without a GPU as a pack can ask about."""

from __future__ import annotations

import threading
from typing import Any


class InterruptProcessingException(BaseException):
    """Not an Exception: `except Exception` does not stop it."""


_lock = threading.RLock()
_interrupted = False


def interrupt_current_processing(value: bool = True) -> None:
    global _interrupted
    with _lock:
        _interrupted = value


def processing_interrupted() -> bool:
    with _lock:
        return _interrupted


def throw_exception_if_processing_interrupted() -> None:
    """Raise the interrupt, once: raising clears it."""
    global _interrupted
    with _lock:
        if _interrupted:
            _interrupted = False
            raise InterruptProcessingException()


def unload_all_models() -> None:
    UNLOADED.append(True)


def soft_empty_cache(force: bool = False) -> None:
    pass


def loaded_models(only_currently_used: bool = False) -> list[Any]:
    return []


# How often the models were unloaded.
UNLOADED: list[bool] = []

"""The port to the host: the program that this pack runs in.

A host (ComfyUI, a web UI) hands in its own; without one, the null host below serves scripts and tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

_program = "ComfyUI or the web UI"
_has_nodes = True
_ON_A_NODE = "on LLM Settings"
_SENTENCE = re.compile(r"(?<=[.!?]) +")
_ALTERNATIVE = re.compile(r", (?:or |and )?")


def use_program(name: str) -> None:
    """Set the name by which people know the program that this runs in."""
    global _program
    _program = name


def program() -> str:
    """The name of the program that this runs in; both hosts' names where it is unknown."""
    return _program


def use_nodes(there: bool) -> None:
    """Set whether people work with nodes in the program that this runs in."""
    global _has_nodes
    _has_nodes = there


def feasible(advice: str) -> str:
    """Return `advice` without what can be done on the node LLM Settings alone, where there are no nodes."""
    if _has_nodes or _ON_A_NODE not in advice:
        return advice
    return " ".join(filter(None, map(_off_the_nodes, _SENTENCE.split(advice))))


def _off_the_nodes(sentence: str) -> str:
    if _ON_A_NODE not in sentence or sentence.startswith("In ComfyUI,"):
        return sentence
    left = ", or ".join(part for part in _ALTERNATIVE.split(sentence) if _ON_A_NODE not in part)
    return f"{left[:1].upper()}{left[1:].rstrip('.')}." if left else ""


class Host(Protocol):
    """The services that a call needs of its host. Every method is cheap; all but `cancelled` belong to the
    thread that runs the host's work (a progress hook may raise the host's own interrupt there)."""

    def cancelled(self) -> bool:
        """Tell whether the user has pressed stop. Never raises and never resets the answer. Any thread."""
        ...

    def tick(self) -> None:
        """Show the text and the progress as they stand, if it is time to: one more piece is done."""
        ...


class NullHost:
    """A host without a screen, a queue or an interrupt."""

    def cancelled(self) -> bool:
        return False

    def tick(self) -> None:
        pass


class ManagedModel(Protocol):
    """A model of this pack in memory that the host manages. All of it belongs to the host's execution thread.

    `size` is the weights' bytes on the device, an estimate until they have been loaded once. `loaded_on`
    is the torch device that they lie on, None while they are out.
    """

    name: str
    size: int
    loaded_on: Any

    def load(self, device: Any, dtype: str = "") -> None:
        """Bring the weights onto `device`, where the host computes in `dtype` (bf16, fp16, fp32; empty where
        it has no rule for that); nothing happens where they are there. Raises `errors.LLMError`."""
        ...

    def detach(self) -> None:
        """Free weights, caches and graphs at once, even in the middle of an answer: the answer goes on after
        the next `load`. Safe to call twice."""
        ...


class MemoryManager(Protocol):
    """The host's memory manager, as the models in this process see it. A `Host` with one has it as its
    ``memory``."""

    def admit(self, model: ManagedModel, bytes_needed: int) -> None:
        """Make room for ``model.size + bytes_needed`` and have the model loaded (`model.load`) on the device
        that the host chooses; `bytes_needed` is what the coming answers take beside the weights. The host
        may call ``model.detach()`` at any later time. Raises `errors.LLMError`, the model's own included."""
        ...

    def release(self, model: ManagedModel) -> None:
        """Detach the model and forget it for good. A model never admitted is no error."""
        ...


def _no_memory() -> None:
    return None


_find_memory: Callable[[], MemoryManager | None] = _no_memory


def use_memory(find: Callable[[], MemoryManager | None]) -> None:
    """Set the memory manager for local models called without a host of their own, as from another pack.
    `find` is called anew by each, so that registering it need not import anything heavy."""
    global _find_memory
    _find_memory = find


def host_memory() -> MemoryManager | None:
    """The memory manager of the surrounding program, None where it has none."""
    return _find_memory()

"""The port to the program that we are a guest of.

A host (ComfyUI, a web UI) hands in its own; without one, the null host below serves scripts and tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

_program = "ComfyUI or the web UI"


def use_program(name: str) -> None:
    """Let the door say what people call the program that it leads into."""
    global _program
    _program = name


def program() -> str:
    """The name of the program that this runs in; both names where it is not known which."""
    return _program


class Host(Protocol):
    """What a call needs of its host. Every method is cheap; all but `cancelled` belong to the thread
    that runs the host's work (a progress hook may raise the host's own interrupt there)."""

    def cancelled(self) -> bool:
        """Has the user pressed stop? Never raises and never resets the answer. Any thread."""
        ...

    def tick(self) -> None:
        """A piece more is done: show the text and the progress as they stand, if it is time to."""
        ...


class NullHost:
    """Nobody watches and nobody interrupts."""

    def cancelled(self) -> bool:
        return False

    def tick(self) -> None:
        pass


class Guest(Protocol):
    """A model of ours in memory that the host rules over. All of it belongs to the host's execution thread.

    `size` is the weights' bytes on the device, an estimate until they have been loaded once. `loaded_on`
    is the torch device that they lie on, None while they are out.
    """

    name: str
    size: int
    loaded_on: Any

    def load(self, device: Any, dtype: str = "") -> None:
        """Bring the weights onto `device`, where the host computes in `dtype` (bf16, fp16, fp32; empty where
        it has no rule for that); nothing to do where they are there. Raises `errors.LLMError`."""
        ...

    def detach(self) -> None:
        """Let go of weights, caches and graphs at once, even in the middle of an answer: the answer goes
        on after the next `load`. Safe to call twice."""
        ...


class GuestMemory(Protocol):
    """A host's memory manager, seen by a guest. A host with one of its own has it as its ``memory``."""

    def admit(self, guest: Guest, bytes_needed: int) -> None:
        """Make room for ``guest.size + bytes_needed`` and have the guest loaded (`guest.load`) on the device
        that the host chooses; `bytes_needed` is what the coming answers take beside the weights. The host
        may call ``guest.detach()`` at any later time. Raises `errors.LLMError`, the guest's own included."""
        ...

    def release(self, guest: Guest) -> None:
        """The guest is to go for good: detach it and forget it. A guest never admitted is no error."""
        ...


def _no_memory() -> None:
    return None


_find_memory: Callable[[], GuestMemory | None] = _no_memory


def use_memory(find: Callable[[], GuestMemory | None]) -> None:
    """Have local models ask this manager where a call comes without a host of its own, as from another pack.
    `find` is called anew by each of them, so that its door need not import anything heavy."""
    global _find_memory
    _find_memory = find


def host_memory() -> GuestMemory | None:
    """The memory manager of the program that we are in, None where it has none."""
    return _find_memory()

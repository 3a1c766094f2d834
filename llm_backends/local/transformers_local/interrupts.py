"""Interrupts in the middle of a forward pass: a long prefill is one call into torch."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...errors import Cancelled
from ...host import Host
from ..resident import Evicted

# A host's progress hook need not hear of every layer.
_TICK_EVERY_S = 0.02
# Enough to keep a card busy.
_LAYERS_AHEAD = 3


class InterruptWatch:
    """A check of `host` for a stop. `still_here` says whether the model is still in memory."""

    def __init__(self, host: Host, still_here: Callable[[], bool]) -> None:
        self._host, self._still_here = host, still_here
        self._ticked = time.monotonic()

    def check(self) -> None:
        """Raise `Cancelled`, `Evicted`, or whatever the host's own hook raises, if the answer is to stop."""
        if self._host.cancelled():
            raise Cancelled
        now = time.monotonic()
        if now - self._ticked >= _TICK_EVERY_S:
            self._ticked = now
            self._host.tick()
        if not self._still_here():
            raise Evicted

    def token(self) -> None:
        """Check after a step, each of which is reported to the host."""
        self._ticked = time.monotonic()
        self._host.tick()
        if self._host.cancelled():
            raise Cancelled
        if not self._still_here():
            raise Evicted


class Pace:
    """A pace for the processor, which must not queue a whole prefill on a card at once: no stop would be
    heard while the card works through it."""

    def __init__(self) -> None:
        self._asked: deque[Any] = deque()

    def before_layer(self, module: Any, arguments: Any) -> None:
        """Wait, as a hook of each layer, until the layer a few before it is done."""
        import torch

        event = torch.cuda.Event()
        event.record()
        self._asked.append(event)
        if len(self._asked) > _LAYERS_AHEAD:
            self._asked.popleft().synchronize()


@contextlib.contextmanager
def checked_inside(
    model: Any, depths: Sequence[int], check: Callable[[], None], *, on_card: bool = False
) -> Iterator[None]:
    """Call `check` before each part of each of the model's layers while this is open: of one stack for each
    of the `depths`. `on_card`: see `Pace`."""
    from torch.nn import ModuleList

    def before(module: Any, arguments: Any) -> None:
        check()

    pace = Pace()
    hooks: list[Any] = []
    wanted = list(depths)
    try:
        for module in model.modules():
            if isinstance(module, ModuleList) and len(module) in wanted:
                wanted.remove(len(module))
                if on_card:
                    hooks += [layer.register_forward_pre_hook(pace.before_layer) for layer in module]
                for part in module.modules():
                    if next(part.children(), None) is None:
                        hooks.append(part.register_forward_pre_hook(before))
        yield
    finally:
        for hook in hooks:
            hook.remove()

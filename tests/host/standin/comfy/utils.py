"""The progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PROGRESS_BAR_HOOK: Callable[..., None] | None = None
LEAST_SECONDS = 0.1
LEAST_PERCENT = 0.5


def set_progress_bar_global_hook(function: Callable[..., None]) -> None:
    global PROGRESS_BAR_HOOK
    PROGRESS_BAR_HOOK = function


class ProgressBar:
    """A progress bar that calls the host's hook, which may raise the interrupt.
    Steps that follow too closely are left out."""

    def __init__(self, total: float, node_id: str | None = None) -> None:
        self.total = total
        self.current: float = 0
        self.hook = PROGRESS_BAR_HOOK
        self.node_id = node_id
        self._sent: tuple[float, float] | None = None

    def update_absolute(self, value: float, total: float | None = None, preview: Any = None) -> None:
        if total is not None:
            self.total = total
        self.current = min(value, self.total)
        if self.hook is None or not self._worth_sending(preview):
            return
        self.hook(self.current, self.total, preview, node_id=self.node_id)
        self._sent = (time.perf_counter(), self.current)

    def update(self, value: float) -> None:
        self.update_absolute(self.current + value)

    def _worth_sending(self, preview: Any) -> bool:
        if preview is not None or self._sent is None or self.current >= self.total:
            return True
        when, value = self._sent
        moved = 100 * (self.current - value) / self.total if self.total > 0 else 100
        return time.perf_counter() - when >= LEAST_SECONDS and moved >= LEAST_PERCENT

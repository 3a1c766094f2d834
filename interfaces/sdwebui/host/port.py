"""Web UI's side of the host port: stop and skip, the text under the progress bar, memory, waiting."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ....config.choice import Choice
from ....config.opening import open_model
from ....llm_backends.model import Model
from ....llm_backends.runner import run_in_place, runner
from ....llm_backends.streaming.live import LiveText
from .lookup import shared

if TYPE_CHECKING:
    from .memory import HostMemory

T = TypeVar("T")

_TEXT_EVERY_S = 0.1
_SHOWN = 120
_EMBEDDING_FILES = (".pt", ".safetensors", ".bin")


class WebUiHost:
    """Port to the host for one piece of work, in the thread that does the work.

    `caller` is its name in the ledger. See `llm_backends.host.Host` and `writing.Desk`.
    """

    def __init__(self, caller: str) -> None:
        self._caller = caller
        self._live = LiveText()
        self._state: Any = getattr(shared(), "state", None)
        self._version, self._last = -1, 0.0

    def cancelled(self) -> bool:
        """Tell whether Interrupt, Skip or stop after this image was pressed, for `llm_backends.host.Host`."""
        state = self._state
        return any(getattr(state, name, False) for name in ("interrupted", "skipped", "stopping_generation"))

    def skipped(self) -> bool:
        """Tell whether Skip ended the call, and reset that, for `writing.Desk`.

        The image that comes is not what was to be skipped.
        """
        if getattr(self._state, "interrupted", False) or not getattr(self._state, "skipped", False):
            return False
        self._state.skipped = False
        return True

    def tick(self) -> None:
        """Show the end of the text, as there is one line for it; see `llm_backends.host.Host`."""
        if self._live.version == self._version or time.monotonic() - self._last < _TEXT_EVERY_S:
            return
        self._version, self._last = self._live.version, time.monotonic()
        text = " ".join(self._live.text().split())
        self._show(f"Quillwork: {'…' if len(text) > _SHOWN else ''}{text[-_SHOWN:]}")

    def _show(self, text: str | None) -> None:
        if hasattr(self._state, "textinfo"):
            self._state.textinfo = text

    @property
    def memory(self) -> HostMemory:
        """Room for our local models on the device that the host generates on."""
        from .memory import memory

        return memory

    @cached_property
    def embeddings(self) -> Sequence[str]:
        """The host's textual inversions, the longest names first, as in `writing.Desk`."""
        options = getattr(shared(), "cmd_opts", None)
        folder = getattr(options, "embeddings_dir", None)
        if not folder:
            return ()
        try:
            files = [file for file in Path(folder).rglob("*") if file.suffix.lower() in _EMBEDDING_FILES]
        except OSError:
            return ()
        return sorted({file.stem for file in files}, key=lambda name: (-len(name), name))

    def open(self, choice: Choice) -> Model:
        """Open the model, as in `writing.Desk`."""
        return open_model(choice, self._live, self, caller=self._caller)

    def perform(self, coroutine: Coroutine[Any, Any, T], model: Model) -> T:
        """Compute a local model here and wait for any other, as in `writing.Desk`."""
        self._show("Quillwork: …")
        try:
            if not model.runs_in_place:
                return runner.run(coroutine, cancelled=self.cancelled, on_tick=self.tick)
            try:
                return run_in_place(coroutine)
            finally:
                self.memory.make_way()
        finally:
            self._show(None)

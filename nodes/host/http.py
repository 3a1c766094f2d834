"""ComfyUI as the routes see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from comfy.cli_args import args

from ...interfaces.http.adapters.aiohttp import Adapter
from ...interfaces.http.key_watch import KeyWatch
from ...llm_backends import registry
from ...llm_backends.host import Host
from ...prompting.jobs.file_job import results_folder

if TYPE_CHECKING:
    from .queue import Turns

T = TypeVar("T")


def make_adapter(server: Any) -> Adapter:
    """Build the adapter that serves the routes on `server`, ComfyUI's ``PromptServer``."""
    return Adapter(lambda: ComfyHttpHost(server))


class ComfyHttpHost:
    """Implementation of `interfaces.http.messages.HttpHost` for ComfyUI."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._watch = KeyWatch(lambda: set(server.sockets), self._jobs)
        self._turns: Turns | None = None
        self.listens = tuple(part.strip() for part in str(args.listen).split(",") if part.strip())

    def unload_local(self) -> bool:
        """Have the host unload at the end of the running prompt, as its own Unload button does."""
        there = any(getattr(backend, "runs_in_place", False) for backend in registry.made())
        if there:
            self._server.prompt_queue.set_flag("unload_models", True)
        return there

    def watch_keys(self) -> None:
        self._watch.start()

    def counter_for(self, encoders: tuple[str, ...], limit: int | None) -> Callable[[str], int | None] | None:
        from .tokenizers import counter_for

        return counter_for(encoders, limit)

    def picture_folder(self, name: str) -> Path:
        from .picture_folder import picture_folder

        return picture_folder(name)

    def results_folder(self) -> Path:
        import folder_paths

        return results_folder(Path(folder_paths.get_output_directory()))

    def others_wait(self) -> bool:
        _, pending = self._server.prompt_queue.get_current_queue_volatile()
        return bool(pending)

    async def run_in_turn(self, work: Callable[[Host], T]) -> T:
        if self._turns is None:
            from .queue import Turns  # imports the host's execution side, which most routes do without

            self._turns = Turns(self._server)
        return await self._turns.take(work)

    def _jobs(self) -> set[str]:
        running, pending = self._server.prompt_queue.get_current_queue_volatile()
        return {item[1] for item in (*running, *pending)}

"""`from comfy_api.latest import ComfyAPI, ComfyExtension, io, ui`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context

from . import io, ui

IO, UI = io, ui
__all__ = ["IO", "UI", "ComfyAPI", "ComfyExtension", "io", "ui"]


class _Execution:
    async def set_progress(
        self,
        value: float,
        max_value: float,
        node_id: str | None = None,
        preview_image: Any = None,
        ignore_size_limit: bool = False,
    ) -> None:
        if node_id is None:
            running = get_executing_context()
            if running is None:
                raise ValueError("node_id must be provided if not in executing context")
            node_id = running.node_id
        get_progress_state().update(node_id, value, max_value)


class ComfyAPI:
    VERSION = "latest"
    STABLE = False

    def __init__(self) -> None:
        self.execution = _Execution()


class ComfyExtension(ABC):
    async def on_load(self) -> None:  # noqa: B027
        """Run once, before the nodes are asked for."""

    @abstractmethod
    async def get_node_list(self) -> list[type[io.ComfyNode]]: ...

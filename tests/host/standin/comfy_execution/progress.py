"""The progress of each node of the running prompt; the browser gets the whole state at every change."""

from __future__ import annotations

from typing import Any


class ProgressState:
    def __init__(self, prompt_id: str = "", server: Any = None) -> None:
        self._prompt_id = prompt_id
        self._server = server
        self._nodes: dict[str, dict[str, Any]] = {}

    def start(self, node_id: str) -> None:
        self._set(node_id, "running", 0.0, 1.0)

    def update(self, node_id: str, value: float, most: float) -> None:
        self._set(node_id, "running", value, most)

    def finish(self, node_id: str) -> None:
        most = self._nodes.get(node_id, {}).get("max", 1)
        self._set(node_id, "finished", most, most)

    def _set(self, node_id: str, state: str, value: float, most: float) -> None:
        self._nodes[node_id] = {
            "value": value,
            "max": most,
            "state": state,
            "node_id": node_id,
            "prompt_id": self._prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }
        if self._server is not None:
            nodes = {name: dict(entry) for name, entry in self._nodes.items()}
            data = {"prompt_id": self._prompt_id, "nodes": nodes}
            self._server.send_sync("progress_state", data, self._server.client_id)


_state = ProgressState()


def get_progress_state() -> ProgressState:
    return _state


def reset_progress_state(prompt_id: str, server: Any) -> None:
    global _state
    _state = ProgressState(prompt_id, server)

"""The running node, for code that is called from it."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import NamedTuple


class ExecutionContext(NamedTuple):
    prompt_id: str
    node_id: str
    list_index: int | None


_running: ContextVar[ExecutionContext | None] = ContextVar("running", default=None)


def get_executing_context() -> ExecutionContext | None:
    return _running.get()


class CurrentNodeContext:
    def __init__(self, prompt_id: str, node_id: str, list_index: int | None = None) -> None:
        self._context = ExecutionContext(prompt_id, node_id, list_index)
        self._token: Token[ExecutionContext | None] | None = None

    def __enter__(self) -> None:
        self._token = _running.set(self._context)

    def __exit__(self, *exc: object) -> None:
        if self._token is not None:
            _running.reset(self._token)

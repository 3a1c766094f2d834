"""Questions to a local model from a test, and hosts that behave as a test wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from quillwork.llm_backends.errors import LLMError
from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Message, Request, Result

from .train import ECHO, ENHANCE, VALUES

LIST_SCHEMA = {
    "type": "object",
    "properties": {"values": {"type": "array", "items": {"type": "string"}}},
    "required": ["values"],
    "additionalProperties": False,
}


class WatchingHost:
    """A host that counts its ticks; `on_tick` is called with their number, and `cancelled` returns `stop`."""

    def __init__(self, on_tick: Callable[[int], None] | None = None, memory: Any = None) -> None:
        self.ticks = 0
        self.stop = False
        self.memory = memory
        self._on_tick = on_tick

    def cancelled(self) -> bool:
        return self.stop

    def tick(self) -> None:
        self.ticks += 1
        if self._on_tick is not None:
            self._on_tick(self.ticks)


class ListTask:
    """A caller's task as the backend reads it."""

    def __init__(self, count: int, existing: Sequence[str] = ()) -> None:
        self.count, self.existing = count, tuple(existing)


def enhance(text: str, **changes: Any) -> Request:
    return Request((Message("system", ENHANCE), Message("user", text)), **{"temperature": 0, **changes})


def echo(text: str, **changes: Any) -> Request:
    return Request((Message("system", ECHO), Message("user", text)), **{"temperature": 0, **changes})


def values(text: str, count: int, existing: Sequence[str] = (), **changes: Any) -> Request:
    return Request(
        (Message("system", VALUES), Message("user", text)),
        **{"temperature": 0, "schema": LIST_SCHEMA, "task": ListTask(count, existing), **changes},
    )


def deployment(folder: Path | str, dtype: str = "fp32", **params: Any) -> Deployment:
    return Deployment(
        "hf_local",
        str(folder),
        mode="hf_local",
        provider_label="Local model",
        params={"dtype": dtype, **params},
        is_local=True,
    )


def outcomes(
    backend: TransformersLocal,
    folder: Path | str,
    *requests: Request,
    dtype: str = "fp32",
    host: Any = None,
    live: LiveText | None = None,
    **params: Any,
) -> list[Result | LLMError]:
    live = live or LiveText()
    return backend.answer_all(
        requests,
        deployment(folder, dtype, **params),
        live.start(len(requests)),
        host or WatchingHost(),
    )


def texts(backend: TransformersLocal, folder: Path | str, *requests: Request, **options: Any) -> list[str]:
    answers = outcomes(backend, folder, *requests, **options)
    for answer in answers:
        assert isinstance(answer, Result), repr(answer)
    return [answer.text for answer in answers if isinstance(answer, Result)]

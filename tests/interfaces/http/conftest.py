"""Requests to the routes without any server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from quillwork.interfaces.http.app import App
from quillwork.interfaces.http.messages import Answer, EventStream, HttpRequest
from quillwork.prompting.jobs.captions import whole_path

LOCAL = {"host": "127.0.0.1:8188", "x-quillwork": "1", "content-type": "application/json"}


@dataclass
class FakeHost:
    """Host that listens where a test says and has a local model when it says so."""

    listens: tuple[str, ...] = ("127.0.0.1",)
    has_local: bool = False
    unloaded: int = 0
    watched: int = 0
    is_interrupted: bool = False
    counter: Any = None
    turns: list[threading.Thread] = field(default_factory=list)

    def unload_local(self) -> bool:
        self.unloaded += 1
        return self.has_local

    def watch_keys(self) -> None:
        self.watched += 1

    def counter_for(self, encoders: Any, limit: Any) -> Any:
        return self.counter

    def picture_folder(self, name: str) -> Path:
        return whole_path(Path("/nowhere"), name)

    def results_folder(self) -> Path:
        return Path("/nowhere")

    def others_wait(self) -> bool:
        return False

    async def run_in_turn(self, work: Any) -> Any:
        def turn() -> Any:
            self.turns.append(threading.current_thread())
            return work(self)

        return await asyncio.to_thread(turn)

    def cancelled(self) -> bool:
        return self.is_interrupted

    def tick(self) -> None:
        pass


@dataclass
class Reply:
    status: int
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def error(self) -> dict[str, str]:
        assert self.status >= 400, self.content
        return self.content["error"]


class Caller:
    """Client: `caller("POST", "config", {...})` is the answer; `headers` add to a local browser's."""

    def __init__(self) -> None:
        self.host = FakeHost()
        self.app = App(self.host)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        peer: str = "127.0.0.1",
        local: str = "127.0.0.1",
        query: Mapping[str, str] | None = None,
    ) -> Reply:
        return asyncio.run(self._call(method, path, body, raw, headers or {}, peer, local, query or {}))

    async def _call(self, method, path, body, raw, headers, peer, local, query) -> Reply:
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()

        async def read(most: int) -> bytes:
            return data

        all_headers = {**LOCAL, "content-length": str(len(data)), **headers}
        request = HttpRequest(
            method,
            path,
            {name: value for name, value in all_headers.items() if value is not None},
            query,
            peer,
            local,
            read,
        )
        reply = await self.app.handle(request)
        if isinstance(reply, EventStream):
            text = b"".join([piece async for piece in reply.events]).decode()
            return Reply(200, text)
        assert isinstance(reply, Answer)
        return Reply(reply.status, json.loads(reply.body()), reply.headers)


@pytest.fixture
def call(home) -> Caller:
    return Caller()

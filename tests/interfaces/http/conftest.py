"""Requests to the routes without any server."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from quillwork.config import local_models, providers
from quillwork.config import settings as settings_module
from quillwork.config.catalog import catalog
from quillwork.config.keys import session_keys
from quillwork.interfaces.http.app import App
from quillwork.interfaces.http.messages import Answer, EventStream, HttpRequest
from quillwork.prompting import phrasebook

_OURS = ("LLM_", "LITELLM_", "OLLAMA_", "QUILLWORK_", "LM_STUDIO_", "HOSTED_VLLM_", "AWS_", "AZURE_")
NOTHING_THERE = "http://127.0.0.1:9"
LOCAL = {"host": "127.0.0.1:8188", "x-quillwork": "1", "content-type": "application/json"}


@dataclass
class FakeHost:
    """A host that listens where a test says and has a local model when it says so."""

    listens: tuple[str, ...] = ("127.0.0.1",)
    has_local: bool = False
    unloaded: int = 0
    watched: int = 0

    def unload_local(self) -> bool:
        self.unloaded += 1
        return self.has_local

    def watch_keys(self) -> None:
        self.watched += 1


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
    """`caller("POST", "config", {...})` is the answer; `headers` come on top of a local browser's."""

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
def home(tmp_path, monkeypatch):
    """Nothing set, no key, no local server."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("QUILLWORK_HOME", str(folder))
    for name in ("OLLAMA_API_BASE", "LM_STUDIO_API_BASE", "HOSTED_VLLM_API_BASE"):
        monkeypatch.setenv(name, NOTHING_THERE)
    # Nothing leaves this machine, whatever key a test or the fuzzer types in.
    table = {row.id: replace(row, default_base_url=NOTHING_THERE) for row in providers.all()}
    aliases = {alias: row for row in table.values() for alias in row.aliases}
    monkeypatch.setattr(providers, "_table", lambda: table)
    monkeypatch.setattr(providers, "_by_name", lambda: {**aliases, **table})
    monkeypatch.setattr(settings_module, "_overrides", {})
    monkeypatch.setattr(settings_module, "_warned", set())
    local_models.use_folders(lambda: ())
    phrasebook.register()
    session_keys.clear()
    catalog.forget()
    yield folder
    session_keys.clear()
    catalog.forget()


@pytest.fixture
def env(home, monkeypatch):
    def set_all(**variables: str) -> None:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)

    return set_all


@pytest.fixture
def call(home) -> Caller:
    return Caller()

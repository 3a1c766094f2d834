"""A loopback server that lists models as it is told, in any server's format, or hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from serving import in_thread, serving

HANG = object()


@dataclass
class ListServer:
    """`answers` maps a path to JSON, bytes, a status, or `HANG`; `asked` are the requests, newest last.

    With `key` set, a request that does not carry it in any of the usual headers gets a 401.
    """

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.path_qs, headers))
        answer = self.answers.get(request.path, 404)
        if answer is HANG:
            await asyncio.sleep(3600)
        given = {
            headers.get("x-api-key"),
            headers.get("x-goog-api-key"),
            headers.get("authorization", "")[7:],
        }
        if self.key and self.key not in given:
            answer = 401
        if isinstance(answer, int):
            return web.json_response({"error": {"message": "the list is not to be had"}}, status=answer)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        return web.Response(text=json.dumps(answer), content_type="application/json")

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[ListServer]:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self.handle)
        async with serving(app, 0) as (self.url,):
            yield self


def list_server() -> AbstractContextManager[ListServer]:
    return in_thread(ListServer().served(), "lists")

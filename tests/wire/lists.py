"""A loopback server that lists models as it is told, in anybody's format, or hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

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


@contextlib.contextmanager
def list_server() -> Iterator[ListServer]:
    server = ListServer()
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def live() -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", server.handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stop.wait()
        await runner.cleanup()

    def run() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(live())

    thread = threading.Thread(target=run, name="lists", daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)

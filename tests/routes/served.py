"""Routes on a real server, carried by one adapter or the other, and requests to it over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

STARTS_WITHIN_S = 20.0


@dataclass
class Heard:
    """Answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        assert self.status >= 400, self.body
        return self.json()["error"]["type"]


class Served:
    """Server at `port` of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    @contextlib.contextmanager
    def begin(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> Iterator[http.client.HTTPConnection]:
        """Send a request; `headers` (with _ for -) add to those of the host's page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {"X-Quillwork": "1", **{name.replace("_", "-"): text for name, text in headers.items()}}
        data = body
        if isinstance(body, (dict, list)):
            data = json.dumps(body).encode()
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, f"/quillwork/{path}", data, given)
            yield connection
        finally:
            connection.close()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Heard:
        with self.begin(method, path, body, **headers) as connection:
            answer = connection.getresponse()
            return Heard(answer.status, dict(answer.getheaders()), answer.read())


@contextlib.contextmanager
def on_aiohttp(make_host: Callable[[], Any]) -> Iterator[Served]:
    from aiohttp import web

    from quillwork.interfaces.http.adapters.aiohttp import PATH, Adapter

    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []

    async def start() -> web.AppRunner:
        app, adapter = web.Application(), Adapter(make_host)

        async def answer(request: web.Request) -> web.StreamResponse:
            return await adapter(request)

        app.router.add_route("*", PATH, answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(STARTS_WITHIN_S)
    try:
        yield Served(ports[0])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STARTS_WITHIN_S)


@contextlib.contextmanager
def on_starlette(make_host: Callable[[], Any], **more: Any) -> Iterator[Served]:
    """Serve behind what the hosts put in front: compression, and a middleware that sees every answer."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    from quillwork.interfaces.http.adapters.fastapi import Adapter, add_routes

    async def pass_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    around = [Middleware(GZipMiddleware, minimum_size=100), Middleware(BaseHTTPMiddleware, dispatch=pass_on)]
    app = Starlette(middleware=around)
    add_routes(app, Adapter(make_host, **more))
    with serving(app) as served:
        yield served


@contextlib.contextmanager
def serving(app: Any) -> Iterator[Served]:
    """Serve an ASGI app on uvicorn, as gradio runs its own."""
    import uvicorn

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not server.started:
            assert time.monotonic() < deadline, "uvicorn does not start"
            time.sleep(0.01)
        try:
            yield Served(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(STARTS_WITHIN_S)

"""A loopback server that takes reports of calls, as Langfuse and Helicone do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass
class Report:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class ReportServer:
    """Answers everything with `status`; with `hangs`, never."""

    def __init__(self) -> None:
        self.url = ""
        self.taken: list[Report] = []
        self.status = 207
        self.hangs = False

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.taken.append(Report(request.path, headers, await request.read()))
        if self.hangs:
            await asyncio.sleep(3600)
        return web.json_response(
            {"successes": [], "errors": []}, status=self.status, headers={"Location": f"{self.url}/elsewhere"}
        )

    @classmethod
    @contextlib.contextmanager
    def in_thread(cls) -> Iterator[ReportServer]:
        server = cls()
        loop, started = asyncio.new_event_loop(), threading.Event()
        stop = asyncio.Event()

        async def live() -> None:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", server._take)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            started.set()
            await stop.wait()
            await runner.cleanup()

        thread = threading.Thread(target=lambda: loop.run_until_complete(live()), daemon=True)
        thread.start()
        assert started.wait(15)
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(15)
            loop.close()

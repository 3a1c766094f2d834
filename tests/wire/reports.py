"""A loopback server that takes reports of calls, as Langfuse and Helicone do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from serving import in_thread, serving


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
    """A server that answers everything with `status`; with `hangs`, never."""

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

    @contextlib.asynccontextmanager
    async def _served(self) -> AsyncIterator[ReportServer]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        async with serving(app, 0) as (self.url,):
            yield self

    @classmethod
    def in_thread(cls) -> AbstractContextManager[ReportServer]:
        return in_thread(cls()._served(), "reports")

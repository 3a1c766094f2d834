"""Adapter for an aiohttp server such as ComfyUI's."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..disconnects import Client, Disconnects
from ..messages import Answer, EventStream, HttpError, HttpHost, HttpRequest
from ..threads import in_thread

if TYPE_CHECKING:
    from aiohttp import web

    from ..app import App

PATH = "/quillwork/{path:.*}"


class Adapter:
    """One handler for all routes.

    The routes, and what they need, are loaded by the first request, in a thread.
    """

    def __init__(self, make_host: Callable[[], HttpHost]) -> None:
        self._make_host = make_host
        self._app: App | None = None
        self._loading = asyncio.Lock()
        self._disconnects = Disconnects()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer as long as the client is there: a call may cost money."""
        client = Client(lambda: _is_gone(request), lambda: task.cancel())
        task = asyncio.ensure_future(self._reply(request, client))
        self._disconnects.watch(client)
        try:
            await asyncio.wait([task])
            return task.result()
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            response = _response(HttpError(503, "cancelled", "The call was stopped.").answer())
            # The host is ending: a connection that is kept alive would keep it from that.
            response.force_close()
            return response
        finally:
            self._disconnects.forget(client)

    async def _reply(self, request: web.Request, client: Client) -> web.StreamResponse:
        app = self._app or await self._load()
        reply = await app.handle(
            HttpRequest(
                method=request.method,
                path=request.match_info["path"],
                headers={name.lower(): value for name, value in request.headers.items()},
                query=dict(request.query),
                peer=_address(request, "peername"),
                local=_address(request, "sockname"),
                read=_reader(request),
            )
        )
        if isinstance(reply, EventStream):
            return await _send_events(request, reply, client)
        return _response(reply)

    async def _load(self) -> App:
        async with self._loading:
            if self._app is None:
                module = await in_thread(importlib.import_module, "..app", __package__)
                self._app = module.App(self._make_host())
            return self._app


def _response(answer: Answer) -> web.Response:
    from aiohttp import web

    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **answer.headers}
    return web.Response(
        body=answer.body(),
        status=answer.status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


def _address(request: web.Request, which: str) -> str:
    address = request.transport.get_extra_info(which) if request.transport is not None else None
    return str(address[0]) if isinstance(address, tuple) and address else ""


def _reader(request: web.Request) -> Callable[[int], Awaitable[bytes]]:
    async def read(most: int) -> bytes:
        too_large = HttpError(
            413, "too_large", f"The request body is larger than {most >> 20} MB.", "Send less at once."
        )
        if (request.content_length or 0) > most:
            raise too_large
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > most:
                raise too_large
        return bytes(body)

    return read


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _send_events(request: web.Request, stream: EventStream, client: Client) -> web.StreamResponse:
    from aiohttp import web

    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    now = asyncio.get_running_loop().time
    async with contextlib.aclosing(stream.events) as events:  # type: ignore[type-var]
        try:
            await response.prepare(request)
            async for piece in events:
                client.sending_since = now()
                await response.write(piece)
                client.sending_since = None
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            # Nobody reads it any more; closing the events ends the call. What is not sent yet never is.
            if request.transport is not None:
                request.transport.abort()
    return response

"""Carries the routes in an aiohttp server such as ComfyUI's."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .messages import Answer, EventStream, HttpError, HttpHost, HttpRequest
from .offload import in_thread

if TYPE_CHECKING:
    from aiohttp import web

    from .app import App

PATH = "/quillwork/{path:.*}"
_LOOK_EVERY_S = 0.25


class Adapter:
    """One handler for all routes. Those, and what they need, are loaded by the first request, in a thread."""

    def __init__(self, make_host: Callable[[], HttpHost]) -> None:
        self._make_host = make_host
        self._app: App | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        app = self._app or await self._load()
        asked = HttpRequest(
            method=request.method,
            path=request.match_info["path"],
            headers={name.lower(): value for name, value in request.headers.items()},
            query=dict(request.query),
            peer=_address(request, "peername"),
            local=_address(request, "sockname"),
            read=_reader(request),
        )
        reply = await _while_connected(request, app.handle(asked))
        if isinstance(reply, EventStream):
            return await _send_events(request, reply)
        return _response(reply)

    async def _load(self) -> App:
        async with self._loading:
            if self._app is None:
                module = await in_thread(importlib.import_module, ".app", __package__)
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
    told = request.transport.get_extra_info(which) if request.transport is not None else None
    return str(told[0]) if isinstance(told, tuple) and told else ""


def _reader(request: web.Request) -> Callable[[int], Awaitable[bytes]]:
    async def read(most: int) -> bytes:
        too_large = HttpError(
            413, "too_large", f"The body is larger than {most >> 20} MB.", "Send less at once."
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


async def _while_connected(request: web.Request, work: Any) -> Answer | EventStream:
    """What `work` comes to. It is cancelled when nobody waits for it any more: a call may cost."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=_LOOK_EVERY_S)
            if not task.done() and _is_gone(request):
                task.cancel()
        return task.result()
    except asyncio.CancelledError:
        task.cancel()
        return HttpError(503, "cancelled", "The call was stopped.").answer()


async def _send_events(request: web.Request, stream: EventStream) -> web.StreamResponse:
    from aiohttp import web

    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    async with contextlib.aclosing(stream.events) as events:  # type: ignore[type-var]
        try:
            await response.prepare(request)
            async for piece in events:
                if piece:
                    await response.write(piece)
                elif _is_gone(request):
                    break
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            pass  # nobody reads it any more; closing the events ends the call
    return response

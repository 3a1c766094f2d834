"""Adapter for a FastAPI or Starlette app such as a web UI's."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from ..disconnects import PATIENCE_S
from ..messages import Answer, EventStream, HttpError, HttpHost, HttpRequest
from ..threads import in_thread

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..app import App

PATH = "/quillwork/{path:path}"
_CANCELS_EVERY_S = 0.05
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_EVENT_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    # The hosts compress answers without an encoding, and would hold events back until there are enough.
    (b"content-encoding", b"identity"),
]


class Adapter:
    """ASGI endpoint for all routes.

    The routes, and what they need, are loaded by the first request, in a thread. `refuses` is the host's own
    login: where it returns an answer, that is given instead of ours.
    """

    def __init__(
        self,
        make_host: Callable[[], HttpHost],
        refuses: Callable[[Request], Answer | None] = lambda request: None,
    ) -> None:
        self._make_host = make_host
        self._refuses = refuses
        self._app: App | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer as long as the client is there: a call may cost money."""
        incoming = _Incoming(receive)
        gone = asyncio.ensure_future(incoming.until_gone())
        task = asyncio.ensure_future(self._reply(scope, incoming, send))
        try:
            await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
            while not task.done():
                # Repeatedly: before Python 3.12 `asyncio.wait_for` swallows a cancel now and then.
                task.cancel()
                await asyncio.wait([task], timeout=_CANCELS_EVERY_S)
            task.result()
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            task.cancel()  # nobody reads it any more, or the host is going down
        finally:
            gone.cancel()

    async def _reply(self, scope: Message, incoming: _Incoming, send: Send) -> None:
        from starlette.requests import Request

        try:
            reply = await self._handle(Request(scope), incoming)
        except asyncio.CancelledError:
            reply = HttpError(503, "cancelled", "The call was stopped.").answer()
        if isinstance(reply, EventStream):
            await _send_events(send, reply)
        else:
            await _response(reply)(scope, incoming.receive, send)

    async def _handle(self, request: Request, incoming: _Incoming) -> Answer | EventStream:
        refusal = await in_thread(self._refuses, request)
        if refusal is not None:
            return refusal
        app = self._app or await self._load()
        return await app.handle(
            HttpRequest(
                method=request.method,
                path=request.path_params["path"],
                headers=dict(request.headers.items()),
                query=dict(request.query_params),
                peer=_address(request.scope.get("client")),
                local=_address(request.scope.get("server")),
                read=incoming.reader(request.headers.get("content-length", "")),
            )
        )

    async def _load(self) -> App:
        async with self._loading:
            if self._app is None:
                module = await in_thread(importlib.import_module, "..app", __package__)
                self._app = module.App(self._make_host())
            return self._app


def add_routes(app: Any, adapter: Adapter) -> None:
    """Have `adapter` answer on `app`, before whatever else takes all paths there."""
    from starlette.routing import Route

    app.router.routes.insert(0, Route(PATH, adapter, include_in_schema=False))


class _Incoming:
    """Request body, read one piece ahead: only reading reveals that the client has gone away."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self._pieces: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)

    async def until_gone(self) -> None:
        """Return when the client has gone away."""
        while (message := await self.receive())["type"] != "http.disconnect":
            await self._pieces.put(message)

    def reader(self, announced: str) -> Callable[[int], Awaitable[bytes]]:
        async def read(most: int) -> bytes:
            too_large = HttpError(
                413, "too_large", f"The request body is larger than {most >> 20} MB.", "Send less at once."
            )
            if announced.isdigit() and int(announced) > most:
                raise too_large
            body = bytearray()
            more = True
            while more:
                piece = await self._pieces.get()
                body += piece.get("body", b"")
                more = piece.get("more_body", False)
                if len(body) > most:
                    raise too_large
            return bytes(body)

        return read


def _response(answer: Answer) -> Any:
    from starlette.responses import Response

    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **answer.headers,
    }
    return Response(answer.body(), answer.status, headers)


def _address(address: Any) -> str:
    return str(address[0]) if isinstance(address, (tuple, list)) and address else ""


async def _send_events(send: Send, stream: EventStream) -> None:
    async with contextlib.aclosing(stream.events) as events:  # type: ignore[type-var]
        await send({"type": "http.response.start", "status": 200, "headers": _EVENT_HEADERS})
        async for piece in events:
            message = {"type": "http.response.body", "body": piece, "more_body": True}
            await asyncio.wait_for(send(message), PATIENCE_S)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

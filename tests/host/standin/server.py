"""PromptServer: the websocket, and the attributes that nodes and packs find in `PromptServer.instance`."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web
from comfy.cli_args import args
from origin import middlewares
from prompt_queue import PromptQueue

TEXT = 3
FEATURES = {
    "supports_preview_metadata": True,
    "supports_model_type_tags": True,
    "max_upload_size": 100 * 1024 * 1024,
    "extension": {"manager": {"supports_v4": True}},
    "node_replacements": True,
    "assets": False,
}


class PromptServer:
    instance: PromptServer

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        PromptServer.instance = self
        self.loop = loop
        self.address, self.port = args.listen, args.port
        self.app = web.Application(client_max_size=100 * 1024 * 1024, middlewares=middlewares())
        self.routes = web.RouteTableDef()
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.sockets_metadata: dict[str, dict[str, Any]] = {}
        self.messages: asyncio.Queue[tuple[Any, Any, str | None]] = asyncio.Queue()
        self.prompt_queue = PromptQueue(self)
        self.client_id: str | None = None
        self.last_node_id: str | None = None
        self.last_prompt_id: str | None = None
        self.number = 0
        self.on_prompt_handlers: list[Callable[[dict[str, Any]], dict[str, Any]]] = []
        self.supports = ["custom_nodes_from_web"]
        self.routes.get("/ws")(self._websocket)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid = request.rel_url.query.get("clientId") or uuid.uuid4().hex
        self.sockets[sid] = socket
        self.sockets_metadata[sid] = {"feature_flags": {}}
        try:
            await self.send("status", {"status": self.get_queue_info(), "sid": sid}, sid)
            if self.client_id == sid and self.last_node_id is not None:
                await self.send("executing", {"node": self.last_node_id}, sid)
            first = True
            async for message in socket:
                if first and message.type is WSMsgType.TEXT:
                    said = json.loads(message.data)
                    if said.get("type") == "feature_flags":
                        self.sockets_metadata[sid]["feature_flags"] = said.get("data", {})
                        await self.send("feature_flags", FEATURES, sid)
                first = False
        finally:
            self.sockets.pop(sid, None)
            self.sockets_metadata.pop(sid, None)
        return socket

    def get_queue_info(self) -> dict[str, Any]:
        return {"exec_info": {"queue_remaining": self.prompt_queue.get_tasks_remaining()}}

    async def send(self, event: Any, data: Any, sid: str | None = None) -> None:
        """Send an event to one client, or to all."""
        to = (
            list(self.sockets.values()) if sid is None else [self.sockets[sid]] if sid in self.sockets else []
        )
        for socket in to:
            try:
                if isinstance(data, bytes | bytearray):
                    await socket.send_bytes(struct.pack(">I", event) + bytes(data))
                else:
                    await socket.send_json({"type": event, "data": data})
            except ConnectionError as error:
                logging.warning("send error: %s", error)

    def send_sync(self, event: Any, data: Any, sid: str | None = None) -> None:
        """Send an event from any thread, without waiting."""
        self.loop.call_soon_threadsafe(self.messages.put_nowait, (event, data, sid))

    def send_progress_text(self, text: str | bytes, node_id: str, sid: str | None = None) -> None:
        encoded = text.encode() if isinstance(text, str) else text
        node = str(node_id).encode()
        self.send_sync(TEXT, struct.pack(">I", len(node)) + node + encoded, sid)

    def queue_updated(self) -> None:
        self.send_sync("status", {"status": self.get_queue_info()})

    async def publish_loop(self) -> None:
        while True:
            await self.send(*await self.messages.get())

    def add_on_prompt_handler(self, handler: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.on_prompt_handlers.append(handler)

    def trigger_on_prompt(self, data: dict[str, Any]) -> dict[str, Any]:
        for handler in self.on_prompt_handlers:
            try:
                data = handler(data)
            except Exception:
                logging.warning("[ERROR] An error occurred during the on_prompt_handler processing")
                logging.warning(traceback.format_exc())
        return data

    def add_routes(self) -> None:
        """Open all routes that were asked for so far, each under `/api` too."""
        mirrored = web.RouteTableDef()
        for route in self.routes:
            if isinstance(route, web.RouteDef):
                mirrored.route(route.method, "/api" + route.path, **route.kwargs)(route.handler)
        self.app.add_routes(mirrored)
        self.app.add_routes(self.routes)

"""The routes of Ollama beside a chat: its lists, a model's capabilities, and unloading."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web


def chat(server: Any, fmt: Any) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read() or b"{}")
        # An empty request with keep_alive 0 is how Ollama is asked to let go of a model.
        if body.get("keep_alive") == 0 and not body.get("prompt") and not body.get("messages"):
            server.note(request, await request.read(), body, body.get("model", ""))
            server.unloaded.append(body.get("model", ""))
            return web.json_response({"model": body.get("model"), "done": True, "done_reason": "unload"})
        return await server.answer(fmt, request)

    return handle


def listings(server: Any) -> list[web.AbstractRouteDef]:
    async def tags(request: web.Request) -> web.Response:
        server.note(request)
        if server.models_status:
            return web.json_response({"error": "no list today"}, status=server.models_status)
        listed = [
            {"name": id_, "model": id_, "size": 4, "details": {"family": "fox"}} for id_ in server.models
        ]
        return web.json_response({"models": listed})

    async def show(request: web.Request) -> web.Response:
        body = await request.json()
        server.note(request, await request.read(), body, body.get("model", ""))
        info = {"general.architecture": "fox", "fox.context_length": 4096}
        return web.json_response(
            {"details": {"family": "fox"}, "model_info": info, "capabilities": ["completion", "tools"]}
        )

    async def version(request: web.Request) -> web.Response:
        server.note(request)
        return web.json_response({"version": "0.30.0"})

    return [
        web.get("/api/tags", tags),
        web.get("/api/ps", tags),
        web.post("/api/show", show),
        web.get("/api/version", version),
    ]

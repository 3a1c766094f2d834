"""Replicate: a prediction is made, then asked for until it is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from wire.answers import Answer, Asked, compose


class ReplicateFormat:
    name = "replicate"
    stream_type = "application/json"
    preamble = 0

    def read(self, request: web.Request, body: dict[str, Any]) -> Asked:
        given = body.get("input") or {}
        model = f"{request.match_info['owner']}/{request.match_info['name']}"
        return Asked(model=model, stream=False, body=body, last_text=str(given.get("prompt", "")))

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        raise NotImplementedError

    def frames(self, answer: Answer, asked: Asked) -> Iterator[bytes]:
        raise NotImplementedError

    def error(self, status: int, message: str, *, overflow: bool = False) -> dict[str, Any]:
        return {"title": "Error", "detail": message or "input is too long", "status": status}

    def stream_error(self, message: str) -> bytes:
        raise NotImplementedError


def create(server: Any, fmt: ReplicateFormat) -> Any:
    async def handle(request: web.Request) -> web.Response:
        asked, behaviour = await server.take(fmt, request)
        if error := server.error_for(fmt, asked, behaviour, request):
            return web.json_response(fmt.error(*error), status=error[0])
        answer = compose(asked, behaviour, server.scripted(asked))
        id_ = f"prediction{len(server.predictions) + 1}"
        # Every poll shows one piece more, so that a stream has more than one step.
        server.predictions[id_] = {"pieces": list(answer.pieces), "shown": 0, "hang": behaviour.hang}
        urls = {"get": f"{server.url}/v1/predictions/{id_}"}
        return web.json_response({"id": id_, "status": "starting", "output": None, "urls": urls}, status=201)

    return handle


def poll(server: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        server.note(request)
        state = server.predictions[request.match_info["id"]]
        pieces = state["pieces"]
        if not state["hang"]:
            state["shown"] = min(len(pieces), state["shown"] + max(1, len(pieces) // 2))
        done = state["shown"] == len(pieces) and not state["hang"]
        status = "succeeded" if done else "processing"
        return web.json_response({"status": status, "output": pieces[: state["shown"]]})

    return handle

"""Routes about prompts: take one, interrupt, queue, history, the nodes' descriptions."""

from __future__ import annotations

import json
import logging
import sys
import time
import uuid
from typing import Any

from aiohttp import web
from comfyui_version import __version__
from server import FEATURES, PromptServer
from validation import fault, validate_prompt

import nodes


def add(server: PromptServer) -> None:
    routes, queue = server.routes, server.prompt_queue

    @routes.get("/prompt")
    async def status(request: web.Request) -> web.Response:
        return web.json_response(server.get_queue_info())

    @routes.post("/prompt")
    async def take(request: web.Request) -> web.Response:
        logging.info("got prompt")
        asked = server.trigger_on_prompt(await request.json())
        if "prompt" not in asked:
            return _refuse(fault("no_prompt", "No prompt provided", "No prompt provided"))
        prompt, prompt_id = asked["prompt"], asked.get("prompt_id")
        if prompt_id is None:
            prompt_id = str(uuid.uuid4())
        elif not _canonical(prompt_id):
            return _refuse(fault("invalid_prompt_id", "prompt_id must be a valid UUID", "in lower case"))
        if "number" in asked:
            number = float(asked["number"])
        else:
            number = float(-server.number if asked.get("front") else server.number)
            server.number += 1
        good, error, outputs, errors = await validate_prompt(
            prompt_id, prompt, asked.get("partial_execution_targets")
        )
        if not good:
            logging.warning("invalid prompt: %s", error)
            return _refuse(error, errors)
        extra_data = asked.get("extra_data", {})
        if "client_id" in asked:
            extra_data["client_id"] = asked["client_id"]
        secret = ("auth_token_comfy_org", "api_key_comfy_org")
        sensitive = {name: extra_data.pop(name) for name in secret if name in extra_data}
        extra_data["create_time"] = int(time.time() * 1000)
        queue.put((number, prompt_id, prompt, extra_data, outputs, sensitive))
        return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": errors})

    @routes.get("/queue")
    async def waiting(request: web.Request) -> web.Response:
        running, pending = queue.get_current_queue_volatile()
        cut = {
            "queue_running": [item[:5] for item in running],
            "queue_pending": [item[:5] for item in pending],
        }
        return web.json_response(cut)

    @routes.post("/queue")
    async def change_queue(request: web.Request) -> web.Response:
        asked = await request.json()
        if asked.get("clear"):
            queue.wipe_queue()
        for prompt_id in asked.get("delete", []):
            queue.delete_queue_item(lambda item, wanted=prompt_id: item[1] == wanted)
        return web.Response()

    @routes.post("/interrupt")
    async def interrupt(request: web.Request) -> web.Response:
        try:
            asked = await request.json()
        except json.JSONDecodeError:
            asked = {}
        wanted = asked.get("prompt_id")
        running, _ = queue.get_current_queue_volatile()
        if not wanted or any(item[1] == wanted for item in running):
            nodes.interrupt_processing()
        return web.Response()

    @routes.post("/free")
    async def free(request: web.Request) -> web.Response:
        asked = await request.json()
        for name in ("unload_models", "free_memory"):
            if asked.get(name):
                queue.set_flag(name, asked[name])
        return web.Response()

    @routes.get("/history")
    async def history(request: web.Request) -> web.Response:
        most = request.rel_url.query.get("max_items")
        return web.json_response(queue.get_history(max_items=int(most) if most else None))

    @routes.get("/history/{prompt_id}")
    async def one_history(request: web.Request) -> web.Response:
        return web.json_response(queue.get_history(request.match_info["prompt_id"]))

    @routes.post("/history")
    async def change_history(request: web.Request) -> web.Response:
        asked = await request.json()
        if asked.get("clear"):
            queue.wipe_history()
        for prompt_id in asked.get("delete", []):
            queue.delete_history_item(prompt_id)
        return web.Response()

    @routes.get("/object_info")
    async def object_info(request: web.Request) -> web.Response:
        return web.json_response({name: kind.describe() for name, kind in nodes.KINDS.items()})

    @routes.get("/object_info/{node}")
    async def one_object_info(request: web.Request) -> web.Response:
        name = request.match_info["node"]
        return web.json_response({name: nodes.KINDS[name].describe()} if name in nodes.KINDS else {})

    @routes.get("/system_stats")
    async def system_stats(request: web.Request) -> web.Response:
        memory = {"vram_total": 0, "vram_free": 0, "torch_vram_total": 0, "torch_vram_free": 0}
        system = {
            "os": sys.platform,
            "ram_total": 0,
            "ram_free": 0,
            "comfyui_version": __version__,
            "python_version": sys.version,
            "pytorch_version": "none",
            "embedded_python": False,
            "argv": sys.argv,
        }
        devices = [{"name": "cpu", "type": "cpu", "index": None, **memory}]
        return web.json_response({"system": system, "devices": devices})

    @routes.get("/features")
    async def features(request: web.Request) -> web.Response:
        return web.json_response(FEATURES)


def _refuse(error: Any, errors: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"error": error, "node_errors": errors or {}}, status=400)


def _canonical(prompt_id: Any) -> bool:
    try:
        return str(uuid.UUID(prompt_id)) == prompt_id
    except (ValueError, AttributeError, TypeError):
        return False

"""Routes that only the real frontend asks for, with the answers of a host that has nothing of the kind."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import folder_paths
from aiohttp import web
from file_routes import frontend
from server import PromptServer

EMPTY: dict[str, Any] = {
    "/embeddings": [],
    "/node_replacements": {},
    "/experiment/models": [],
    "/v2/userdata": [],
}


def add(server: PromptServer) -> None:
    routes = server.routes
    for path, answer in EMPTY.items():
        _always(routes, path, answer)

    @routes.get("/")
    async def page(request: web.Request) -> web.StreamResponse:
        front = frontend()
        if front is None:
            return web.Response(status=404, text="pip install comfyui-frontend-package")
        return web.FileResponse(front / "index.html", headers={"Cache-Control": "no-store, must-revalidate"})

    @routes.get("/models")
    async def model_folders(request: web.Request) -> web.Response:
        return web.json_response(list(folder_paths.folder_names_and_paths))

    @routes.get("/models/{folder}")
    async def models(request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        if folder not in folder_paths.folder_names_and_paths:
            return web.Response(status=404)
        return web.json_response(folder_paths.get_filename_list(folder))

    @routes.get("/global_subgraphs")
    async def subgraphs(request: web.Request) -> web.Response:
        found = {key: {k: v for k, v in entry.items() if k != "file"} for key, entry in _subgraphs().items()}
        return web.json_response(found)

    @routes.get("/global_subgraphs/{id}")
    async def subgraph(request: web.Request) -> web.Response:
        entry = _subgraphs().get(request.match_info["id"])
        if entry is None:
            return web.json_response(None)
        return web.json_response({**entry, "file": None, "data": entry["file"].read_text("utf-8")})

    async def log(request: web.Request) -> web.Response:
        return web.json_response({"entries": [], "size": {"cols": 80, "rows": 24}})

    server.app.router.add_get("/internal/logs/raw", log)


def _always(routes: web.RouteTableDef, path: str, answer: Any) -> None:
    @routes.get(path)
    async def say(request: web.Request) -> web.Response:
        return web.json_response(answer)


def _subgraphs() -> dict[str, dict[str, Any]]:
    packs = Path(folder_paths.get_folder_paths("custom_nodes")[0])
    found = {}
    for file in sorted(packs.glob("*/subgraphs/*.json")):
        info = {"node_pack": f"custom_nodes.{file.parent.parent.name}"}
        key = hashlib.sha256(f"custom_node{file}".encode()).hexdigest()
        found[key] = {"source": "custom_node", "name": file.stem, "info": info, "file": file}
    return found

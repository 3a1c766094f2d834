"""Routes that read and write files: a user's data and settings, images, packs' files for the browser."""

from __future__ import annotations

import importlib.util
import json
import mimetypes
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import folder_paths
from aiohttp import web
from comfy.cli_args import args
from server import PromptServer

import nodes

TEMPLATE_FOLDERS = ("example_workflows", "example", "examples", "workflow", "workflows")
LOCALE_FILES = ("nodeDefs", "commands", "settings")
ACTIVE_TYPES = {
    "text/html",
    "text/javascript",
    "application/javascript",
    "text/css",
    "image/svg+xml",
    "text/xml",
}


def _user_root() -> Path:
    root = folder_paths.get_public_user_directory("default")
    assert root is not None
    return Path(root)


def _user_file(name: str) -> Path:
    """A file of the one user's. Everyone may read and write there, as on the real host."""
    root = _user_root()
    path = Path(os.path.abspath(root / unquote(name)))
    if not path.is_relative_to(root):
        raise web.HTTPForbidden()
    return path


def add(server: PromptServer) -> None:
    _userdata(server.routes)
    _settings(server.routes)
    _view(server.routes)
    _packs(server.routes)


def _userdata(routes: web.RouteTableDef) -> None:
    @routes.get("/users")
    async def users(request: web.Request) -> web.Response:
        return web.json_response({"storage": "server", "migrated": _user_root().exists()})

    @routes.get("/userdata")
    async def listing(request: web.Request) -> web.Response:
        asked = request.rel_url.query
        if not asked.get("dir"):
            return web.Response(status=400, text="Directory not provided")
        top = _user_file(asked["dir"])
        if not top.exists():
            return web.Response(status=404, text="Directory not found")
        deep, full, split = (
            asked.get(name, "").lower() == "true" for name in ("recurse", "full_info", "split")
        )
        files = sorted(file for file in (top.rglob("*") if deep else top.glob("*")) if file.is_file())
        # As with a shell's pattern, hidden files are not listed, though they can be read.
        names = [file for file in files if not any(p.startswith(".") for p in file.relative_to(top).parts)]
        if full:
            return web.json_response([_info(file, top) for file in names])
        relative = [file.relative_to(top).as_posix() for file in names]
        return web.json_response([[name, *name.split("/")] for name in relative] if split else relative)

    @routes.get("/userdata/{file}")
    async def read(request: web.Request) -> web.StreamResponse:
        file = _user_file(request.match_info["file"])
        if not file.exists():
            return web.Response(status=404)
        kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
        kind = "application/octet-stream" if kind in ACTIVE_TYPES else kind
        headers = {
            "Content-Type": kind,
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "attachment",
        }
        return web.FileResponse(file, headers=headers)

    @routes.post("/userdata/{file}")
    async def write(request: web.Request) -> web.Response:
        file, asked = _user_file(request.match_info["file"]), request.rel_url.query
        if asked.get("overwrite") == "false" and file.exists():
            return web.Response(status=409, text="File already exists")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(await request.read())
        full = asked.get("full_info", "").lower() == "true"
        return web.json_response(
            _info(file, _user_root()) if full else file.relative_to(_user_root()).as_posix()
        )

    @routes.delete("/userdata/{file}")
    async def delete(request: web.Request) -> web.Response:
        file = _user_file(request.match_info["file"])
        if not file.exists():
            return web.Response(status=404)
        file.unlink()
        return web.Response(status=204)

    @routes.post("/userdata/{file}/move/{dest}")
    async def move(request: web.Request) -> web.Response:
        file, to = _user_file(request.match_info["file"]), _user_file(request.match_info["dest"])
        if not file.exists():
            return web.Response(status=404)
        to.parent.mkdir(parents=True, exist_ok=True)
        file.replace(to)
        full = request.rel_url.query.get("full_info", "").lower() == "true"
        return web.json_response(_info(to, _user_root()) if full else to.relative_to(_user_root()).as_posix())


def _info(file: Path, top: Path) -> dict[str, Any]:
    stat = file.stat()
    times = {"modified": int(stat.st_mtime * 1000), "created": int(stat.st_ctime * 1000)}
    return {"path": file.relative_to(top).as_posix(), "size": stat.st_size, **times}


def _settings(routes: web.RouteTableDef) -> None:
    def load() -> dict[str, Any]:
        file = _user_root() / "comfy.settings.json"
        return json.loads(file.read_text("utf-8")) if file.is_file() else {}

    def save(settings: dict[str, Any]) -> None:
        _user_root().mkdir(parents=True, exist_ok=True)
        (_user_root() / "comfy.settings.json").write_text(json.dumps(settings, indent=4), "utf-8")

    @routes.get("/settings")
    async def all_settings(request: web.Request) -> web.Response:
        return web.json_response(load())

    @routes.get("/settings/{id}")
    async def one_setting(request: web.Request) -> web.Response:
        return web.json_response(load().get(request.match_info["id"]))

    @routes.post("/settings")
    async def change_all(request: web.Request) -> web.Response:
        save(load() | await request.json())
        return web.Response()

    @routes.post("/settings/{id}")
    async def change_one(request: web.Request) -> web.Response:
        save(load() | {request.match_info["id"]: await request.json()})
        return web.Response()


def _view(routes: web.RouteTableDef) -> None:
    @routes.get("/view")
    async def view(request: web.Request) -> web.StreamResponse:
        asked = request.rel_url.query
        name, top = asked.get("filename", ""), folder_paths.get_directory_by_type(asked.get("type", "output"))
        if not name or name.startswith("/") or ".." in name or top is None:
            return web.Response(status=400)
        file = Path(top, asked.get("subfolder", ""), Path(name).name).resolve()
        if not file.is_relative_to(Path(top).resolve()):
            return web.Response(status=403)
        if not file.is_file():
            return web.Response(status=404)
        headers = {"Content-Disposition": f'filename="{file.name}"', "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(file, headers=headers)


def _packs(routes: web.RouteTableDef) -> None:
    packs = Path(folder_paths.get_folder_paths("custom_nodes")[0])

    @routes.get("/extensions")
    async def extensions(request: web.Request) -> web.Response:
        front = frontend()
        found = (
            [f"/{f.relative_to(front).as_posix()}" for f in (front / "extensions").rglob("*.js")]
            if front
            else []
        )
        for name, folder in nodes.EXTENSION_WEB_DIRS.items():
            scripts = sorted(Path(folder).rglob("*.js"))
            found += [
                f"/extensions/{quote(name)}/{script.relative_to(folder).as_posix()}" for script in scripts
            ]
        return web.json_response(found)

    @routes.get("/workflow_templates")
    async def templates(request: web.Request) -> web.Response:
        found: dict[str, list[str]] = {}
        for folder in TEMPLATE_FOLDERS:
            for file in sorted(packs.glob(f"*/{folder}/*.json")):
                found.setdefault(file.parent.parent.name, []).append(file.stem)
        return web.json_response(found)

    @routes.get("/i18n")
    async def translations(request: web.Request) -> web.Response:
        found: dict[str, dict[str, Any]] = {}
        for folder in sorted(packs.glob("*/locales/*/")):
            language = found.setdefault(folder.name, {})
            for name in ("main", *LOCALE_FILES):
                file = folder / f"{name}.json"
                if file.is_file():
                    said = json.loads(file.read_text("utf-8"))
                    _merge(language, said if name == "main" else {name: said})
        return web.json_response(found)


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def frontend() -> Path | None:
    """The static files of the real frontend: `--front-end-root`, or the package where it is installed."""
    if args.front_end_root:
        return Path(args.front_end_root)
    spec = importlib.util.find_spec("comfyui_frontend_package")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "static"
    return folder if folder.is_dir() else None


def add_static(server: PromptServer) -> None:
    """Add the static files, whose paths would hide routes: after all of those."""
    for name, folder in nodes.LOADED_MODULE_DIRS.items():
        for kind in TEMPLATE_FOLDERS:
            if Path(folder, kind).is_dir():
                server.app.add_routes([web.static(f"/api/workflow_templates/{name}", Path(folder, kind))])
    for name, folder in nodes.EXTENSION_WEB_DIRS.items():
        server.app.add_routes([web.static(f"/extensions/{name}", folder)])
    front = frontend()
    if front is not None:
        server.app.add_routes([web.static("/", front)])

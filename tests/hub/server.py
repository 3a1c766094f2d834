"""Imitates the Hugging Face hub: its list of a repository, and files that come from a second origin.

Routes and headers as in https://huggingface.co/docs/hub/api and in what the hub's own library reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from serving import in_thread, serving

LARGE = (".safetensors", ".gguf")
# What must arrive letter for letter, as in a signed address.
SIGNATURE = "Signature=a%2Bb~c%2F&Expires=1"
BLOCK = 16 * 1024
# Longer than any machine takes to write what it has received.
PATIENCE_S = 20.0


@dataclass
class HubRepository:
    """A repository with `files` by name. `allowed` are the tokens that may read a `gated` one. Faults, by
    file's name: `cuts` bytes after which a transfer breaks off (one number for each request, then none),
    `sent` other bytes than those listed, `sizes` other sizes than true ones, `status` what is answered
    instead (then none)."""

    files: dict[str, bytes]
    commit: str = "c0ffee" * 6 + "c0ff"
    gated: bool = False
    allowed: tuple[str, ...] = ()
    cuts: dict[str, list[int]] = field(default_factory=dict)
    sent: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    status: dict[str, list[int]] = field(default_factory=dict)
    ranges: bool = True
    pause_s: float = 0.0


@dataclass
class HubRequest:
    """A request as it came in; `range` and `authorization` are empty where the header was missing."""

    path: str
    origin: str
    range: str
    authorization: str


class HubServer:
    """``with HubServer.in_thread() as hub``; `url` is HF_ENDPOINT, `cdn` the origin that large files are on.

    `repositories` by name (``org/name``). `answer_html` and `silent` are faults of the hub as a whole. `sent`
    counts the bytes of each file. Downloads go below `disk`, by which a cut is known to have arrived.
    """

    def __init__(self) -> None:
        self.url = self.cdn = ""
        self.reset(None)

    def reset(self, disk: Path | None) -> None:
        self.disk = disk
        self.repositories: dict[str, HubRepository] = {}
        self.log: list[HubRequest] = []
        self.sent = Counter[str]()
        self.answer_html = self.silent = False
        self.token: str | None = None
        self.redirect = ""

    def add(self, name: str, files: dict[str, bytes], **changes: Any) -> HubRepository:
        self.repositories[name] = HubRepository(files, **changes)
        return self.repositories[name]

    def ranges_of(self, file: str) -> list[str]:
        """The Range headers of the transfers of `file`, from the origin that has it."""
        home = self.cdn if file.endswith(LARGE) else self.url
        return [r.range for r in self.log if r.path.endswith(f"/{file}") and r.origin == home]

    @classmethod
    def in_thread(cls) -> AbstractContextManager[HubServer]:
        return in_thread(cls()._served(), "hub")

    @contextlib.asynccontextmanager
    async def _served(self) -> AsyncIterator[HubServer]:
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/models/{name:[^/]+/[^/]+}/revision/{revision}", self._list),
                web.get("/{name:[^/]+/[^/]+}/resolve/{commit}/{file:.+}", self._resolve),
                web.get("/cdn/{name:[^/]+/[^/]+}/{file:.+}", self._deliver),
            ]
        )
        async with serving(app, 0, 0) as (self.url, self.cdn):
            yield self

    def _note(self, request: web.Request) -> None:
        assert request.transport is not None
        port = request.transport.get_extra_info("sockname")[1]
        headers = request.headers
        self.log.append(
            HubRequest(
                request.path,
                f"http://127.0.0.1:{port}",
                headers.get("Range", ""),
                headers.get("Authorization", ""),
            )
        )

    async def _list(self, request: web.Request) -> web.Response:
        self._note(request)
        if self.silent:
            await asyncio.sleep(3600)
        if self.answer_html:
            return web.Response(
                text="<html>Please log in to the guest network</html>", content_type="text/html"
            )
        if self.redirect:
            raise web.HTTPFound(self.redirect)
        given = request.headers.get("Authorization", "").partition(" ")[2]
        if self.token is not None and given and given != self.token:
            return _refuse(401, "", "Invalid credentials in Authorization header")
        repository = self.repositories.get(request.match_info["name"])
        if repository is None:
            return (
                _refuse(404, "RepoNotFound", "Repository not found")
                if given
                else _refuse(401, "", "Invalid username or password.")
            )
        if request.match_info["revision"] not in ("main", repository.commit):
            return _refuse(404, "RevisionNotFound", "Invalid rev id")
        assert request.query.get("blobs") == "true"
        siblings = [_entry(name, content, repository) for name, content in repository.files.items()]
        return web.json_response({"sha": repository.commit, "gated": repository.gated, "siblings": siblings})

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        name, file = request.match_info["name"], request.match_info["file"]
        repository = self.repositories[name]
        given = request.headers.get("Authorization", "").partition(" ")[2]
        if repository.gated and given not in repository.allowed:
            return _refuse(
                403 if given else 401,
                "GatedRepo",
                f"Access to model {name} is restricted. You must have access.",
            )
        if statuses := repository.status.get(file):
            return web.Response(status=statuses.pop(0))
        if request.match_info["commit"] != repository.commit or file not in repository.files:
            return _refuse(404, "EntryNotFound", "Entry not found")
        if not file.endswith(LARGE):
            return await self._deliver(request)
        headers = {
            "Location": f"{self.cdn}/cdn/{name}/{file}?{SIGNATURE}",
            "X-Linked-Size": str(len(repository.files[file])),
            "X-Linked-ETag": f'"{hashlib.sha256(repository.files[file]).hexdigest()}"',
            "X-Repo-Commit": repository.commit,
        }
        return web.Response(status=302, headers=headers)

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        name, file = request.match_info["name"], request.match_info["file"]
        if request.path.startswith("/cdn/"):
            self._note(request)
            if request.raw_path.partition("?")[2] != SIGNATURE:
                return web.Response(status=403, text="SignatureDoesNotMatch")
        # Of the test that asked: a client that is gone is noticed later.
        repository, sent = self.repositories[name], self.sent
        content = repository.sent.get(file, repository.files[file])
        begin, headers, status = 0, {"Accept-Ranges": "bytes"}, 200
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if asked and repository.ranges:
            begin, status = int(asked[1]), 206
            if begin >= len(content):
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        headers["Content-Length"] = str(len(content) - begin)
        cuts = repository.cuts.get(file)
        end = begin + cuts.pop(0) if cuts else len(content)
        response = web.StreamResponse(status=status, headers=headers)
        await response.prepare(request)
        for start in range(begin, min(end, len(content)), BLOCK):
            piece = content[start : min(start + BLOCK, end)]
            # Before it leaves: the client may be done with the last piece while this thread still waits.
            sent[file] += len(piece)
            await response.write(piece)
            await asyncio.sleep(repository.pause_s)
        if end < len(content) and request.transport is not None:
            await self._arrival(Path(file).name, end)
            request.transport.close()
        return response

    async def _arrival(self, name: str, size: int) -> None:
        """Wait until the client has written that much: a cut takes from it what it has received unread."""
        deadline = time.monotonic() + PATIENCE_S
        while size and self.disk and time.monotonic() < deadline:
            if any(part.stat().st_size >= size for part in self.disk.rglob(f"{name}.*.part")):
                return
            await asyncio.sleep(0.01)


def _entry(name: str, content: bytes, repository: HubRepository) -> dict[str, Any]:
    size = repository.sizes.get(name, len(content))
    git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    entry: dict[str, Any] = {"rfilename": name, "size": size, "blobId": git}
    if name.endswith(LARGE):
        entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 134}
    return entry


def _refuse(status: int, code: str, message: str) -> web.Response:
    headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
    return web.json_response({"error": message}, status=status, headers=headers)

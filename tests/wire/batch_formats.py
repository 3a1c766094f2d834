"""The batches of OpenAI, Anthropic and Google Gemini, each in its own format."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from wire.answers import Asked
from wire.anthropic_format import AnthropicFormat
from wire.gemini_format import GeminiFormat
from wire.openai_format import OpenAIFormat

_HANG_S = 3600.0
_CREATED = "2096-10-18T12:00:00Z"


@dataclass
class Batch:
    """A batch: its requests by their ids, the `name` that it carries, how often it was looked at."""

    id: str
    name: str
    asked: dict[str, Asked]
    looks: int = 0


@dataclass
class Batches:
    """The batches of the imitation server, and what is to become of the next ones.

    One has ended once it was looked at `looks` times, as `end` says: completed, expired (all lines but the
    first), failed. With `hangs` a batch is created and the client never told. `refusals` are the status and
    headers of the next requests that look at a batch, `no_keys` is Google's way to leave the keys out.
    """

    made: dict[str, Batch] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    looks: int = 1
    end: str = "completed"
    hangs: bool = False
    no_keys: bool = False
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    async def make(self, id_: str, name: str, asked: dict[str, Asked]) -> Batch:
        batch = self.made[id_] = Batch(id_, name, asked)
        if self.hangs:
            await asyncio.sleep(_HANG_S)
        return batch

    def look(self, id_: str) -> tuple[Batch, bool]:
        """Count a look; tell whether the batch has ended."""
        batch = self.made[id_]
        batch.looks += 1
        return batch, batch.looks >= self.looks

    def lines(self, batch: Batch) -> Iterable[tuple[str, Asked, bool]]:
        """The requests of a batch, and whether each was carried out."""
        for number, (id_, asked) in enumerate(batch.asked.items()):
            yield id_, asked, self.end == "completed" or (self.end == "expired" and not number)


def batch_routes(server: Any) -> list[web.AbstractRouteDef]:
    """The routes of all three."""
    return [*_openai(server), *_anthropic(server), *_gemini(server)]


def _guarded(server: Any, fmt: Any, handle: Callable[[web.Request], Any]) -> Any:
    """`handle`, after the request was noted and its key looked at."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        raw = b"" if request.content_type.startswith("multipart/") else await request.read()
        server.note(request, raw, json.loads(raw) if raw else None)
        sent = (request.headers.get(name, "") for name in ("Authorization", "x-api-key", "x-goog-api-key"))
        if server.require_key is not None and not any(server.require_key in key for key in sent):
            return web.json_response(fmt.error(401, "Incorrect API key provided."), status=401)
        if request.method == "GET" and server.batches.refusals:
            status, headers = server.batches.refusals.pop(0)
            return web.json_response(fmt.error(status, "Not now."), status=status, headers=headers)
        if request.method == "GET" and _has_forgotten(server, request):
            return web.json_response(fmt.error(404, "No such batch."), status=404)
        answer: web.StreamResponse = await handle(request)
        return answer

    return guarded


def _has_forgotten(server: Any, request: web.Request) -> bool:
    id_ = request.match_info.get("id")
    known = (server.batches.made, server.batches.files)
    return id_ is not None and not any(id_ in table or f"batches/{id_}" in table for table in known)


def _jsonl(lines: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _openai(server: Any) -> list[web.AbstractRouteDef]:
    fmt = OpenAIFormat()

    async def upload(request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        id_ = f"file-{len(server.batches.files)}"
        server.batches.files[id_] = form["file"].file.read()  # type: ignore[union-attr]
        return web.json_response({"id": id_, "object": "file", "purpose": "batch"})

    async def create(request: web.Request) -> web.Response:
        wanted = await request.json()
        assert (wanted["endpoint"], wanted["completion_window"]) == ("/v1/chat/completions", "24h")
        lines = [json.loads(line) for line in server.batches.files[wanted["input_file_id"]].splitlines()]
        asked = {line["custom_id"]: fmt.read(request, line["body"]) for line in lines}
        id_ = f"batch_{len(server.batches.made)}"
        server.batches.files[f"input of {id_}"] = wanted["input_file_id"].encode()
        return web.json_response(
            shown(await server.batches.make(id_, wanted["metadata"]["quillwork"], asked))
        )

    def shown(batch: Batch, has_ended: bool = False) -> dict[str, Any]:
        end, made = server.batches.end, server.batches
        about = {
            "id": batch.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "status": end if has_ended else "in_progress",
            "input_file_id": made.files[f"input of {batch.id}"].decode(),
            "metadata": {"quillwork": batch.name},
            "request_counts": {"total": len(batch.asked), "completed": 0, "failed": 0},
        }
        if has_ended and end == "failed":
            about["errors"] = {
                "data": [{"code": "token_limit_exceeded", "message": "Too many tokens waiting."}]
            }
        elif has_ended:
            good, bad = [], []
            for id_, asked, is_done in made.lines(batch):
                if not is_done:
                    error = {"code": "batch_expired", "message": "It could not be executed in time."}
                    bad.append({"custom_id": id_, "response": None, "error": error})
                    continue
                status, body = server.late_answer(fmt, asked)
                line = {"custom_id": id_, "response": {"status_code": status, "body": body}, "error": None}
                (good if status == 200 else bad).append(line)
            for kind, lines in (("output", good), ("error", bad)):
                if lines:
                    # In another order than they were asked in.
                    made.files[f"file-{kind}-{batch.id}"] = _jsonl(reversed(lines))
                    about[f"{kind}_file_id"] = f"file-{kind}-{batch.id}"
        return about

    async def look(request: web.Request) -> web.Response:
        return web.json_response(shown(*server.batches.look(request.match_info["id"])))

    async def listing(request: web.Request) -> web.Response:
        made = reversed(server.batches.made.values())
        data = [shown(batch, 0 < server.batches.looks <= batch.looks) for batch in made]
        return web.json_response({"data": data, "has_more": False})

    async def content(request: web.Request) -> web.Response:
        return web.Response(body=server.batches.files[request.match_info["id"]])

    async def delete(request: web.Request) -> web.Response:
        server.batches.files.pop(request.match_info["id"])
        return web.json_response({"deleted": True})

    return [
        web.post("/v1/files", _guarded(server, fmt, upload)),
        web.get("/v1/files/{id}/content", _guarded(server, fmt, content)),
        web.delete("/v1/files/{id}", _guarded(server, fmt, delete)),
        web.post("/v1/batches", _guarded(server, fmt, create)),
        web.get("/v1/batches", _guarded(server, fmt, listing)),
        web.get("/v1/batches/{id}", _guarded(server, fmt, look)),
    ]


def _anthropic(server: Any) -> list[web.AbstractRouteDef]:
    fmt = AnthropicFormat()

    async def create(request: web.Request) -> web.Response:
        wanted = (await request.json())["requests"]
        asked = {one["custom_id"]: fmt.read(request, one["params"]) for one in wanted}
        id_ = f"msgbatch_{len(server.batches.made)}"
        return web.json_response(shown(await server.batches.make(id_, "", asked)))

    def shown(batch: Batch, has_ended: bool = False) -> dict[str, Any]:
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        counts["succeeded" if has_ended else "processing"] = len(batch.asked)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if has_ended else "in_progress",
            "request_counts": counts,
            "created_at": _CREATED,
            # Where a moved address would leave it.
            "results_url": f"https://api.anthropic.com/v1/messages/batches/{batch.id}/results",
        }

    def result(asked: Asked, is_done: bool) -> dict[str, Any]:
        if not is_done:
            return {"type": "expired"}
        status, body = server.late_answer(fmt, asked)
        return {"type": "succeeded", "message": body} if status == 200 else {"type": "errored", "error": body}

    async def look(request: web.Request) -> web.Response:
        return web.json_response(shown(*server.batches.look(request.match_info["id"])))

    async def listing(request: web.Request) -> web.Response:
        made = reversed(server.batches.made.values())
        data = [shown(batch, 0 < server.batches.looks <= batch.looks) for batch in made]
        return web.json_response({"data": data, "has_more": False})

    async def results(request: web.Request) -> web.Response:
        lines = server.batches.lines(server.batches.made[request.match_info["id"]])
        answers = [{"custom_id": id_, "result": result(asked, is_done)} for id_, asked, is_done in lines]
        return web.Response(body=_jsonl(reversed(answers)))

    path = "/v1/messages/batches"
    return [
        web.post(path, _guarded(server, fmt, create)),
        web.get(path, _guarded(server, fmt, listing)),
        web.get(path + "/{id}", _guarded(server, fmt, look)),
        web.get(path + "/{id}/results", _guarded(server, fmt, results)),
    ]


def _gemini(server: Any) -> list[web.AbstractRouteDef]:
    fmt = GeminiFormat()

    async def create(request: web.Request) -> web.Response:
        wanted = (await request.json())["batch"]
        inlined = wanted["inputConfig"]["requests"]["requests"]
        asked = {one["metadata"]["key"]: fmt.read(request, one["request"]) for one in inlined}
        id_ = f"batches/b{len(server.batches.made)}"
        return web.json_response(shown(await server.batches.make(id_, wanted["displayName"], asked)))

    def shown(batch: Batch, has_ended: bool = False) -> dict[str, Any]:
        end = {"completed": "SUCCEEDED", "expired": "EXPIRED", "failed": "FAILED"}[server.batches.end]
        total = str(len(batch.asked))
        about = {
            "displayName": batch.name,
            "state": f"BATCH_STATE_{end if has_ended else 'RUNNING'}",
            "batchStats": {"requestCount": total, "pendingRequestCount": "0" if has_ended else total},
        }
        operation: dict[str, Any] = {"name": batch.id, "metadata": about}
        if has_ended:
            operation["done"] = True
            if end == "SUCCEEDED":
                answers = [answer(id_, asked) for id_, asked in batch.asked.items()]
                operation["response"] = {"inlinedResponses": {"inlinedResponses": answers}}
            else:
                operation["error"] = {"code": 13, "message": f"The batch is {end.lower()}."}
        return operation

    def answer(id_: str, asked: Asked) -> dict[str, Any]:
        status, body = server.late_answer(fmt, asked)
        kept = {} if server.batches.no_keys else {"metadata": {"key": id_}}
        if status == 200:
            return {"response": body, **kept}
        return {"error": {"code": 3, "message": body["error"]["message"]}, **kept}

    async def look(request: web.Request) -> web.Response:
        return web.json_response(shown(*server.batches.look(f"batches/{request.match_info['id']}")))

    async def listing(request: web.Request) -> web.Response:
        return web.json_response({"operations": [shown(batch) for batch in server.batches.made.values()]})

    return [
        web.post("/v1beta/models/{model}:{verb:batchGenerateContent}", _guarded(server, fmt, create)),
        web.get("/v1beta/batches", _guarded(server, fmt, listing)),
        web.get("/v1beta/batches/{id}", _guarded(server, fmt, look)),
    ]

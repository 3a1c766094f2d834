"""The cache of answers on the disk: turned on by LLM_CACHE=disk, one sqlite file with JSON inside."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..call import Call, Handler
from ..types import Deployment, Request, Result, Secret, ToolCall, Usage

MOST_ANSWERS = 5_000
# In characters, as JSON: room for two hundred long values.
LONGEST_KEPT = 100_000
_WHOLE = ("stop", "tool_calls", "unknown")
_log = logging.getLogger("quillwork")
_lock = threading.Lock()


async def from_cache(call: Call, proceed: Handler) -> Result:
    """Return the kept answer to the same request, else a new one, which is kept when it is whole."""
    file = call.deployment.cache_file
    if file is None:
        return await proceed(call)
    key = key_of(call.request, call.deployment)
    kept = await asyncio.to_thread(_guarded, _read, file, key)
    result = _from_json(kept) if kept is not None else None
    if result is not None:
        for warning in result.warnings:
            call.warn(warning)
        return result
    known = len(call.warnings)
    result = await proceed(call)
    if result.finish_reason in _WHOLE:
        # What was left out of the question is left out the next time, too; it is said again.
        fresh = _to_json(replace(result, warnings=tuple(call.warnings[known:])))
        if len(fresh) <= LONGEST_KEPT:
            await asyncio.to_thread(_guarded, _write, file, key, fresh)
    return result


async def keeps_all(requests: Sequence[Request], deployment: Deployment) -> bool:
    """Tell whether the answers to all `requests` are kept: then asking costs nothing."""
    file = deployment.cache_file
    if file is None:
        return False
    for request in requests:
        kept = await asyncio.to_thread(_guarded, _read, file, key_of(request, deployment))
        if kept is None or _from_json(kept) is None:
            return False
    return True


def key_of(request: Request, deployment: Deployment) -> str:
    """The digest of all that shapes the answer: address, model, request and sampling. It holds no key."""
    params = {name: value for name, value in deployment.params.items() if not isinstance(value, Secret)}
    images = [
        [hashlib.sha256(image.data).hexdigest() for image in message.images] for message in request.messages
    ]
    shape = {
        "where": [deployment.backend, deployment.provider, deployment.base_url, deployment.model, params],
        "messages": [
            [m.role, m.content, [asdict(call) for call in m.tool_calls], m.tool_call_id]
            for m in request.messages
        ],
        "images": images,
        "embed": request.embed,
        "how": [request.temperature, request.top_p, request.max_tokens, request.seed, request.reasoning],
        "schema": request.schema,
        "tools": [asdict(tool) for tool in request.tools],
        "tool_choice": request.tool_choice,
        "extra": dict(request.extra),
    }
    return hashlib.sha256(json.dumps(shape, sort_keys=True, default=str).encode()).hexdigest()


def _guarded(action: Any, file: Path, *arguments: str) -> Any:
    """Run `action` on the cache.
    A broken or read-only one never breaks a call: it is put aside or ignored."""
    with _lock:
        try:
            return action(file, *arguments)
        except sqlite3.DatabaseError as error:
            _log.warning("The answer cache %s cannot be used (%s).", file.name, error)
            if not isinstance(error, sqlite3.OperationalError):
                with contextlib.suppress(OSError):
                    file.replace(file.with_suffix(".broken"))
        except OSError as error:
            _log.warning("The answer cache %s cannot be used (%s).", file.name, error.strerror)
        return None


def _open(file: Path) -> sqlite3.Connection:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(file, timeout=2.0)
    connection.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT, used REAL)")
    return connection


def _read(file: Path, key: str) -> str | None:
    with closing(_open(file)) as connection, connection:
        row = connection.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        if row is not None:
            connection.execute("UPDATE answers SET used = ? WHERE key = ?", (time.time(), key))
        return row[0] if row else None


def _write(file: Path, key: str, answer: str) -> None:
    with closing(_open(file)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, answer, time.time()))
        connection.execute(
            "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used DESC LIMIT -1 OFFSET ?)",
            (MOST_ANSWERS,),
        )


def _to_json(result: Result) -> str:
    return json.dumps(asdict(replace(result, reasoning="")))


def _from_json(text: str) -> Result | None:
    """Read a kept answer; None where another version of this pack wrote it."""
    try:
        data = json.loads(text)
        usage = Usage(**{**data["usage"], "cost_usd": 0.0})
        tools = tuple(ToolCall(**call) for call in data["tool_calls"])
        vectors = tuple(map(tuple, data["vectors"]))
        said = tuple(map(str, data["warnings"]))
        fixed = {"usage": usage, "tool_calls": tools, "vectors": vectors, "warnings": said, "cached": True}
        return Result(**{**data, **fixed})
    except (ValueError, KeyError, TypeError):
        return None

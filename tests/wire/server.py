"""The imitation server: takes a request in some provider's format and misbehaves as its model's name asks.

In a test, take the fixture ``wire``; for a benchmark, ``python tests/wire/server.py --port 9000`` (then
``GET /_log``, ``DELETE /_log`` and ``GET /_stats`` tell what happened).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aiohttp import web
from serving import in_thread, serving

from wire.answers import Answer, Asked, Raw, compose
from wire.batch_formats import Batches
from wire.faults import Behaviour, behaviour_of
from wire.formats import routes

Refusing = Callable[[dict[str, Any]], "tuple[int, Any] | None"]
Script = str | Answer | Raw | Callable[[dict[str, Any]], "str | Answer | Raw"]
HANG_S = 3600.0
GARBAGE = b"<html>this is not what you asked for</html>\n\n"


@dataclass
class Logged:
    """A request as it came in. `headers` have lower-case names; `origin` is the one that was called."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = field(repr=False)
    json: Any
    model: str
    origin: str
    at: float


@dataclass
class Disconnect:
    """A client that went away before its answer was complete; `at` is `time.monotonic()`."""

    model: str
    path: str
    at: float
    seconds: float


class WireServer:
    """``async with WireServer() as wire`` in a loop of yours, or ``with WireServer.in_thread() as wire``.

    `url` is the origin (``http://127.0.0.1:PORT``), `other_url` a second origin of the same server, to
    which redirects lead. With `require_key` set, a request without that key gets the provider's 401.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._generation = 0
        self.url = self.other_url = ""
        self.reset()

    def reset(self) -> None:
        """Forget all requests, scripts and counters."""
        self._generation += 1
        self.log: list[Logged] = []
        self.disconnects: list[Disconnect] = []
        self.inflight = self.peak = 0
        self.models = ["fox-small", "fox-large"]
        # What else the list says of a model, by its id: {"pricing": {"prompt": "0.001", ...}}.
        self.facts: dict[str, dict[str, Any]] = {}
        self.models_status = 0
        # What was asked of token services, apart from the calls.
        self.token_log: list[Logged] = []
        # The status and JSON with which token services refuse, in place of a token.
        self.token_refusal: tuple[int, Any] | None = None
        self.require_key: str | None = None
        # No call is answered before so many have been in progress at once.
        self.meeting = 0
        # Every model answers in one piece only.
        self.refuses_streams = False
        self.unloaded: list[str] = []
        self.predictions: dict[str, Any] = {}
        self._scripts: dict[str, list[Script]] = {}
        self._refusals: dict[str, Refusing] = {}
        self._failures: Counter[str] = Counter()
        self.batches = Batches()

    def script(self, model: str, answer: Script | Iterable[Script]) -> None:
        """Let `model` (a name or a glob) answer with a text, an `Answer`, the bytes of a `Raw`, what a
        function makes of the request's JSON, or one after the other of a list (the last one stays)."""
        listed = [answer] if isinstance(answer, (str, Answer, Raw)) or callable(answer) else list(answer)
        self._scripts[model] = listed

    def refuse(self, model: str, refusing: Refusing) -> None:
        """Let `model` refuse each request for which `refusing`, given its JSON, returns a status and a body
        (JSON, or a text as it is)."""
        self._refusals[model] = refusing

    def calls(self, suffix: str = "") -> list[Logged]:
        """The requests so far that carried a model's question (not the listings), by the path's end."""
        return [entry for entry in list(self.log) if entry.method == "POST" and entry.path.endswith(suffix)]

    def wait_disconnects(self, count: int = 1, within_s: float = 60.0) -> list[Disconnect]:
        """Block until so many clients have gone away. Raises AssertionError when they have not."""
        end = time.monotonic() + within_s
        while len(self.disconnects) < count:
            assert time.monotonic() < end, f"{len(self.disconnects)} of {count} disconnects seen"
            time.sleep(0.002)
        return list(self.disconnects)

    def wait_calls(self, count: int = 1, within_s: float = 60.0) -> list[Logged]:
        """Block until so many questions have arrived. Raises AssertionError when they have not."""
        end = time.monotonic() + within_s
        while len(self.calls()) < count:
            assert time.monotonic() < end, f"{len(self.calls())} of {count} calls seen"
            time.sleep(0.002)
        return self.calls()

    # -- life

    async def __aenter__(self) -> WireServer:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(routes(self))
        self._served = serving(app, self._port, 0)
        self.url, self.other_url = await self._served.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self._served.__aexit__(*exc)

    @classmethod
    def in_thread(cls) -> AbstractContextManager[WireServer]:
        """The server on a loop thread of its own, for tests without a loop or with one that they block."""
        return in_thread(cls(), "wire")

    def late_answer(self, fmt: Any, asked: Asked) -> tuple[int, Any]:
        """The status and JSON with which a request out of a batch is answered."""
        if asked.model in self._refusals and (refusal := self._refusals[asked.model](asked.body)):
            return refusal
        return 200, fmt.whole(compose(asked, behaviour_of(asked.model), self.scripted(asked)), asked)

    # -- a call

    async def answer(self, fmt: Any, request: web.Request) -> web.StreamResponse:
        """Answer one model call in the format `fmt`."""
        asked, behaviour = await self.take(fmt, request)
        return await self.watched(asked, request, self._reply(fmt, request, asked, behaviour))

    async def watched(
        self, asked: Asked, request: web.Request, reply: Awaitable[web.StreamResponse]
    ) -> web.StreamResponse:
        """Run `reply`; count it meanwhile, and record a client that does not wait for the end."""
        generation, began = self._generation, time.monotonic()
        self.inflight += 1
        self.peak = max(self.peak, self.inflight)
        try:
            while self.peak < self.meeting:
                await asyncio.sleep(0.005)
            return await reply
        except (asyncio.CancelledError, ConnectionError):
            if generation == self._generation:
                now = time.monotonic()
                self.disconnects.append(Disconnect(asked.model, request.path, now, now - began))
            raise
        finally:
            if generation == self._generation:
                self.inflight -= 1

    async def take(self, fmt: Any, request: web.Request) -> tuple[Asked, Behaviour]:
        """Read and log a request."""
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = {}
        asked = fmt.read(request, body)
        self.note(request, raw, body, asked.model)
        return asked, behaviour_of(asked.model)

    def note(self, request: web.Request, raw: bytes = b"", body: Any = None, model: str = "") -> None:
        self.log.append(
            Logged(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=raw,
                json=body,
                model=model,
                origin=f"http://127.0.0.1:{request.transport.get_extra_info('sockname')[1]}"
                if request.transport
                else "",
                at=time.monotonic(),
            )
        )

    def error_for(
        self, fmt: Any, asked: Asked, behaviour: Behaviour, request: web.Request
    ) -> tuple[int, str] | None:
        """The status and text of the error that this call gets, if any."""
        if self.require_key is not None and not _carries(request, self.require_key):
            return getattr(fmt, "bad_key", (401, "Incorrect API key provided."))
        if behaviour.status:
            return behaviour.status, f"The imitation answers {behaviour.status} on request."
        if behaviour.ctx:
            return 400, ""
        if behaviour.blind:
            return fmt.blind
        if behaviour.fail_times and self._failures[asked.model] < behaviour.fail_times:
            self._failures[asked.model] += 1
            return behaviour.fail_status, f"Failure {self._failures[asked.model]} on request."
        return None

    def scripted(self, asked: Asked) -> str | Answer | Raw | None:
        for pattern, listed in self._scripts.items():
            if pattern == asked.model or fnmatchcase(asked.model, pattern):
                script = listed.pop(0) if len(listed) > 1 else listed[0]
                return script(asked.body) if callable(script) else script
        return None

    async def _reply(
        self, fmt: Any, request: web.Request, asked: Asked, behaviour: Behaviour
    ) -> web.StreamResponse:
        if behaviour.silent:
            await asyncio.sleep(HANG_S)
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        if behaviour.redirect and _origin_port(request) != self.other_url.rpartition(":")[2]:
            raise web.HTTPTemporaryRedirect(self.other_url + request.path_qs)
        if asked.model in self._refusals and (refusal := self._refusals[asked.model](asked.body)):
            if isinstance(refusal[1], str):
                return web.Response(text=refusal[1], status=refusal[0])
            return web.json_response(refusal[1], status=refusal[0])
        if self.refuses_streams and asked.stream:
            return web.json_response(fmt.error(400, "stream is not supported by this model"), status=400)
        if error := self.error_for(fmt, asked, behaviour, request):
            headers = {"x-request-id": "req_1"}
            if behaviour.retryafter is not None:
                headers["Retry-After"] = f"{behaviour.retryafter:g}"
            body = fmt.error(*error, overflow=behaviour.ctx)
            return web.json_response(body, status=error[0], headers=headers)
        if behaviour.garbage:
            kind = fmt.stream_type if asked.stream else "application/json"
            return web.Response(body=GARBAGE, content_type=kind)
        scripted = self.scripted(asked)
        if isinstance(scripted, Raw):
            return await _send(request, scripted)
        answer = compose(asked, behaviour, scripted)
        if asked.stream and not behaviour.nostream:
            return await self._stream(fmt, request, asked, behaviour, answer)
        if behaviour.hang:
            await asyncio.sleep(HANG_S)
        payload = json.dumps(fmt.whole(answer, asked), ensure_ascii=False).encode()
        if behaviour.cut:
            response = web.StreamResponse(
                headers={"Content-Type": "application/json", "Content-Length": str(len(payload))}
            )
            await response.prepare(request)
            await response.write(payload[: len(payload) // 2])
            return _tear(request, response)
        return web.Response(body=payload, content_type="application/json")

    async def _stream(
        self, fmt: Any, request: web.Request, asked: Asked, behaviour: Behaviour, answer: Answer
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": fmt.stream_type, "Cache-Control": "no-cache"})
        await response.prepare(request)
        middle = fmt.preamble + 1
        async for number, data in self._frames(fmt, asked, behaviour, answer):
            if number == middle and behaviour.hang:
                await asyncio.sleep(HANG_S)
            if number == middle and behaviour.cut:
                return _tear(request, response)
            if not behaviour.split:
                await response.write(data)
                continue
            for start in range(0, len(data), behaviour.split):
                await response.write(data[start : start + behaviour.split])
                await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def _frames(
        self, fmt: Any, asked: Asked, behaviour: Behaviour, answer: Answer
    ) -> AsyncIterator[tuple[int, bytes]]:
        if behaviour.oneshot:
            yield 0, b"".join(fmt.frames(answer, asked))
            return
        middle = fmt.preamble + 1
        gap = behaviour.gap or (0.002 if behaviour.forever or behaviour.babble else 0.0)
        for number, frame in enumerate(fmt.frames(answer, asked)):
            if number and gap:
                await asyncio.sleep(gap)
            if behaviour.nodone and frame.startswith(b"data: [DONE]"):
                continue
            if number == middle and behaviour.streamerror:
                yield number, fmt.stream_error("The imitation broke in the middle.")
                return
            if number == middle and behaviour.badsse:
                yield number, b'data: {"choices": [{"delta": {"content": \n\n'
                continue
            if behaviour.comments:
                frame = b": keep-alive\n\n" + frame
            if behaviour.crlf:
                frame = frame.replace(b"\n", b"\r\n")
            yield number, frame


async def _send(request: web.Request, raw: Raw) -> web.StreamResponse:
    response = web.StreamResponse(status=raw.status, headers={"Content-Type": raw.content_type})
    await response.prepare(request)
    for piece in raw.pieces():
        if piece:
            await response.write(piece)
            await asyncio.sleep(0)
    if raw.torn:
        return _tear(request, response)
    await response.write_eof()
    return response


def _tear(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()  # type: ignore[attr-defined]
    return response


def _origin_port(request: web.Request) -> str:
    return str(request.transport.get_extra_info("sockname")[1]) if request.transport else ""


def _carries(request: web.Request, key: str) -> bool:
    headers = request.headers
    given = [headers.get(name, "") for name in ("x-api-key", "api-key", "x-goog-api-key")]
    given += [headers.get("Authorization", "").partition(" ")[2], request.query.get("key", "")]
    return key in given


async def _main(port: int) -> None:
    async with WireServer(port) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The imitation server as a process of its own.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the address is printed")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args().port))

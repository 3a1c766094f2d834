"""A synchronous client of ComfyUI's HTTP and websocket API. One thread of its own does the waiting."""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import struct
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from host.runs import Event, Progress, Run, Text

T = TypeVar("T")
Graph = dict[str, Any]
PROGRESS_TEXT = 3
ENDS = {"execution_success": "success", "execution_error": "error", "execution_interrupted": "interrupted"}


class HostError(AssertionError):
    """The host did not answer, or hangs, which no node may cause."""


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return jsonlib.loads(self.body)


class Reader:
    """A reader that writes a websocket's messages into a run as they come."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool], run: Run) -> None:
        self._socket, self._run = socket, run
        self.news = asyncio.Event()
        self.closed = False
        self._task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                take(self._run, message)
                self.news.set()
        finally:
            self.closed = True
            self.news.set()

    async def close(self) -> None:
        await self._socket.close()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


class Listener:
    """A browser that is open and has asked for nothing: `run` holds the messages sent to it all the same."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.run = Run(client_id=str(uuid.uuid4()), posted=time.perf_counter())
        self._reader = client.call(client.read_into(self.run))

    def close(self) -> None:
        self._client.call(self._reader.close())

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Client:
    """A client of the server at `base_url`; `why` says, for a message, what is wrong with a silent server."""

    def __init__(self, base_url: str, why: Callable[[], str] = lambda: "") -> None:
        self.base_url = base_url
        self._why = why
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="host-client", daemon=True)
        self._thread.start()
        self._session = self.call(self._open())
        self._readers: dict[str, Reader] = {}

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), trust_env=False)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the client's own loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self.call(self._session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # HTTP

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
    ) -> Response:
        """One HTTP request; `path` may be percent-encoded and is sent as it is. No redirect is followed."""

        async def ask() -> Response:
            from yarl import URL

            url = URL(self.base_url + path, encoded=True)
            async with self._session.request(
                method, url, json=json, headers=headers, data=data, allow_redirects=False
            ) as answer:
                return Response(answer.status, dict(answer.headers), await answer.read())

        return self.call(ask())

    def get(self, path: str, headers: dict[str, str] | None = None) -> Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, json: Any = None, headers: dict[str, str] | None = None) -> Response:
        return self.request("POST", path, json=json, headers=headers)

    def object_info(self, node: str | None = None) -> dict[str, Any]:
        """The host's description of every node, or of one."""
        return (
            self.get("/object_info").json() if node is None else self.get(f"/object_info/{node}").json()[node]
        )

    def interrupt(self, prompt_id: str | None = None) -> None:
        """Press stop: for whatever runs, or only if that prompt runs."""
        self.post("/interrupt", json={"prompt_id": prompt_id} if prompt_id else {})

    def history(self, prompt_id: str) -> dict[str, Any]:
        """The host's record of a prompt that has ended; empty while there is none."""
        return self.get(f"/history/{prompt_id}").json().get(prompt_id, {})

    def idle(self) -> bool:
        queue = self.get("/queue").json()
        return not queue["queue_running"] and not queue["queue_pending"]

    # Prompts

    def listen(self) -> Listener:
        """Open a second browser, with an id of its own, until `close` or the end of the `with` block."""
        return Listener(self)

    def submit(
        self,
        graph: Graph,
        *,
        extra_data: dict[str, Any] | None = None,
        workflow: dict[str, Any] | None = None,
    ) -> Run:
        """Post a prompt (API format, bare or `{"prompt": ...}`) and come back at once.

        `workflow` is what the browser sends along for saved images (`extra_pnginfo.workflow`).
        """
        return self.call(self._submit(graph, extra_data, workflow))

    def wait(
        self,
        run: Run,
        *,
        interrupt_after: float | Callable[[Run], bool] | None = None,
        timeout: float = 60,
    ) -> Run:
        """Wait for the end of a prompt; press stop once the callable says so, or after so many seconds.

        Not before a node runs: the host forgets what is pressed earlier.
        """
        return self.call(self._wait(run, interrupt_after, timeout))

    def run(
        self,
        graph: Graph,
        *,
        interrupt_after: float | Callable[[Run], bool] | None = None,
        timeout: float = 60,
        extra_data: dict[str, Any] | None = None,
        workflow: dict[str, Any] | None = None,
    ) -> Run:
        """Post a prompt and wait for its end. A refusal by validation is `status == "refused"`."""
        run = self.submit(graph, extra_data=extra_data, workflow=workflow)
        return self.wait(run, interrupt_after=interrupt_after, timeout=timeout)

    async def read_into(self, run: Run) -> Reader:
        """Open the run's websocket and keep reading."""
        socket = await self._session.ws_connect(
            f"{self.base_url}/ws?clientId={run.client_id}", max_msg_size=0
        )
        # Without it previews come in a form that newer hosts only keep for old browsers.
        await socket.send_json({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
        return Reader(socket, run)

    async def _submit(
        self, graph: Graph, extra_data: dict[str, Any] | None, workflow: dict[str, Any] | None
    ) -> Run:
        prompt = graph["prompt"] if isinstance(graph.get("prompt"), dict) else graph
        body: dict[str, Any] = {"prompt": prompt}
        if extra_data or workflow is not None:
            body["extra_data"] = dict(extra_data or {})
        if workflow is not None:
            body["extra_data"].setdefault("extra_pnginfo", {})["workflow"] = workflow
        run = Run(client_id=str(uuid.uuid4()))
        body["client_id"] = run.client_id
        run.posted = time.perf_counter()
        reader = await self.read_into(run)
        run.posted = time.perf_counter()
        async with self._session.post(f"{self.base_url}/prompt", json=body) as answer:
            said = await answer.json(content_type=None)
        if answer.status != 200:
            await reader.close()
            run.status, run.error = "refused", said
        else:
            self._readers[run.client_id] = reader
            settle(run, said["prompt_id"])
        return run

    async def _wait(
        self, run: Run, interrupt_after: float | Callable[[Run], bool] | None, timeout: float
    ) -> Run:
        reader = self._readers.pop(run.client_id, None)
        if reader is None:
            return run
        stop = _due(interrupt_after)
        try:
            while run.status == "pending":
                now = time.perf_counter() - run.posted
                if now > timeout:
                    raise HostError(f"No end of the prompt after {timeout} s. {self._why()}")
                if reader.closed:
                    raise HostError(f"The websocket closed during the prompt. {self._why()}")
                if run.interrupted_at is None and stop(run, now):
                    run.interrupted_at = time.perf_counter() - run.posted
                    await self._stop(run)
                reader.news.clear()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reader.news.wait(), 0.02)
        finally:
            await reader.close()
        await self._record(run)
        return run

    async def _stop(self, run: Run) -> None:
        asked = {"prompt_id": run.prompt_id}
        async with self._session.post(f"{self.base_url}/interrupt", json=asked):
            pass

    async def _record(self, run: Run) -> None:
        # The host files the record after it has sent its last event, and after a failed prompt's other
        # nodes have wound up.
        for _ in range(200):
            async with self._session.get(f"{self.base_url}/history/{run.prompt_id}") as answer:
                run.history = (await answer.json()).get(run.prompt_id, {})
            if run.history:
                run.outputs = run.history["outputs"]
                return
            await asyncio.sleep(0.02 if run.status == "success" else 0.05)
        raise HostError(f"The prompt ended, but the host filed no record of it. {self._why()}")


def _due(interrupt_after: float | Callable[[Run], bool] | None) -> Callable[[Run, float], bool]:
    if interrupt_after is None:
        return lambda run, now: False
    if callable(interrupt_after):
        asked = interrupt_after
        return lambda run, now: asked(run)
    seconds = interrupt_after
    return lambda run, now: bool(run.started) and now >= seconds


def settle(run: Run, prompt_id: str) -> None:
    """Give the run its id, which the host's first events may have outrun."""
    early, run.events = run.events, []
    run.prompt_id = prompt_id
    for event in early:
        _take_event(run, event)


def take(run: Run, message: Any) -> None:
    """Write a websocket message into the run."""
    at = time.perf_counter() - run.posted
    if message.type is aiohttp.WSMsgType.BINARY:
        _take_binary(run, at, message.data)
    elif message.type is aiohttp.WSMsgType.TEXT:
        said = jsonlib.loads(message.data)
        _take_event(run, Event(at, said["type"], said.get("data") or {}))


def _take_event(run: Run, event: Event) -> None:
    run.events.append(event)
    at, kind, data = event
    if kind == "progress_text" or not run.prompt_id or data.get("prompt_id") != run.prompt_id:
        return
    if kind == "progress":
        run.progress.append(Progress(str(data["node"]), data["value"], data["max"], at))
    elif kind == "executing" and data.get("node") is not None:
        run.started.append(str(data["node"]))
    elif kind == "executed":
        run.executed[str(data["node"])] = data["output"]
    elif kind == "execution_cached":
        run.cached = [str(node) for node in data["nodes"]]
    elif kind in ENDS:
        run.status, run.seconds = ENDS[kind], at
        run.error = data if kind != "execution_success" else None


def _take_binary(run: Run, at: float, data: bytes) -> None:
    (kind,) = struct.unpack_from(">I", data)
    if kind != PROGRESS_TEXT:
        run.events.append(Event(at, "binary", {"kind": kind, "bytes": len(data)}))
        return
    (length,) = struct.unpack_from(">I", data, 4)
    node, text = data[8 : 8 + length].decode(), data[8 + length :].decode()
    run.events.append(Event(at, "progress_text", {"node": node, "text": text}))
    run.texts.setdefault(node, []).append(Text(text, at))
    if run.first_text_s is None:
        run.first_text_s = at

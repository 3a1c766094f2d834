"""Calls through the whole pipeline, from a test's own thread, and servers of bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from quillwork.llm_backends.errors import LLMError
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Message, Request, Result

Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
# Longer than anything takes that does not hang.
HANG_S = 15.0


def endpoint(url: str, model: str = "fox", **changes: Any) -> Deployment:
    """A deployment of `model` behind the OpenAI-compatible address `url`; no retries unless asked for."""
    fields: dict[str, Any] = {
        "backend": "openai_compatible",
        "mode": "litellm",
        "provider": "endpoint",
        "provider_label": "Fox",
        "base_url": f"{url}/v1",
        "key_variable": "LLM_API_KEY",
        "retries": 0,
        "idle_timeout_s": HANG_S,
        "total_timeout_s": HANG_S,
    }
    return Deployment(model=model, **{**fields, **changes})


def question(text: str = "a fox", **changes: Any) -> Request:
    return Request((Message("user", text),), **changes)


def ask_all(deployment: Deployment, *requests: Request, live: LiveText | None = None) -> list[Any]:
    """Ask all requests and return each outcome, a `Result` or an `LLMError`."""
    model = Model(deployment, live=live or LiveText())
    return runner.run(model.ask(requests or (question(),)))


def ask(deployment: Deployment, request: Request | None = None) -> Result | LLMError:
    """Ask one request and return its outcome."""
    return ask_all(deployment, request or question())[0]


def answer(deployment: Deployment, request: Request | None = None) -> Result:
    """Ask one request, which must succeed, and return the answer."""
    outcome = ask(deployment, request)
    assert isinstance(outcome, Result), repr(outcome)
    return outcome


def failure(deployment: Deployment, request: Request | None = None) -> LLMError:
    """Ask one request, which must fail, and return the error."""
    outcome = ask(deployment, request)
    assert isinstance(outcome, LLMError), repr(outcome)
    return outcome


@contextlib.contextmanager
def raw_server(handle: Raw, **options: Any) -> Iterator[int]:
    """Run a loopback server of bytes for what no HTTP server does by itself; yields its port."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    ports: list[int] = []
    stop = asyncio.Event()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.close()

    async def live() -> None:
        server = await asyncio.start_server(guarded, "127.0.0.1", 0, **options)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def run() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(live())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(HANG_S)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(HANG_S)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read the head of an HTTP request; its body is read and dropped."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))
    return head


def event_stream(*events: bytes) -> bytes:
    """The bytes of an HTTP answer that streams until the connection closes."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + b"".join(
        events
    )


def delta(text: str) -> bytes:
    return b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % text.encode()


DONE = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


def picky(refused: set[str], *, word: str = "Unsupported parameter: '%s'"):
    """A server that answers 400 for the first of `refused` that it is sent; the bodies it saw."""
    bodies: list[dict] = []

    async def serve(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            bodies.append(body)
            bad = sorted(refused & set(body))
            if bad:
                status, reply = b"400 Bad Request", {"error": {"message": word % bad[0]}}
            else:
                status, reply = (
                    b"200 OK",
                    {"choices": [{"message": {"content": "fox"}, "finish_reason": "stop"}]},
                )
            data = json.dumps(reply).encode()
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: ")
            writer.write(b"%d\r\n\r\n" % len(data) + data)

    return serve, bodies

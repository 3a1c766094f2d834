"""A hundred streams at once: the delay of a token, the growth of memory, the stalls of the host's loop.

    python benchmarks/streams.py [--streams 100] [--rate 40] [--seconds 10]

An upstream in a process of its own writes the time into every chunk, a client in this process reads it.
Between them is, in turn, one more process: a bare relay on aiohttp that looks at nothing (the baseline), the
routes on the same server with the endpoint transport, and with litellm's SDK. A token's delay is the whole
way, upstream to client; the baseline's is the share of sockets, the client and two CPUs. One more reader
never reads anything. Then clients leave in the middle, and the upstream reports when it was hung up on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import free_port, load_pack, machine, table  # noqa: E402

TOKEN = "no-real-token"
STAMP = re.compile(rb"@(\d+\.\d{6})")
TICK_S = 0.005
STALL_MS = 50
LEAVES = 20


# The upstream


async def serve_upstream(port: int) -> None:
    """Serve OpenAI's stream, with the chunks a second and the seconds of the model's name: ``fox-40-10``."""
    from aiohttp import web

    left: list[float] = []

    async def chat(request: web.Request) -> web.StreamResponse:
        try:
            return await write(request)
        except (asyncio.CancelledError, ConnectionError):
            left.append(time.monotonic())
            raise

    async def write(request: web.Request) -> web.StreamResponse:
        model = (await request.json())["model"]
        _, rate, seconds = model.rsplit("-", 2)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(int(rate) * int(seconds)):
            await asyncio.sleep(max(0.0, began + number / int(rate) - loop.time()))
            await response.write(_chunk(model, {"content": f"@{time.monotonic():.6f} word "}))
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        await response.write(_chunk(model, {}, "stop", usage))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def last_left(request: web.Request) -> web.Response:
        """Report when a client left since the last request; null for none."""
        at = left[-1] if left else None
        left.clear()
        return web.json_response(at)

    await _serve({"/v1/chat/completions": chat, "/_left": last_left}, port, cancels=True)


def _chunk(model: str, delta: dict[str, str], finish: str | None = None, usage: Any = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    frame = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model}
    return b"data: " + json.dumps({**frame, "choices": [choice], "usage": usage}).encode() + b"\n\n"


# What stands between


async def serve_bare(port: int, upstream: str) -> None:
    """Serve a relay that passes bytes on."""
    import aiohttp
    from aiohttp import web

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def relay(request: web.Request) -> web.StreamResponse:
        async with session.post(f"{upstream}/v1/chat/completions", json=await request.json()) as answer:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
        return response

    await _serve({"/quillwork/v1/chat/completions": relay}, port)


async def serve_quillwork(port: int) -> None:
    """Serve the routes as a host has them."""
    load_pack()
    from quillwork.interfaces.http.adapters.aiohttp import Adapter

    class Host:
        listens = ("127.0.0.1",)

    await _serve({"/quillwork/{path:.*}": Adapter(Host)}, port)  # type: ignore[arg-type]


async def _serve(routes: dict[str, Any], port: int, *, cancels: bool = False) -> None:
    from aiohttp import web

    # Clients that leave are what is measured here, not worth a traceback each.
    logging.disable(logging.CRITICAL)
    watch = Watch()
    app = web.Application()

    async def stats(request: web.Request) -> web.Response:
        return web.json_response(watch.report(reset="reset" in request.query))

    app.router.add_get("/_stats", stats)
    for path, handler in routes.items():

        async def handle(request: web.Request, handler: Any = handler) -> Any:
            return await handler(request)

        app.router.add_post(path, handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=cancels)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=512).start()
    await watch.look()


class Watch:
    """The watch of a process over its memory and the lateness of its loop."""

    def __init__(self) -> None:
        self._lates: list[float] = []
        self._most = 0.0

    async def look(self) -> None:
        loop = asyncio.get_running_loop()
        looked = 0
        while True:
            before = loop.time()
            await asyncio.sleep(TICK_S)
            self._lates.append(loop.time() - before - TICK_S)
            looked += 1
            if looked % 20 == 0:
                self._most = max(self._most, resident_mb())

    def report(self, *, reset: bool) -> dict[str, float]:
        lates = sorted(self._lates) or [0.0]
        report = {
            "stall_ms": lates[-1] * 1000,
            "stalls": sum(late > STALL_MS / 1000 for late in lates),
            "mb": max(self._most, resident_mb()),
            "cpu_s": time.process_time(),
        }
        if reset:
            self._lates.clear()
            self._most = 0.0
        return report


def resident_mb() -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# The client


@dataclass
class Round:
    """The figures of one round: those of a hundred readers, and those of the process between."""

    delays: list[float] = field(default_factory=list)
    tokens: int = 0
    whole: int = 0
    grown_mb: float = 0.0
    stall_ms: float = 0.0
    stalls: float = 0.0
    cpu_s: float = 0.0
    left_ms: list[float] = field(default_factory=list)

    def delay_ms(self, share: float) -> float:
        ordered = sorted(self.delays) or [0.0]
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def read_streams(address: str, model: str, count: int) -> Round:
    import aiohttp

    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"model": model, "messages": [{"role": "user", "content": "a fox"}], "stream": True}
    url = f"{address}/quillwork/v1/chat/completions"
    seen = Round()
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:

        async def read() -> None:
            rest = b""
            async with session.post(url, json=body) as answer:
                assert answer.status == 200, await answer.text()
                async for piece in answer.content.iter_any():
                    now = time.monotonic()
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        seen.delays += [now - float(stamp) for stamp in STAMP.findall(line)]
                    if b"[DONE]" in piece:
                        seen.whole += 1

        # What comes first of a process (imports, pools) is no stream's fault.
        await read()
        seen.delays.clear()
        seen.whole = 0
        before = await _stats(session, address)
        async with session.post(url, json=body):  # and never reads
            await asyncio.gather(*(read() for _ in range(count)))
        after = await _stats(session, address)
    seen.tokens = len(seen.delays)
    seen.grown_mb = after["mb"] - before["mb"]
    seen.stall_ms, seen.stalls = after["stall_ms"], after["stalls"]
    seen.cpu_s = after["cpu_s"] - before["cpu_s"]
    return seen


async def leave(address: str, upstream: str, model: str) -> list[float]:
    """Measure, several times, the ms between a client's leaving and the end of its call upstream."""
    import aiohttp

    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"model": model, "messages": [{"role": "user", "content": "a fox"}], "stream": True}
    took = []
    async with aiohttp.ClientSession(headers=headers) as session:

        async def last() -> float | None:
            async with session.post(f"{upstream}/_left") as answer:
                return await answer.json()

        await last()
        for _ in range(LEAVES):
            async with session.post(f"{address}/quillwork/v1/chat/completions", json=body) as answer:
                await answer.content.readany()
                went = time.monotonic()
                answer.close()
            while (at := await last()) is None:
                await asyncio.sleep(0.01)
            took.append((at - went) * 1000)
    return took


async def _stats(session: Any, address: str) -> dict[str, float]:
    async with session.get(f"{address}/_stats?reset=1") as answer:
        return await answer.json()


@contextlib.contextmanager
def process(*arguments: str, **env: str) -> Iterator[str]:
    """Run this file as another process; yields its address."""
    import socket

    port = free_port()
    command = [sys.executable, __file__, "--serve", *arguments, "--port", str(port)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "OPENAI_"))}
    running = subprocess.Popen(command, env={**kept, **env})
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def measure(options: argparse.Namespace, upstream: str, home: str) -> list[tuple[str, Round]]:
    pace = f"{options.rate}-{options.seconds}"
    ours = {
        "QUILLWORK_HOME": home,
        "LLM_ENABLE_OPENAI_PROXY": "1",
        "LLM_PROXY_TOKEN": TOKEN,
        "LLM_MAX_CONCURRENCY": "256",
    }
    found = []
    with process("bare", "--upstream", upstream) as address:
        found.append(("a bare aiohttp relay", _read(address, upstream, f"fox-{pace}", options)))
    with process("quillwork", **ours, LLM_BASE_URL=f"{upstream}/v1", LLM_MODEL="fox") as address:
        found.append(("the endpoint transport", _read(address, upstream, f"fox-{pace}", options)))
    if not options.without_sdk:
        with process("quillwork", **ours, HOSTED_VLLM_API_BASE=f"{upstream}/v1") as address:
            found.append(("litellm's SDK", _read(address, upstream, f"hosted_vllm/fox-{pace}", options)))
    return found


def _read(address: str, upstream: str, model: str, options: argparse.Namespace) -> Round:
    seen = asyncio.run(read_streams(address, model, options.streams))
    seen.left_ms = asyncio.run(leave(address, upstream, model))
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--rate", type=int, default=40, help="chunks a second in each")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--without-sdk", action="store_true")
    parser.add_argument("--serve", choices=["upstream", "bare", "quillwork"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--upstream", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        server = {
            "upstream": lambda: serve_upstream(options.port),
            "bare": lambda: serve_bare(options.port, options.upstream),
            "quillwork": lambda: serve_quillwork(options.port),
        }[options.serve]
        asyncio.run(server())
        return
    print(f"{machine()}; {options.streams} streams of {options.rate} chunks a second")
    with tempfile.TemporaryDirectory() as home, process("upstream") as upstream:
        rounds = measure(options, upstream, home)
    expected = options.streams * options.rate * options.seconds
    baseline = rounds[0][1]
    table(
        "Streams at once, one more of which nobody reads",
        (
            "through",
            "tokens",
            "delay: median",
            "99 %",
            "longer than the relay's median",
            "growth",
            "longest stall",
            "stalls above 50 ms",
            "CPU a token",
            "hung up after: median",
            "longest",
        ),
        [
            (
                name,
                f"{seen.tokens} of {expected}",
                f"{seen.delay_ms(0.5):.1f} ms",
                f"{seen.delay_ms(0.99):.1f} ms",
                f"{seen.delay_ms(0.5) - baseline.delay_ms(0.5):+.1f} ms",
                f"{seen.grown_mb:.0f} MB",
                f"{seen.stall_ms:.0f} ms",
                f"{seen.stalls:.0f}",
                f"{seen.cpu_s / max(1, seen.tokens) * 1e6:.0f} µs",
                f"{statistics.median(seen.left_ms):.0f} ms",
                f"{max(seen.left_ms):.0f} ms",
            )
            for name, seen in rounds
        ],
    )
    print(
        "\nBounds for the endpoint transport: 10 ms a token on its way, 150 MB of growth, "
        "no stall above 50 ms, 150 ms to hang up."
    )


if __name__ == "__main__":
    main()

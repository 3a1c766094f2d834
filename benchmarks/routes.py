"""Cost of the routes: the list of models from the cache, sources that hang, and the host's event loop.

    [COMFYUI_PATH=…] python benchmarks/routes.py [--rounds 200]

The list is asked for on ComfyUI where COMFYUI_PATH names one, else on the tests' stand-in, in turn with one
of the host's own small routes. The stalls of the loop are measured in a server of its own, beside the same
loop without our routes.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.insert(0, str(ROOT / "tests"))

from setting import load_pack, machine, table  # noqa: E402

load_pack()

from host.fixtures import PACKS  # noqa: E402
from host.process import Host, real_host  # noqa: E402
from wire.lists import HANG, list_server  # noqa: E402
from wire.server import WireServer  # noqa: E402

from quillwork.config import providers  # noqa: E402
from quillwork.config.access.session_keys import SessionKeys  # noqa: E402
from quillwork.config.models.catalog import Catalog  # noqa: E402
from quillwork.config.settings.home import use_llm_folders  # noqa: E402
from quillwork.config.settings.values import load  # noqa: E402
from quillwork.interfaces.http.adapters.aiohttp import PATH, Adapter  # noqa: E402
from quillwork.llm_backends.runner import runner  # noqa: E402

MODELS = 400
SIX = ("openai", "anthropic", "gemini", "groq", "mistral", "deepseek")
HANGING = ("groq", "gemini")


def milliseconds(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def spread(times: list[float]) -> str:
    ordered = sorted(times)
    return (
        f"{statistics.median(times):.2f} ms, best {ordered[0]:.2f}, "
        f"95 % below {ordered[int(len(times) * 0.95)]:.2f}"
    )


def asking(address: str, path: str) -> Callable[[], bytes]:
    """Make a GET on one connection that is kept open, as a browser's is."""
    connection = http.client.HTTPConnection(address, timeout=60)

    def get() -> bytes:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    return get


def cached_list(rounds: int) -> list[tuple[str, ...]]:
    with WireServer.in_thread() as wire, tempfile.TemporaryDirectory() as folder:
        wire.models = [f"fox/model-{number}" for number in range(MODELS)]
        host = Host(Path(folder), {"LLM_BASE_URL": f"{wire.url}/v1"}, PACKS)
        try:
            address = host.base_url.removeprefix("http://")
            ours, own = asking(address, "/quillwork/llm/models"), asking(address, "/queue")
            listed = json.loads(ours())["models"]
            assert sum("fox/model-" in model["id"] for model in listed) == MODELS
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(rounds):
                times[0].append(milliseconds(ours))
                times[1].append(milliseconds(own))
        finally:
            host.close()
    return [(f"{MODELS} models, n = {rounds}", spread(times[0]), spread(times[1]), "≤ 5 ms")]


def six_sources(rounds: int) -> list[tuple[str, ...]]:
    """Time six providers at one imitation server; two of them never answer."""
    with list_server() as lists:
        table_of = {row.id: row for row in providers.every()}
        for id in SIX:
            table_of[id] = dataclasses.replace(table_of[id], default_base_url=f"{lists.url}/{id}")
            os.environ[table_of[id].key_variables[0]] = "sk-not-a-key-0123456789"
            path = f"/{id}{(table_of[id].list_path or '').partition('?')[0]}"
            rows = [{"id": f"chat-{number}", "name": f"models/chat-{number}"} for number in range(50)]
            lists.answers[path] = HANG if id in HANGING else {"data": rows}
        saved, providers._table = providers._table, lambda: table_of  # type: ignore[assignment]
        try:
            walls, complete = [], 0
            for _ in range(rounds):
                catalog = Catalog(keys=SessionKeys())
                began = time.perf_counter()
                found = runner.run(catalog.listing(load()))
                walls.append(time.perf_counter() - began)
                good = {source.id: source.count for source in found.sources if source.state == "ok"}
                complete += good == {id: 50 for id in SIX if id not in HANGING}
        finally:
            providers._table = saved  # type: ignore[assignment]
            for id in SIX:
                os.environ.pop(table_of[id].key_variables[0])
    return [(f"n = {rounds}", f"{max(walls):.2f} s at worst", f"{complete} of {rounds} complete", "≤ 2.5 s")]


class Lag:
    """The lag of an event loop: a task that is due every millisecond measures it."""

    def __init__(self) -> None:
        self.worst = 0.0
        self.over = 0

    async def watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            late = time.perf_counter() - began - 0.001
            self.worst = max(self.worst, late)
            self.over += late > 0.02

    def reset(self) -> None:
        self.worst, self.over = 0.0, 0


class NobodysHost:
    listens = ("127.0.0.1",)

    def unload_local(self) -> bool:
        return False

    def watch_keys(self) -> None:
        pass


@contextmanager
def serving(lag: Lag) -> Iterator[str]:
    """Serve our routes and an empty one on a loop of their own; yields the address."""
    from aiohttp import web

    ready, addresses = threading.Event(), []
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def nothing(request: web.Request) -> web.Response:
        return web.json_response({})

    async def live() -> None:
        app = web.Application()
        app.router.add_route("*", PATH, Adapter(NobodysHost))
        app.router.add_get("/nothing", nothing)
        server = web.AppRunner(app, access_log=None)
        await server.setup()
        await web.TCPSite(server, "127.0.0.1", 0).start()
        addresses.append(f"127.0.0.1:{server.addresses[0][1]}")
        watching = asyncio.create_task(lag.watch())
        ready.set()
        await stop.wait()
        watching.cancel()
        await server.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),), daemon=True)
    thread.start()
    ready.wait(10)
    yield addresses[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


def loop_stalls(rounds: int) -> list[tuple[str, ...]]:
    """Measure the worst stall over each route's calls, the very first ones apart."""
    lag, rows = Lag(), []
    with WireServer.in_thread() as wire, serving(lag) as address:
        wire.models = [f"fox/model-{number}" for number in range(MODELS)]
        os.environ["LLM_BASE_URL"] = f"{wire.url}/v1"
        try:
            lag.reset()
            for path in ("llm/models", "config", "health"):
                asking(address, f"/quillwork/{path}")()
            rows.append(
                ("the first calls of a process", f"{lag.worst * 1000:.1f} ms", str(lag.over), "≤ 20 ms")
            )
            for path in (
                "/nothing",
                *map(
                    "/quillwork/{}".format,
                    (
                        "llm/models",
                        "llm/models?all=1",
                        "llm/providers",
                        "keys",
                        "config",
                        "health",
                        "targets",
                        "variables",
                        "openapi.json",
                    ),
                ),
            ):
                get = asking(address, path)
                get()
                lag.reset()
                for _ in range(rounds):
                    get()
                rows.append((path, f"{lag.worst * 1000:.1f} ms", str(lag.over), "≤ 20 ms"))
        finally:
            os.environ.pop("LLM_BASE_URL")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    use_llm_folders(lambda: ())
    with tempfile.TemporaryDirectory() as home:
        os.environ["QUILLWORK_HOME"] = home
        where = "ComfyUI" if real_host() else "the stand-in"
        print(f"{machine()}; host: {where}")
        table(
            "GET llm/models from the cache",
            ("what", "ours", "the host's own /queue", "bound"),
            cached_list(options.rounds),
        )
        table("Six sources of which two hang", ("what", "wall", "the other four", "bound"), six_sources(3))
        table(
            "The host's loop stands still",
            ("calls", "at worst", "stalls above 20 ms", "bound"),
            loop_stalls(max(20, options.rounds // 4)),
        )


if __name__ == "__main__":
    main()

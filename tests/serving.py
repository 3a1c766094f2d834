"""Loopback servers of the tests on a loop thread: for tests without a loop, or with one that they block."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from aiohttp import web

T = TypeVar("T")

# Longer than a start takes on any machine.
PATIENCE_S = 60.0


@contextlib.contextmanager
def in_thread(server: AbstractAsyncContextManager[T], name: str) -> Iterator[T]:
    """Keep `server` open on a loop thread called `name`; yields its value."""
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    opened: list[T] = []

    async def live() -> None:
        async with server as entered:
            opened.append(entered)
            started.set()
            await stop.wait()

    def run() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(live())

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    assert started.wait(PATIENCE_S), f"the server {name} did not start"
    try:
        yield opened[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)


@contextlib.asynccontextmanager
async def serving(app: web.Application, *ports: int) -> AsyncIterator[list[str]]:
    """The origins (``http://127.0.0.1:PORT``) that `app` is served at, one for each of `ports`; 0 takes a
    free one."""
    # Clients that leave in the middle are what is tested, not worth a traceback each.
    quiet = logging.getLogger("serving")
    quiet.setLevel(logging.CRITICAL)
    runner = web.AppRunner(
        app, handler_cancellation=True, access_log=None, logger=quiet, shutdown_timeout=0.1
    )
    await runner.setup()
    try:
        for port in ports:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        yield [f"http://127.0.0.1:{address[1]}" for address in runner.addresses]
    finally:
        await runner.cleanup()

"""Web UI as the routes see it: where it listens, its queue, its own logins."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ....llm_backends import registry
from ....llm_backends.host import Host
from ....llm_backends.local.unload import unload_in_place
from ...http.adapters.fastapi import Adapter, add_routes
from ...http.key_watch import KeyWatch
from .folders import picture_folder, results_folder
from .login import HostLogin
from .lookup import shared
from .queue import QueuedWork, others_wait

T = TypeVar("T")

_EVERYWHERE = "0.0.0.0"  # noqa: S104 (looked at, not bound)
# A name that no request can have.
_TUNNEL = "a tunnel"


def open_routes(demo: Any, app: Any) -> None:
    """Serve everything below ``/quillwork`` on the host's `app`, for ``on_app_started``.

    `demo` is the page, None with ``--nowebui``.
    """
    options = getattr(shared(), "cmd_opts", None)
    host = WebUiHttpHost(options, demo)
    add_routes(app, Adapter(lambda: host, HostLogin(app, getattr(options, "api_auth", None)).refuses))


class WebUiHttpHost:
    """Implementation of `interfaces.http.messages.HttpHost` for the web UIs."""

    def __init__(self, options: Any, demo: Any = None) -> None:
        """Take the host's command line as `options`."""
        self.listens = tuple(_addresses(options, demo))
        self._watch = KeyWatch(Anybody, tuple)

    def unload_local(self) -> bool:
        """Have our models unloaded once what runs or waits in the host's queue is done."""
        there = any(getattr(backend, "runs_in_place", False) for backend in registry.made())
        if there:
            QueuedWork(lambda host: unload_in_place())
        return there

    def watch_keys(self) -> None:
        self._watch.start()

    def counter_for(self, encoders: tuple[str, ...], limit: int | None) -> Callable[[str], int | None] | None:
        return None

    def picture_folder(self, name: str) -> Path:
        return picture_folder(name)

    def results_folder(self) -> Path:
        return results_folder()

    def others_wait(self) -> bool:
        return others_wait()

    async def run_in_turn(self, work: Callable[[Host], T]) -> T:
        return await asyncio.wrap_future(QueuedWork(work).future)


class Anybody(Collection[str]):
    """Set of open browser sessions on a host that does not report them: any may be open."""

    def __contains__(self, session: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(("",))

    def __len__(self) -> int:
        return 1


def _addresses(options: Any, demo: Any) -> Iterator[str]:
    name = getattr(options, "server_name", None)
    if name or getattr(options, "listen", False):
        yield str(name or _EVERYWHERE)
    elif demo is None:
        yield _EVERYWHERE  # without the page the host names no address, and its server listens on all of them
    else:
        yield os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    if getattr(options, "share", False) or getattr(options, "ngrok", None) or getattr(demo, "share", False):
        yield _TUNNEL

"""Expiry of session keys with the browsers and jobs that they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from ...config.access.session_keys import SessionKeys, session_keys

EVERY_S = 30.0


class KeyWatch:
    """Periodic check of the keys, on the host's own loop, and only while there is a key.

    `browsers` are the sessions that are open now, `jobs` the ids of those that wait or run.
    """

    def __init__(
        self,
        browsers: Callable[[], Collection[str]],
        jobs: Callable[[], Collection[str]],
        keys: SessionKeys = session_keys,
        every_s: float = EVERY_S,
    ) -> None:
        self._browsers = browsers
        self._jobs = jobs
        self._keys = keys
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, unless that is under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    @property
    def is_watching(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _watch(self) -> None:
        while self._keys.providers() or self._keys.jobs():
            await asyncio.sleep(self._every_s)
            self._keys.sweep(self._browsers())
            self._keys.release(self._jobs())

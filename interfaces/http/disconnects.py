"""Detection of clients that disconnect.

A framework reports a disconnect only to a handler that writes, and an answer may be long in coming.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

EVERY_S = 0.05
# A client that takes nothing for this long is dropped.
PATIENCE_S = 60.0


class Client:
    """One client that is being answered.

    `is_gone` is called now and then. `at_end` is called when it returns True, or when the client has taken
    too long over what is being sent: at every look, until the client is forgotten, because a task may swallow
    its cancellation (`asyncio.wait_for` does before Python 3.12).
    """

    def __init__(self, is_gone: Callable[[], bool], at_end: Callable[[], object]) -> None:
        self.is_gone = is_gone
        self.at_end = at_end
        self.sending_since: float | None = None


class Disconnects:
    """All clients of one event loop, checked together: a timer for each costs more than the check."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._clients: set[Client] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, client: Client) -> None:
        self._clients.add(client)
        if self._timer is None:
            self._wait(asyncio.get_running_loop())

    def forget(self, client: Client) -> None:
        self._clients.discard(client)

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(EVERY_S, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for client in [client for client in self._clients if self._is_over(client, now)]:
            client.at_end()
        self._timer = None
        if self._clients:
            self._wait(loop)

    def _is_over(self, client: Client, now: float) -> bool:
        since = client.sending_since
        return client.is_gone() or (since is not None and now - since > self._patience_s)

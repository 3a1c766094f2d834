"""Session keys, typed into a panel: held in memory for this session, and nowhere else."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from ...llm_backends.remote.addresses import api_base
from ...llm_backends.remote.http_client import origin_of
from ...llm_backends.types import Secret
from ..pasted import key_in

ENDPOINT = "endpoint"
IDLE_S = 8 * 3600.0
# A tab that is reloaded, or a laptop that sleeps a while, keeps its keys.
GRACE_S = 15 * 60.0
_LAST_FOUR_FROM = 12
_MOST_JOBS = 1000
# A host may look at a prompt for a while before it is in its queue.
_QUEUEING_S = 60.0


@lru_cache(maxsize=128)  # asked at every look at the settings
def endpoint_id(address: str) -> str:
    """The name of the key of the endpoint at `address`: its origin, so that no other server is sent it."""
    try:
        return f"{ENDPOINT} {origin_of(api_base(address))}"
    except ValueError:
        return f"{ENDPOINT} "  # no address at all: no server can be called there


@dataclass(slots=True)
class _Held:
    """A held key. `owner` is the browser session that typed it, "" where that is unknown."""

    key: Secret
    owner: str
    used: float
    gone_since: float | None = None


_as_queued: ContextVar[Mapping[str, Secret] | None] = ContextVar("quillwork_keys_as_queued", default=None)


class SessionKeys:
    """The session keys by provider id, for all users of the host as long as the typing user's session.

    A key goes when it is cleared, when it has not been used for `IDLE_S` seconds, when its browser session
    has been gone for `GRACE_S` seconds, and with the program. No timer runs: `get` looks at the time, and the
    server of the browsers calls `sweep` now and then. A call in flight keeps the key that it began with (it
    holds the `Secret`), and so does a job that was queued with `capture`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._jobs: dict[str, tuple[float, dict[str, Secret]]] = {}
        self._on_clear: list[Callable[[], None]] = []

    def on_clear(self, listener: Callable[[], None]) -> None:
        """Call `listener` after keys were cleared, so that clients that hold them are dropped."""
        self._on_clear.append(listener)

    def set(self, provider: str, key: str, owner: str = "") -> None:
        """Keep `key`, as it was pasted, for `provider`. Raises ValueError for what is no key."""
        key = key_in(key)
        with self._lock:
            replaced = provider in self._held
            self._held[provider] = _Held(Secret(key), owner, self._clock())
        if replaced:
            self._tell()

    def get(self, provider: str) -> Secret | None:
        """The key of `provider`, if any; for a queued job the one that it was queued with."""
        queued = _as_queued.get()
        if queued is not None and provider in queued:
            return queued[provider]
        with self._lock:
            held = self._held.get(provider)
            if held is None:
                return None
            if self._clock() - held.used <= IDLE_S:
                held.used = self._clock()
                return held.key
        self.clear(provider)
        return None

    def peek(self, provider: str) -> Secret | None:
        """Look up a key as `get` does, without counting as a use."""
        with self._lock:
            held = self._held.get(provider)
            return held.key if held is not None and self._clock() - held.used <= IDLE_S else None

    def last_four(self, provider: str) -> str:
        """The last four characters of the key, to tell it from others; empty for one too short for that."""
        with self._lock:
            held = self._held.get(provider)
            key = held.key.reveal() if held else ""
        return key[-4:] if len(key) >= _LAST_FOUR_FROM else ""

    def providers(self) -> list[str]:
        """The ids of the providers whose keys are held."""
        with self._lock:
            return sorted(self._held)

    def clear(self, provider: str | None = None) -> None:
        """Forget the key of `provider`, or all keys; ``endpoint`` is every endpoint's."""
        with self._lock:
            if provider is None:
                self._held.clear()
            elif provider == ENDPOINT:
                for id in [id for id in self._held if id.partition(" ")[0] == ENDPOINT]:
                    del self._held[id]
            else:
                self._held.pop(provider, None)
        self._tell()

    def sweep(self, alive: Collection[str]) -> None:
        """Forget idle keys, and those of browser sessions that are gone; `alive` are the others.

        A key of an unknown session lives as long as there is any session.
        """
        now = self._clock()
        gone = []
        with self._lock:
            for provider, held in self._held.items():
                if held.owner in alive or (not held.owner and alive):
                    held.gone_since = None
                elif held.gone_since is None:
                    held.gone_since = now
                if now - held.used > IDLE_S or (
                    held.gone_since is not None and now - held.gone_since >= GRACE_S
                ):
                    gone.append(provider)
            for provider in gone:
                del self._held[provider]
        if gone:
            self._tell()

    def capture(self, job: str) -> None:
        """Let the job of that id keep the keys as they are now."""
        with self._lock:
            if self._held:
                keys = {provider: held.key for provider, held in self._held.items()}
                self._jobs[job] = (self._clock(), keys)
            while len(self._jobs) > _MOST_JOBS:
                self._jobs.pop(next(iter(self._jobs)))

    def release(self, waiting: Collection[str]) -> None:
        """Forget the keys of all jobs but those that are `waiting` or running, or about to."""
        with self._lock:
            since = self._clock() - _QUEUEING_S
            self._jobs = {job: kept for job, kept in self._jobs.items() if job in waiting or kept[0] > since}

    def jobs(self) -> list[str]:
        """The jobs that keep keys."""
        with self._lock:
            return list(self._jobs)

    @contextlib.contextmanager
    def as_queued(self, job: str | None) -> Iterator[None]:
        """Have `get` return the keys that the job was queued with."""
        with self._lock:
            kept = self._jobs.get(job or "")
        token = _as_queued.set(kept[1] if kept else None)
        try:
            yield
        finally:
            _as_queued.reset(token)

    def _tell(self) -> None:
        for listener in self._on_clear:
            listener()


session_keys = SessionKeys()
atexit.register(session_keys.clear)

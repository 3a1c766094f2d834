"""Import of litellm as a library: once, in a thread of its own, with no trace in the environment."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import importlib
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

from . import presence
from .errors import missing_library
from .silent_log import ignore_leftovers

# Without these the import reads a .env of the working folder and asks GitHub for prices.
_IMPORT_ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
}
# What the library's own modules leave in the environment while they are imported.
_IMPORT_TRACES = ("TIKTOKEN_CACHE_DIR",)
# Python looks for garbage after 700 or 2,000 new objects; the import makes a million that stay.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")


class Library:
    """The module `litellm`, imported when a call first needs it."""

    def __init__(self) -> None:
        self._coming: concurrent.futures.Future[Any] | None = None
        self._lock = threading.Lock()

    async def load(self) -> Any:
        """Import litellm: it takes seconds, and a cancelled call does not wait for it.
        Raises `DependencyMissing`."""
        coming = self.begin()
        if not coming.done():
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            coming.add_done_callback(lambda _: _wake(waiting))
            await waiting
        failure = coming.exception()
        if failure is not None:
            assert isinstance(failure, Exception)
            raise missing_library(failure) from None
        return coming.result()

    def begin(self) -> concurrent.futures.Future[Any]:
        """Begin to import litellm unless that was done; returns at once."""
        with self._lock:
            if self._coming is None or (self._coming.done() and self._coming.exception()):
                self._coming = concurrent.futures.Future()
                # A daemon: an interpreter that wants to end does not wait for an import either.
                threading.Thread(
                    target=_import_into, args=(self._coming,), name="quillwork-litellm", daemon=True
                ).start()
            return self._coming

    def loaded(self) -> Any:
        """Return the module, None where it is not imported."""
        coming = self._coming
        return coming.result() if coming is not None and coming.done() and not coming.exception() else None


def _import_into(future: concurrent.futures.Future[Any]) -> None:
    before = {name: os.environ.get(name) for name in (*_IMPORT_ENVIRONMENT, *_IMPORT_TRACES)}
    os.environ.update(_IMPORT_ENVIRONMENT)
    try:
        with fewer_collections():
            import litellm

            # Imported at the first count of tokens otherwise, and then it changes the environment.
            for module in ("litellm.litellm_core_utils.default_encoding", "litellm.utils"):
                with contextlib.suppress(ModuleNotFoundError):
                    importlib.import_module(module)
            # The first call would wait for its client's libraries as well.
            with contextlib.suppress(ImportError):
                importlib.import_module(".clients", __package__)
    except Exception as error:  # noqa: BLE001 - a broken library breaks in every way there is
        presence.note_failure(error)
        future.set_exception(error)
        return
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    litellm.suppress_debug_info = True
    for logger in map(logging.getLogger, _LOGGERS):
        # Prompts are in its debug lines, and in its error lines what users are told better.
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False
    ignore_leftovers()
    future.set_result(litellm)


@contextlib.contextmanager
def fewer_collections() -> Iterator[None]:
    """Have Python look for garbage less often: a sixth of an import's time goes into that.

    What somebody else has chosen meanwhile stays, and so does no collection at all.
    """
    before = gc.get_threshold()
    raised = (max(before[0], _OBJECTS_BETWEEN_COLLECTIONS), *before[1:])
    if before[0]:
        gc.set_threshold(*raised)
    try:
        yield
    finally:
        if gc.get_threshold() == raised:
            gc.set_threshold(*before)


def _wake(waiting: asyncio.Future[None]) -> None:
    def wake() -> None:
        if not waiting.done():
            waiting.set_result(None)

    loop = waiting.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake)

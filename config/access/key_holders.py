"""Holders of keys: clients that were made with a key forget it when it is cleared."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from ...llm_backends import registry
from ...llm_backends.runner import runner
from .session_keys import SessionKeys

_log = logging.getLogger("quillwork")


def watch(keys: SessionKeys) -> None:
    """Watch `keys`: from now on clearing them reaches every backend in use."""
    keys.on_clear(forget_everywhere)


def forget_everywhere() -> None:
    """Ask each backend in use to forget its keys, or else to close its clients, on the runner's loop."""
    holders = [backend for backend in registry.made() if not getattr(backend, "runs_in_place", False)]
    if not holders:
        return
    try:
        runner.submit(_forget(holders))
    except RuntimeError:
        return  # the program is ending, and the clients with it


async def _forget(holders: list[Any]) -> None:
    for backend in holders:
        forget = getattr(backend, "forget_keys", None) or backend.close
        try:
            done = forget()
            if inspect.isawaitable(done):
                await done
        except Exception as error:  # noqa: BLE001 (another pack's backend)
            _log.warning("A backend did not forget its keys (%s).", type(error).__name__)

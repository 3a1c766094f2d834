"""The fixture ``hub``: one imitation of the hub for the whole run, fresh for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.server import HubServer


@pytest.fixture(scope="session")
def _hub_thread() -> Iterator[HubServer]:
    with HubServer.in_thread() as server:
        yield server


@pytest.fixture
def hub(_hub_thread: HubServer, tmp_path: Path) -> HubServer:
    _hub_thread.reset(tmp_path)
    return _hub_thread

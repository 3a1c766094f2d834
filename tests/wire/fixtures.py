"""The fixture ``wire``: one imitation server for the whole run, fresh for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wire.server import WireServer


@pytest.fixture(scope="session")
def _wire_thread() -> Iterator[WireServer]:
    with WireServer.in_thread() as server:
        yield server


@pytest.fixture
def wire(_wire_thread: WireServer) -> WireServer:
    """The imitation server (`url`, `log`, `disconnects`, `peak`, `script`), without earlier traces."""
    _wire_thread.reset()
    return _wire_thread

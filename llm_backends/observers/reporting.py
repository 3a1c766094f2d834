"""Delivery of a report to a service that observes calls, from the observer's own thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..remote.http_client import client
from ..runner import runner

_PATIENCE_S = 10.0


class NotTaken(Exception):
    """The service did not take a report."""


def post(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """Post `body` to `url`. Raises `NotTaken` and the network's errors."""
    runner.run(_post(url, body, headers))


async def _post(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    async def send() -> int:
        async with client.post(url, body, headers) as response:
            await response.content.read(64 * 1024)
            return response.status

    status = await asyncio.wait_for(send(), _PATIENCE_S)
    if not 200 <= status < 300:
        raise NotTaken(f"status {status}")

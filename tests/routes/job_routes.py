"""Requests to the routes of jobs, and waits for what becomes of a job."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from host.client import Response
from host.process import Host

WAIT_S = 60.0


def until(came: Callable[[], Any]) -> Any:
    end = time.monotonic() + WAIT_S
    while not (found := came()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def post(host: Host, path: str = "jobs", headers: Any = None, **body: Any) -> Response:
    return host.post(f"/quillwork/{path}", json=body, headers={"X-Quillwork": "1", **(headers or {})})


def jobs(host: Host) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = host.get("/quillwork/jobs").json()["jobs"]
    return found


def in_state(host: Host, *states: str) -> Callable[[], Any]:
    return lambda: next((job for job in jobs(host) if job["state"] in states), None)

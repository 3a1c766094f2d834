"""A transport for requests and answers that travel another way, such as in a batch."""

from __future__ import annotations

import httpx


class Recorded(httpx.AsyncBaseTransport):
    """A transport that sends nothing: it keeps the `request`, and answers with `status` and `body` (JSON)."""

    def __init__(self, status: int = 400, body: str = "{}") -> None:
        self._status, self._body = status, body
        self.request: httpx.Request | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.request = request
        headers = {"content-type": "application/json"}
        return httpx.Response(self._status, headers=headers, content=self._body.encode())

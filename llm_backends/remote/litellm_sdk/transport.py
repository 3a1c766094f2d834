"""The transport under litellm's clients: one request to one address with one key, and a record of it.

litellm follows redirects (and sends the key along), tries again by itself, lets OPENAI_* and other packs'
settings add to a call, and reports the same fault differently for every provider. So the rules are kept, and
events recorded, at the place that every request passes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from ...types import Secret
from ..http_client import origin_of, proxy_for

# Bytes of one answer as it comes over the wire; frames around short texts make it larger than the text.
LONGEST_ANSWER = 64 * 2**20
_LONGEST_FRAME = 4 * 2**20
_LONGEST_REFUSAL = 64 * 2**10
_EVENT_FIELDS = (b"event:", b"id:", b"retry:")
_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
_ACCOUNT_HEADERS = ("openai-organization", "openai-project")


class NotAllowed(httpx.TransportError):
    """litellm wanted to send a request that does not belong to this call."""


@dataclass
class Transmission:
    """The exchange of one call: the request that it may send, and the record of the response.

    `pictures` are ends of the pictures' base64, all of which have to be in the request: for models that it
    does not know, litellm silently takes pictures out of it (`lost_pictures`). `guards` says that all
    requests of the call pass here, `is_over` that nothing may be sent any more. `status`, `headers` and (of a
    refusal) `body` are the other side's. `error` is the failure on the wire, `begun` whether that was after
    the answer had begun. `frames` counts the events of a stream (which it can where it is `in_frames`),
    `malformed` says that one could not be read, `complaint` is the one in which the other side reported a
    fault of its own.
    """

    origin: str
    key: Secret | None = None
    signs: bool = False
    pictures: tuple[bytes, ...] = ()
    lost_pictures: bool = False
    guards: bool = False
    is_over: bool = False
    sent: int = 0
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    error: Exception | None = None
    begun: bool = False
    too_large: bool = False
    malformed: bool = False
    complaint: str = ""
    in_frames: bool = False
    frames: int = 0

    @property
    def is_good(self) -> bool:
        """Tell whether the other side's status promises an answer."""
        return self.status is not None and self.status < 300

    @property
    def is_faulty(self) -> bool:
        """Tell whether the response has something that no good answer holds."""
        return self.malformed or self.too_large or bool(self.complaint)

    @property
    def is_no_stream(self) -> bool:
        """Tell whether the response, without a fault, was no stream: a web page, an answer in one piece."""
        if self.in_frames:
            return not self.frames
        return self.is_good and self.headers.get("content-type", "").startswith("application/json")

    def admit(self, request: httpx.Request) -> None:
        """Count a request and remove headers that are not this call's. Raises `NotAllowed`."""
        if self.is_over:
            raise NotAllowed("a request for a call that was stopped")
        self.sent += 1
        if self.sent > 1:
            raise self.error or NotAllowed("a second request for one call")
        if origin_of(str(request.url)) != self.origin:
            raise NotAllowed(f"a request to {origin_of(str(request.url))}")
        if not all(end in request.content for end in self.pictures):
            self.lost_pictures = True
            raise NotAllowed("a question without its pictures")
        for name in _ACCOUNT_HEADERS:
            request.headers.pop(name, None)
        for name in _KEY_HEADERS:
            if name in request.headers and not self._is_ours(request.headers[name]):
                del request.headers[name]

    def _is_ours(self, value: str) -> bool:
        if self.key is not None and self.key.reveal() in value:
            return True
        return self.signs and value.startswith("AWS4-HMAC-")


class Transports:
    """The connections of one event loop, one pool for each proxy (and one for none)."""

    def __init__(self) -> None:
        self._trust = httpx.create_ssl_context()
        self._pools: dict[str | None, httpx.AsyncHTTPTransport] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def client(self, base_url: str, exchange: Transmission, timeout_s: float) -> httpx.AsyncClient:
        """A client for one call; the connections below it are shared and outlive it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._pools, self._loop = {}, loop
        proxy = proxy_for(base_url)
        pool = self._pools.get(proxy)
        if pool is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=60)
            pool = self._pools[proxy] = httpx.AsyncHTTPTransport(
                verify=self._trust, proxy=proxy, limits=limits
            )
        return httpx.AsyncClient(
            transport=_Recorder(pool, exchange), follow_redirects=False, trust_env=False, timeout=timeout_s
        )

    async def close(self) -> None:
        pools, self._pools = self._pools, {}
        if self._loop is asyncio.get_running_loop():
            for pool in pools.values():
                await pool.aclose()


class _Recorder(httpx.AsyncBaseTransport):
    def __init__(self, pool: httpx.AsyncHTTPTransport, exchange: Transmission) -> None:
        self._pool = pool
        self._exchange = exchange

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = self._exchange
        try:
            exchange.admit(request)
            response = await self._pool.handle_async_request(request)
        except Exception as error:
            exchange.error = exchange.error or error
            raise
        exchange.status = response.status_code
        exchange.headers = {name.lower(): value for name, value in response.headers.items()}
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Watched(response.stream, exchange)
        if exchange.is_good:
            return response
        # A refusal is short, and litellm shows little of it: it is read here, once, for both.
        raw = b"".join([piece async for piece in response.stream])
        await response.stream.aclose()
        refusal = httpx.Response(response.status_code, headers=response.headers, content=raw)
        exchange.body = refusal.text
        return refusal

    async def aclose(self) -> None:
        """Close nothing: the pool is not this client's."""


class _Watched(httpx.AsyncByteStream):
    """A stream under watch. It passes bytes on, and stops at an event that is too long or cannot be read:
    many of litellm's readers skip a broken event, and with it a piece of the answer."""

    def __init__(self, stream: httpx.AsyncByteStream, exchange: Transmission) -> None:
        self._stream = stream
        self._exchange = exchange
        self._rest = b""
        kind = exchange.headers.get("content-type", "")
        self._prefix = b"data:" if "event-stream" in kind and "vnd.amazon" not in kind else b""
        plain = exchange.headers.get("content-encoding", "identity") == "identity"
        exchange.in_frames = plain and exchange.is_good and (bool(self._prefix) or "ndjson" in kind)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange, length = self._exchange, 0
        longest = LONGEST_ANSWER if exchange.is_good else _LONGEST_REFUSAL
        try:
            async for piece in self._stream:
                exchange.begun = True
                length += len(piece)
                if length > longest:
                    if not exchange.is_good:
                        return
                    raise self._too_large()
                if not exchange.in_frames:
                    yield piece
                elif lines := self._read(piece):
                    yield lines
            if self._rest:
                self._check(self._rest)
                yield self._rest
        except Exception as error:
            exchange.error = exchange.error or error
            raise

    def _read(self, piece: bytes) -> bytes:
        """The lines that are whole with `piece`, without comments: after a comment (OpenRouter sends them
        while a model thinks) many of litellm's readers lose the next event."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_FRAME:
            raise self._too_large()
        kept = [line for line in lines if not line.startswith(b":")]
        for line in kept:
            self._check(line)
        return b"".join(line + b"\n" for line in kept)

    def _check(self, line: bytes) -> None:
        if self._prefix and not line.startswith(self._prefix):
            if line.strip() and not line.startswith(_EVENT_FIELDS):
                raise self._malformed()
            return
        data = line[len(self._prefix) :].strip()
        if not data or data == b"[DONE]":
            return
        try:
            event = json.loads(data)
        except ValueError:
            raise self._malformed() from None
        self._exchange.frames += 1
        if isinstance(event, dict) and event.get("error"):
            self._exchange.complaint = data.decode(errors="replace")

    def _malformed(self) -> httpx.DecodingError:
        self._exchange.malformed = True
        return httpx.DecodingError("an event that cannot be read")

    def _too_large(self) -> httpx.ReadError:
        self._exchange.too_large = True
        return httpx.ReadError("the answer is too long")

    async def aclose(self) -> None:
        await self._stream.aclose()

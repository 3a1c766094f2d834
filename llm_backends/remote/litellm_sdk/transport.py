"""The transport under litellm's clients: one request to one address with one key, and a record of it.

litellm follows redirects (and sends the key along), tries again by itself, lets OPENAI_* and other packs'
settings add to a call, and reports the same fault differently for every provider. So the rules are kept, and
events recorded, at the place that every request passes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from ...types import Secret
from ..chunk_reader import ChunkReader
from ..http_client import bundles, origin_of, proxy_for, trust
from ..reasons import decode_text
from .watched_stream import WatchedStream

_ASKS_STREAM = re.compile(rb'"stream":\s*true')
_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
# Amazon's and Oracle's.
_SIGNATURES = ("AWS4-HMAC-", "Signature version=")
_ACCOUNT_HEADERS = ("openai-organization", "openai-project")


class NotAllowed(httpx.TransportError):
    """litellm wanted to send a request that does not belong to this call."""


@dataclass
class Transmission:
    """The exchange of one call: the request that it may send, and the record of the response.

    `signs` says that the key signs the request and is not sent, `sign` does so where litellm does it badly.
    `pictures` are ends of the pictures' base64, all of which have to be in the request: for models that it
    does not know, litellm silently takes pictures out of it (`lost_pictures`). `guards` says that all
    requests of the call pass here, `is_over` that nothing may be sent any more. `status`, `headers` and (of a
    refusal) `body` are the other side's. `error` is the failure on the wire, `begun` whether that was after
    the answer had begun. `frames` counts the events of a stream (which it can where it is `in_frames`),
    `malformed` says that one could not be read, `complaint` is the one in which the other side reported a
    fault of its own. `asks_stream` says that a stream was asked for, `end_is_marked` that ``[DONE]`` came;
    `answer` has read the frames of OpenAI's format, `stray` is what stood beside them. `url` is the address
    that was called.
    """

    origin: str
    key: Secret | None = None
    signs: bool = False
    sign: Callable[[httpx.Request], httpx.Request] | None = None
    pictures: tuple[bytes, ...] = ()
    lost_pictures: bool = False
    guards: bool = False
    is_over: bool = False
    sent: int = 0
    url: str = ""
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
    asks_stream: bool = False
    end_is_marked: bool = False
    stray: str = ""
    answer: ChunkReader = field(default_factory=ChunkReader)

    @property
    def is_good(self) -> bool:
        """Tell whether the other side's status promises an answer."""
        return self.status is not None and self.status < 300

    @property
    def is_faulty(self) -> bool:
        """Tell whether the response has something that no good answer holds."""
        return self.malformed or self.too_large or bool(self.complaint)

    @property
    def is_cut_off(self) -> bool:
        """Tell whether an answer in OpenAI's format has begun whose end was not announced."""
        return self.answer.has_begun and not (self.answer.is_finished or self.end_is_marked)

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
        self.asks_stream = _ASKS_STREAM.search(request.content) is not None
        self.url = self.url or str(request.url)
        if self.sent > 1:
            raise self.error or NotAllowed("a second request for one call")
        if origin_of(str(request.url)) != self.origin:
            raise NotAllowed(f"a request to {origin_of(str(request.url))}")
        if not all(end in request.content for end in self.pictures):
            self.lost_pictures = True
            raise NotAllowed("a request without its images")
        for name in _ACCOUNT_HEADERS:
            request.headers.pop(name, None)
        for name in _KEY_HEADERS:
            if name in request.headers and not self._is_ours(request.headers[name]):
                del request.headers[name]

    def _is_ours(self, value: str) -> bool:
        if self.key is not None and self.key.reveal() in value:
            return True
        return self.signs and value.startswith(_SIGNATURES)


class Transports:
    """The connections of one event loop, one pool for each proxy (and one for none). With a `stage` there are
    none, and it answers."""

    def __init__(self, stage: httpx.AsyncBaseTransport | None = None) -> None:
        self._stage = stage
        self._pools: dict[str | None, httpx.AsyncHTTPTransport] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def client(self, base_url: str, exchange: Transmission, timeout_s: float) -> httpx.AsyncClient:
        """A client for one call; the connections below it are shared and outlive it."""
        return httpx.AsyncClient(
            transport=_Recorder(self._stage or self._pool(base_url), exchange),
            follow_redirects=False,
            trust_env=False,
            timeout=timeout_s,
        )

    def _pool(self, base_url: str) -> httpx.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._pools, self._loop = {}, loop
        proxy = proxy_for(base_url)
        pool = self._pools.get(proxy)
        if pool is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=60)
            pool = self._pools[proxy] = httpx.AsyncHTTPTransport(
                verify=trust(bundles()), proxy=proxy, limits=limits
            )
        return pool

    async def close(self) -> None:
        pools, self._pools = self._pools, {}
        if self._loop is asyncio.get_running_loop():
            for pool in pools.values():
                await pool.aclose()


class _Recorder(httpx.AsyncBaseTransport):
    def __init__(self, pool: httpx.AsyncBaseTransport, exchange: Transmission) -> None:
        self._pool = pool
        self._exchange = exchange

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = self._exchange
        try:
            exchange.admit(request)
            if exchange.sign is not None:
                request = exchange.sign(request)
            response = await self._pool.handle_async_request(request)
        except Exception as error:
            exchange.error = exchange.error or error
            raise
        exchange.status = response.status_code
        exchange.headers = {name.lower(): value for name, value in response.headers.items()}
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = WatchedStream(response.stream, exchange)
        if exchange.is_good:
            return response
        # A refusal is short, and litellm shows little of it: it is read here, once, for both.
        raw = b"".join([piece async for piece in response.stream])
        await response.stream.aclose()
        refusal = httpx.Response(response.status_code, headers=response.headers, content=raw)
        exchange.body = decode_text(refusal.content, exchange.headers.get("content-type", ""))
        return refusal

    async def aclose(self) -> None:
        """Close nothing: the pool is not this client's."""

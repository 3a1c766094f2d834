"""Middleware of ComfyUI's for requests from other sites, which does little, and for browsers' caches."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware
from comfy.cli_args import args

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self' data:",
        "frame-src 'self'",
        "object-src 'self';",
    )
)


def middlewares() -> list[Middleware]:
    return [_cache, _origin, *([_no_outside] if args.disable_api_nodes else [])]


@web.middleware
async def _cache(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if request.path.endswith((".js", ".css")):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


@web.middleware
async def _origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or _foreign(request.headers):
        return web.Response(status=403)
    return web.Response() if request.method == "OPTIONS" else await handler(request)


def _foreign(headers: Any) -> bool:
    """Tell whether a request is foreign: only a loopback Host is compared, and only with an Origin's host."""
    if "Host" not in headers or "Origin" not in headers:
        return False
    asked, origin = urlsplit("//" + headers["Host"].lower()), urlsplit(headers["Origin"])
    if not _loopback(asked.hostname) or not asked.hostname or not origin.hostname:
        return False
    if asked.hostname != origin.hostname:
        return True
    return asked.port is not None and origin.port is not None and asked.port != origin.port


def _loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


@web.middleware
async def _no_outside(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = POLICY
    return response

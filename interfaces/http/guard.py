"""Access control: the one check in front of every route.

A host's own origin check lets pages of other sites through (a name that is pointed at this machine, the
origin ``null``, no origin at all). Here the Host must be one of this machine's, an Origin must be that
very host, what changes or costs something must carry a header that no foreign page can send, and a host
that is reached from elsewhere asks for its token.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from ...config.settings.values import Settings
from ...llm_backends.host import program
from ...llm_backends.system.loopback import is_loopback
from .messages import HttpError, HttpHost, HttpRequest

Access = Literal["open", "private", "change", "proxy"]
HEADER = "x-quillwork"
REMOTE_KEYS = "remote_keys"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_WITH_BODY = ("POST", "PUT")


def check(request: HttpRequest, access: Access, host: HttpHost, settings: Settings) -> None:
    """Raise `HttpError` unless `request` may go on to a route of that `access`.

    ``open`` reveals nothing that is anybody's own, ``private`` does, ``change`` changes or costs something.
    ``proxy`` is for programs that speak OpenAI's protocol and can send one token: theirs, wherever they are.
    """
    _check_host(request, host, settings)
    _check_origin(request)
    if access == "proxy":
        _check_proxy_token(request, settings)
        return
    if access == "change":
        _check_intent(request)
    if access != "open" and is_beyond(request, host):
        _check_token(request, settings)


def is_beyond(request: HttpRequest, host: HttpHost) -> bool:
    """Tell whether more than this machine can reach the host, as far as that can be known."""
    name, _ = _split_host(request.headers.get("host", ""))
    return not (
        all(is_loopback(address) for address in host.listens)
        and is_loopback(request.peer)
        and is_loopback(name)
        and not any(name in request.headers for name in _FORWARDED)
    )


def allows_keys(request: HttpRequest, host: HttpHost, settings: Settings) -> bool:
    """Tell whether keys may be entered here: everybody who reaches the host could spend them."""
    return not is_beyond(request, host) or REMOTE_KEYS in settings.items("LLM_ALLOW")


def _check_host(request: HttpRequest, host: HttpHost, settings: Settings) -> None:
    name, port = _split_host(request.headers.get("host", ""))
    # Unlike a name, an address cannot be pointed elsewhere, so the one that was called is our own.
    if is_loopback(name) or (_is_address(name) and name == request.local) or (name and name in host.listens):
        return
    for allowed in settings.items("LLM_ALLOWED_HOSTS"):
        allowed_name, allowed_port = _split_host(allowed.lower())
        if name and name == allowed_name and allowed_port in (None, port):
            return
    raise HttpError(
        403,
        "forbidden",
        "This server does not recognize the host name in the request.",
        f"Use its address, or add the name to LLM_ALLOWED_HOSTS and restart {program()}.",
    )


def _check_origin(request: HttpRequest) -> None:
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    if site in ("same-origin", "none") and (origin is None or _is_own(origin, request.headers["host"])):
        return
    raise HttpError(
        403,
        "forbidden",
        "Pages from other sites cannot use Quillwork.",
        f"Open it from the page of {program()}.",
    )


def _is_own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        default = {"http": 80, "https": 443}[parts.scheme]
        own = parts.hostname, parts.port or default
    except (ValueError, KeyError):
        return False
    name, port = _split_host(host)
    return own == (name, port or default)


def _check_intent(request: HttpRequest) -> None:
    if request.headers.get(HEADER) != "1":
        raise HttpError(
            403,
            "forbidden",
            "This call changes something, but the header X-Quillwork is missing.",
            "Send X-Quillwork: 1.",
        )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = request.method in _WITH_BODY or request.headers.get("content-length", "0") != "0"
    if (has_body or kind) and kind != "application/json":
        raise HttpError(
            400,
            "bad_request",
            "The request body must be JSON.",
            "Send it with Content-Type: application/json.",
        )


def _check_token(request: HttpRequest, settings: Settings) -> None:
    token = settings.text("LLM_SERVICE_TOKEN")
    if not token:
        raise HttpError(
            403,
            "token_not_set",
            "This server can be reached from other machines, but no token protects it.",
            f"Set LLM_SERVICE_TOKEN and restart {program()}, or let it listen only on 127.0.0.1.",
        )
    if not _carries(request, token):
        raise HttpError(
            401,
            "wrong_token",
            "The token is missing or wrong.",
            "Enter the LLM_SERVICE_TOKEN that this server was started with.",
        )


def _check_proxy_token(request: HttpRequest, settings: Settings) -> None:
    if not settings.flag("LLM_ENABLE_OPENAI_PROXY"):
        raise HttpError(
            404,
            "not_enabled",
            "The OpenAI-compatible endpoint is turned off.",
            f"Set LLM_ENABLE_OPENAI_PROXY=1 and LLM_PROXY_TOKEN, and restart {program()}.",
        )
    token = settings.text("LLM_PROXY_TOKEN")
    if not token:
        raise HttpError(
            403,
            "token_not_set",
            "The OpenAI-compatible endpoint has no token, so anyone could make calls at your cost.",
            f"Set LLM_PROXY_TOKEN and restart {program()}.",
        )
    if not _carries(request, token):
        raise HttpError(
            401,
            "wrong_token",
            "The token is missing or wrong.",
            "Use this server's LLM_PROXY_TOKEN as the API key in your program.",
        )


def _carries(request: HttpRequest, token: str) -> bool:
    """Tell whether `token` came along, by a comparison whose duration reveals nothing."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode(errors="replace"))
    return scheme.lower() == "bearer" and same


def _split_host(text: str) -> tuple[str, int | None]:
    """Return name and port of a Host header, the name in lower case; "" for an invalid one."""
    if not text or any(character in text for character in "/@?#\\, \t"):
        return "", None
    try:
        parts = urlsplit(f"//{text}")
        return (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "", None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True

"""Dispatch of all requests: guard, body, checks, handler, and errors as answers."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

from ...config.access import key_holders
from ...config.access.session_keys import session_keys
from ...config.settings.values import load
from ...llm_backends.errors import Cancelled
from ...llm_backends.host import program
from ...llm_backends.redact import scrub
from . import guard
from .messages import Answer, EventStream, HttpError, HttpHost, HttpRequest, error_answer
from .openapi import describe
from .routes import chat, enhance, jobs, library, models, server, settings, tags
from .routing import Exchange, Route, find
from .schema import checked, checked_query
from .threads import in_thread
from .v1.errors import as_openai
from .v1.routes import ROUTES as V1_ROUTES

_BODY_PATIENCE_S = 20.0
# In bytes; larger bodies are parsed in a thread, as others stream on the host's loop.
_LARGE = 64 * 1024
_V1 = "v1/"
_log = logging.getLogger("quillwork")


async def _openapi(exchange: Exchange) -> Answer:
    return Answer(await in_thread(describe, ROUTES))


ROUTES: tuple[Route, ...] = (
    *models.ROUTES,
    *settings.ROUTES,
    *server.ROUTES,
    *enhance.ROUTES,
    *chat.ROUTES,
    *library.ROUTES,
    *jobs.ROUTES,
    *tags.ROUTES,
    *V1_ROUTES,
    Route("GET", "openapi.json", "open", "This description.", _openapi),
)


class App:
    """Dispatcher of requests for one host.

    Never raises, not even for a cancel: a host's loop is not ours.
    """

    def __init__(self, host: HttpHost) -> None:
        self._host = host
        key_holders.watch(session_keys)

    async def handle(self, request: HttpRequest) -> Answer | EventStream:
        answer = await self._handle(request)
        if request.path.startswith(_V1) and isinstance(answer, Answer) and answer.status >= 400:
            return as_openai(answer)
        return answer

    async def _handle(self, request: HttpRequest) -> Answer | EventStream:
        try:
            return await self._answer(request)
        except (asyncio.CancelledError, Cancelled):
            return HttpError(503, "cancelled", "The call was stopped.").answer()
        except Exception as error:  # noqa: BLE001 (a fault of ours is answered too, without its details)
            try:
                return error_answer(error)
            except Exception:  # noqa: BLE001
                fault = scrub(f"{type(error).__name__}: {error}")
                _log.error("%s %s failed (%s).", request.method, request.path, fault)
                failed = HttpError(
                    500,
                    "internal",
                    "Quillwork failed with an internal error.",
                    f"See the log of {program()} for details.",
                )
                return failed.answer()

    async def _answer(self, request: HttpRequest) -> Answer | EventStream:
        route, name = find(ROUTES, request.method, request.path)
        exchange, answer = await in_thread(self._begin, request, route, name)
        if answer is not None:
            return answer
        body = await _body(request, route)
        return await route.handler(replace(exchange, body=body) if body else exchange)

    def _begin(self, request: HttpRequest, route: Route, name: str) -> tuple[Exchange, Answer | None]:
        guard.check(request, route.access, self._host, load())
        exchange = Exchange(request, self._host, {}, checked_query(request.query, route.query), name)
        return exchange, route.at_once(exchange) if route.at_once is not None else None


async def _body(request: HttpRequest, route: Route) -> dict[str, Any]:
    if request.read is None or route.access not in ("change", "proxy"):
        return {}
    try:
        raw = await asyncio.wait_for(request.read(route.most_bytes), _BODY_PATIENCE_S)
    except (TimeoutError, asyncio.TimeoutError):
        raise HttpError(
            408, "body_too_slow", "The request body did not arrive in time.", "Send it again."
        ) from None
    if len(raw) < _LARGE:
        return _parsed(raw, route)
    return await in_thread(_parsed, raw, route)


def _parsed(raw: bytes, route: Route) -> dict[str, Any]:
    if not raw.strip():
        return checked({}, route.body) if route.body is not None else {}
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise HttpError(
            400, "bad_request", "The request body is not valid JSON.", "Send one JSON object."
        ) from None
    if route.body is None:
        if content != {}:
            raise HttpError(400, "bad_request", "This call takes no request body.", "Send {} or nothing.")
        return {}
    try:
        return checked(content, route.body)
    except RecursionError:
        raise HttpError(400, "bad_request", "The request body is nested too deeply.", "") from None

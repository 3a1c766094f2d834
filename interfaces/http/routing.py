"""Routes, and the choice of one for a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...llm_backends.json_schema import Schema
from .guard import Access
from .messages import Answer, EventStream, HttpError, HttpHost, HttpRequest

NAME = "{name}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Request that has passed the guard and the checks.

    `body` and `query` have their defaults, `name` is what stood for ``{name}`` in the path.
    """

    request: HttpRequest
    host: HttpHost
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


Handler = Callable[[Exchange], Awaitable[Answer | EventStream]]


@dataclass(frozen=True, slots=True)
class Route:
    """Route below the prefix, where `path` begins; a final ``{name}`` takes slashes too.

    A `body` of None means that the route takes none; one that does may set `most_bytes`. `streams` says that
    the answer may come as server-sent events.

    `at_once` is tried before `handler`, in the very thread that looks at the request: None is no answer.
    """

    method: str
    path: str
    access: Access
    summary: str
    handler: Handler
    body: Schema | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    at_once: Callable[[Exchange], Answer | None] | None = None
    most_bytes: int = 2**20
    streams: bool = False

    def name_in(self, path: str) -> str | None:
        """Return the text of `path` for ``{name}``, "" for a path without one, None for another route."""
        if not self.path.endswith(NAME):
            return "" if path == self.path else None
        prefix = self.path.removesuffix(NAME)
        return path.removeprefix(prefix) if path.startswith(prefix) and path != prefix else None


def find(routes: Sequence[Route], method: str, path: str) -> tuple[Route, str]:
    """Find the route for a request and the name in its path; exact paths win. Raises `HttpError`."""
    there = [(route, name) for route in routes if (name := route.name_in(path)) is not None]
    matching = [match for match in there if match[0].method == method]
    if matching:
        return min(matching, key=lambda match: bool(match[1]))
    if there:
        allowed = ", ".join(sorted({route.method for route, _ in there}))
        raise HttpError(404, "not_found", f"{path[:80]} only accepts {allowed}.", "")
    raise HttpError(
        404,
        "not_found",
        f"There is nothing at {path[:80]!r}.",
        "GET openapi.json lists the available routes.",
    )

"""Requests and answers of the routes, whichever framework carries them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ...llm_backends.errors import LLMError
from ...llm_backends.host import Host

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Request as it came in.

    `path` is decoded and begins below our prefix (``llm/models``); `headers` have lower-case names; `peer` is
    the address of the other side, `local` the one of ours that was called.

    `read` returns the body; it raises `HttpError` for one of more bytes than its argument.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""
    local: str = ""
    read: Callable[[int], Awaitable[bytes]] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of a route: `content` becomes JSON; `rendered` is that JSON where it has been made already."""

    content: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    rendered: bytes | None = None

    def body(self) -> bytes:
        return render(self.content) if self.rendered is None else self.rendered


@dataclass(frozen=True, slots=True)
class EventStream:
    """Server-sent events as bytes.

    They are to be sent one by one as they come, and closed (``aclose``) as soon as nobody listens any more.
    """

    events: AsyncIterator[bytes]


class HttpError(Exception):
    """Request that is answered with an error: a status, a word for programs, a sentence, the next step."""

    def __init__(self, status: int, kind: str, message: str, hint: str = "", **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.type = kind
        self.message = message
        self.hint = hint
        self.more = more

    def answer(self) -> Answer:
        return Answer(
            {"error": {"type": self.type, "message": self.message, "hint": self.hint, **self.more}},
            self.status,
        )


class HttpHost(Protocol):
    """Services that routes need from the program that serves them."""

    listens: tuple[str, ...]
    """The addresses that the host listens on."""

    def unload_local(self) -> bool:
        """Have our models in the host's process unloaded when the host can; False where there are none."""
        ...

    def watch_keys(self) -> None:
        """Note that a key is held from now on: check now and then that its browser session is still there."""
        ...

    def counter_for(self, encoders: tuple[str, ...], limit: int | None) -> Callable[[str], int | None] | None:
        """Return what counts tokens as the first of these text encoder classes does, None without it.

        `limit` is the number of tokens that the image model was trained for.
        """
        ...

    def picture_folder(self, name: str) -> Path:
        """Return the folder of pictures that its user calls `name`, as a whole path without links.

        Raises `ConsentNeeded` for one outside of the host's own that has not been allowed, `NotConfigured`
        where nothing is named, and `JobError` for what no folder can be called.
        """
        ...

    def results_folder(self) -> Path:
        """Return the folder below the host's folder of outputs that a job's results go to, as a whole path.

        Raises `JobError` where it cannot be made.
        """
        ...

    def others_wait(self) -> bool:
        """Tell whether something may wait in the host's queue behind what runs. Any thread."""
        ...

    async def run_in_turn(self, work: Callable[[Host], T]) -> T:
        """Return what `work` returns, in turn with what is queued in the host.

        `work` is called in the thread that the host does its own work in, and given the port to the host for
        that time. Cancelling this takes `work` out of the queue, or has the port's `cancelled` return True.
        Raises `errors.Cancelled` when the host's user has stopped it.
        """
        ...


def render(content: Any) -> bytes:
    """Return JSON as bytes. A lone surrogate, which some model may send, becomes its JSON escape."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def with_rows(content: dict[str, Any], name: str, rows: Iterable[Any]) -> Answer:
    """Return the answer of `content` and of many rows under `name`: not for an event loop.

    They are written one by one, because nothing else runs in this process while JSON is written.
    """
    listed = list(rows)
    written = b",".join(map(render, listed))
    rendered = render(content)[:-1] + b',"%s":[' % name.encode() + written + b"]}"
    return Answer({**content, name: listed}, rendered=rendered)


def error_answer(error: Exception) -> Answer:
    """Return the answer for an error of ours; raise anything else again."""
    if isinstance(error, HttpError):
        return error.answer()
    if isinstance(error, LLMError):
        more = {"what": error.provider} if error.type == "consent_needed" else {}
        headers = {"Retry-After": f"{error.retry_after_s:.0f}"} if error.retry_after_s is not None else {}
        content = {"error": {"type": error.type, "message": error.message, "hint": error.hint, **more}}
        return Answer(content, error.http_status, headers)
    status, kind = getattr(error, "http_status", None), getattr(error, "type", None)
    if isinstance(error, ValueError) and isinstance(status, int):  # the library's
        return HttpError(status, str(kind), str(error)).answer()
    raise error

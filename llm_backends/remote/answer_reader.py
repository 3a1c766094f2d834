"""The answer of a server in OpenAI's format: the bytes of a response in, chunks out, or an error."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from .. import errors
from ..redact import scrub
from ..types import Chunk, Deployment
from .answer_decoder import (
    DONE,
    AnswerDecoder,
    Event,
    EventTooLong,
    is_heartbeat,
    is_mark_of_end,
    sounds_like_fault,
)
from .chunk_reader import ChunkReader
from .formats.others import in_openai_format
from .http_client import origin_of
from .reasons import Reason, decode_text, read_reason, reason_in_frame, reason_of, several
from .status_errors import detail_of, error_from_reason, kind_of, secrets_of

if TYPE_CHECKING:
    import aiohttp

# Not `json.loads`, which guesses at an encoding: half of the work on a chunk.
_from_json = json.JSONDecoder().decode
_SHOWN = 80
# Where a server that wraps its answers keeps them.
_ENVELOPES = ("data", "result", "output", "response")


async def read_answer(
    response: aiohttp.ClientResponse, deployment: Deployment
) -> AsyncGenerator[Chunk, None]:
    """Read the answer in a response of a good status; an empty chunk says that the other side is alive.

    Raises `LLMError` where it is none, and aiohttp's errors where the connection breaks before its end.
    """
    import aiohttp

    reader = AnswerReader(deployment, response.headers.get("Content-Type", ""))
    try:
        async for piece in response.content.iter_any():
            yield reader.feed(piece)
            if reader.is_over:
                break
    except aiohttp.ClientPayloadError:
        if not reader.is_finished:
            raise
    yield reader.finish()
    reader.check()


def refusal_in(chunks: ChunkReader, deployment: Deployment) -> errors.LLMError | None:
    """The error for an answer that the model or a filter refused, or that was given up; None for others."""
    name, secrets = deployment.name, secrets_of(deployment)
    if chunks.failure:
        return error_from_reason(Reason(f"it gave up ({chunks.failure})", (chunks.failure,)), deployment)
    if chunks.refusal:
        said = scrub(chunks.refusal, secrets).rstrip(".")
        return errors.Refused(f"{name} declined to write this: {said}.")
    if chunks.filter.lower() in ("", "content_filter"):  # of which the caller reports
        return None
    word = scrub(chunks.filter, secrets)
    return errors.Refused(f"{name} declined to write this (its content filter was triggered: {word}).")


class AnswerReader:
    """A reader that takes the bytes of one answer as they come and returns the chunks that they make.

    After `finish`, `check` raises the error for an answer that was cut off or refused, or is none.
    """

    def __init__(self, deployment: Deployment, content_type: str = "") -> None:
        self._deployment = deployment
        self._content_type = content_type
        self._decoder = AnswerDecoder()
        self._chunks = ChunkReader()
        self._texts: list[bytes] = []
        self._odd = b""
        self.is_over = False

    @property
    def is_finished(self) -> bool:
        """Tell whether the end of the answer was announced."""
        return self.is_over or self._chunks.is_finished

    def feed(self, piece: bytes) -> Chunk:
        """Add a piece and return what it completes; an empty chunk where that is nothing."""
        try:
            events = self._decoder.feed(piece)
        except EventTooLong:
            raise errors.AnswerTooLarge(
                f"{self._deployment.name} sent a single chunk of more than 16 MB."
            ) from None
        if not events:
            return Chunk()
        self._read(events)
        return self._chunks.chunk()

    def finish(self) -> Chunk:
        """Return what the end of the body completes."""
        if not self.is_over:
            events = self._decoder.finish()
            if events:
                *whole, last = events
                self._read(whole)
                self._read([last], is_last=True)
        self._chunks.end()
        return self._chunks.chunk()

    def check(self) -> None:
        """Raise the error that the answer is in the end."""
        name, chunks = self._deployment.name, self._chunks
        if error := refusal_in(chunks, self._deployment):
            raise error
        if self._texts and (error := self._error_from_text()):
            raise error
        if self.is_finished:
            return
        if not chunks.has_begun:
            raise self._malformed(self._odd)
        raise errors.StreamBroken(f"{name} stopped in the middle of its answer.")

    def _read(self, events: list[Event], *, is_last: bool = False) -> None:
        for event in events:
            if event.data == DONE:
                self.is_over = True
                break
            if event.is_text:
                self._take_text(event.data)
                continue
            try:
                frame = _from_json(event.data.decode("utf-8", "surrogatepass"))
            except (ValueError, RecursionError):
                self._take_unreadable(event, is_last=is_last)
            else:
                if type(frame) is dict and frame.get("choices") and not (event.name or frame.get("error")):
                    self._add(frame, event)
                else:
                    self._take(frame, event)
            if self.is_over:
                break

    def _take(self, frame: Any, event: Event) -> None:
        if type(frame) is dict:
            fault = reason_of(frame) if event.name == b"error" else reason_in_frame(frame)
            if fault is not None:
                raise error_from_reason(fault, self._deployment)
            self._take_frame(frame, event)
        elif isinstance(frame, str) or event.name == b"error":
            self._take_text(str(frame).encode(), event.name)
        elif isinstance(frame, list):
            for item in frame:
                if isinstance(item, dict):
                    self._take(item, event)
        self._odd = self._odd or event.data

    def _add(self, frame: dict[str, Any], event: Event) -> None:
        try:
            self._chunks.add(frame)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._malformed(event.data) from None

    def _take_frame(self, frame: dict[str, Any], event: Event) -> None:
        if "choices" in frame:
            self._add(frame, event)
            return
        try:
            read = in_openai_format(frame)
            if read is not None:
                self._chunks.add(read)
            elif not self._chunks.add_native(frame):
                for key in _ENVELOPES:
                    inner = frame.get(key)
                    if isinstance(inner, dict) and ("choices" in inner or "response" in inner):
                        self._take(inner, event)
                self._chunks.add(frame)  # what it counts
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._malformed(event.data) from None

    def _take_unreadable(self, event: Event, *, is_last: bool) -> None:
        """Take an event that is not one JSON value: several, a plain word, or half of one."""
        text = decode_text(event.data, self._content_type).strip()
        if event.name == b"error" or not text.startswith(("{", "[")):
            self._take_text(event.data, event.name)
            return
        values = several(text)
        if values:
            for value in values:
                self._take(value, event)
        elif is_heartbeat(text):
            return
        elif is_mark_of_end(text):
            self.is_over = True
        elif self.is_finished or is_last:  # cut off, of which `check` reports
            self._odd = self._odd or event.data
        else:
            raise self._malformed(event.data)

    def _take_text(self, data: bytes, name: bytes = b"") -> None:
        text = decode_text(data, self._content_type)
        if name == b"error":
            reason = read_reason(text) if text.strip() else Reason("it reported an error without a message")
            raise error_from_reason(reason, self._deployment)
        if is_mark_of_end(text):
            self.is_over = True
        elif not is_heartbeat(text):
            self._texts.append(data)

    def _error_from_text(self) -> errors.LLMError | None:
        """The error for what stood beside the events; None where it does not matter."""
        text = decode_text(b"\n".join(self._texts), self._content_type)
        reason, deployment = read_reason(text), self._deployment
        if sounds_like_fault(text) or (kind_of(reason) is not None and not self.is_finished):
            return error_from_reason(reason, deployment)
        if self.is_finished:
            return None
        said = detail_of(reason, deployment)
        if self._chunks.has_begun:
            return errors.StreamBroken(f"{deployment.name} stopped in the middle of its answer: {said}.")
        if not reason.is_page:
            return self._malformed(text.encode())
        where, title = origin_of(deployment.base_url or ""), f" ({said!r})" if said else ""
        said = f"{deployment.name} at {where} returned a web page{title}"
        return errors.MalformedAnswer(f"{said} instead of a model's answer.")

    def _malformed(self, data: bytes) -> errors.MalformedAnswer:
        shown = " ".join(self._scrubbed(decode_text(data, self._content_type)).split())[:_SHOWN]
        return errors.MalformedAnswer(f"{self._deployment.name} sent an invalid answer: {shown!r}.")

    def _scrubbed(self, text: str) -> str:
        return scrub(text, secrets_of(self._deployment))

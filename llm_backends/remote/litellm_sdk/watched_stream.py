"""A stream under watch: what litellm's readers get to see of an answer, and what is noted of it.

Many of litellm's readers skip an event that they cannot read, and with it a piece of the answer, or lose the
one after a comment; most take a fault in the middle for the end. So events are passed on in one plain form.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

import httpx

from ..answer_decoder import (
    BOM,
    DONE,
    AnswerDecoder,
    Event,
    EventTooLong,
    is_heartbeat,
    is_mark_of_end,
    sounds_like_fault,
)
from ..reasons import decode_text, reason_in_frame, several

if TYPE_CHECKING:
    from ...types import FinishReason
    from .transport import Transmission

# Bytes of one answer as it comes over the wire; frames around short texts make it larger than the text.
LONGEST_ANSWER = 64 * 2**20
_LONGEST_FRAME = 4 * 2**20
_LONGEST_WHOLE = 8 * 2**20
_LONGEST_REFUSAL = 64 * 2**10

_Form = Literal["events", "lines", "whole", "raw"]


class WatchedStream(httpx.AsyncByteStream):
    """A stream of bytes that stops at an event that is too long or cannot be read."""

    def __init__(self, stream: httpx.AsyncByteStream, exchange: Transmission) -> None:
        self._stream = stream
        self._exchange = exchange
        self._decoder = AnswerDecoder(_LONGEST_FRAME)
        self._form: _Form | None = None
        self._head = b""
        self._texts: list[bytes] = []
        self._finish: FinishReason | None = None
        self._has_shown_finish = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange, length = self._exchange, 0
        longest = LONGEST_ANSWER if exchange.is_good else _LONGEST_REFUSAL
        try:
            async for piece in self._pieces():
                exchange.begun = True
                length += len(piece)
                if length > longest:
                    if not exchange.is_good:
                        return
                    raise self._too_large()
                if shown := self._take(piece):
                    yield shown
            if shown := self._end():
                yield shown
        except EventTooLong:
            error = exchange.error = self._too_large()
            raise error from None
        except Exception as error:
            exchange.error = exchange.error or error
            raise

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except httpx.TransportError:
            # Some releases of litellm hold the finish reason back to the end, and would lose it here.
            if not self._exchange.answer.is_finished:
                raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _take(self, piece: bytes) -> bytes:
        if self._form is None:
            self._head += piece
            start = self._head.lstrip(BOM + b" \t\r\n")
            if not start:
                return b""
            self._form = self._form_of(start)
            self._exchange.in_frames = self._form in ("events", "lines")
            piece = self._head
        if self._form == "raw":
            return piece
        if self._form == "whole":
            if piece is not self._head:
                self._head += piece
            if len(self._head) > _LONGEST_WHOLE:
                raise self._too_large()
            return b""
        return b"".join(map(self._passed_on, self._decoder.feed(piece)))

    def _end(self) -> bytes:
        if self._form == "whole":
            return self._whole()
        if self._form is None:  # nothing came
            self._exchange.in_frames = self._exchange.asks_stream and self._exchange.is_good
        if self._form not in ("events", "lines"):
            return b""
        shown = self._all_passed_on(self._decoder.finish())
        self._weigh_texts()
        if self._exchange.stray and not self._exchange.frames:
            raise self._malformed()
        return shown

    def _form_of(self, start: bytes) -> _Form:
        """The form of a body by its first bytes; what is labelled as something else is never looked into."""
        exchange = self._exchange
        kind = exchange.headers.get("content-type", "")
        is_plain = exchange.headers.get("content-encoding", "identity") == "identity"
        if not (exchange.is_good and is_plain) or "vnd.amazon" in kind:
            return "raw"
        if "ndjson" in kind:
            return "lines"
        if exchange.asks_stream and start.startswith(b"{"):
            return "whole"
        if "event-stream" in kind or start.startswith((b"data:", b"event:", b":")):
            return "events"
        return "events" if exchange.asks_stream and start.startswith(b"<") else "raw"

    def _whole(self) -> bytes:
        """An answer in one piece, or in lines, where a stream was asked for: a stream, if it is OpenAI's."""
        events = [*self._decoder.feed(self._head), *self._decoder.finish()]
        values = [value for event in events for value in several(decode_text(event.data).strip())]
        frames = [value for value in values if isinstance(value, dict)]
        if any("choices" in frame for frame in frames):
            self._exchange.in_frames = True
            return self._all_passed_on(events)
        if any(reason_in_frame(frame) for frame in frames):
            self._exchange.complaint = decode_text(self._head)
        return self._head

    def _all_passed_on(self, events: list[Event]) -> bytes:
        """The bytes of the last events of a body."""
        shown = b"".join(map(self._passed_on, events[:-1]))
        if events:
            shown += self._passed_on(events[-1], is_last=True)
        return shown + self._last_frame()

    def _weigh_texts(self) -> None:
        """Note what stood beside the events, and whether it reports a fault."""
        self._exchange.stray = decode_text(b"\n".join(self._texts))
        if sounds_like_fault(self._exchange.stray):
            self._exchange.complaint = self._exchange.stray

    def _passed_on(self, event: Event, *, is_last: bool = False) -> bytes:
        """The bytes that litellm gets to see for an event."""
        exchange, text = self._exchange, decode_text(event.data).strip()
        if is_mark_of_end(text):
            exchange.end_is_marked = True
            self._weigh_texts()
            return self._last_frame() + b"data: " + DONE + b"\n\n"
        if event.is_text:
            if not is_heartbeat(text):
                self._texts.append(event.data)
            return b""
        values = several(text)
        if values and not (event.name == b"error" and isinstance(values[0], str)):
            plain = event.data.replace(b"\n", b" ") if len(values) == 1 else b""
            return b"".join(self._frame(value, event.name, plain) for value in values)
        if event.name == b"error" or sounds_like_fault(text):
            exchange.complaint = text or "it reported a fault without a word"
        elif is_heartbeat(text) or (
            is_last and exchange.answer.has_begun
        ):  # cut off in the middle of a frame
            return b""
        raise self._malformed()

    def _frame(self, frame: Any, name: bytes, plain: bytes) -> bytes:
        """The bytes of a frame: those it came in where it is `plain` and says what litellm reads in it."""
        exchange = self._exchange
        if isinstance(frame, list) and self._form == "events":
            return b"".join(self._frame(item, name, b"") for item in frame)
        if not isinstance(frame, dict):
            return b""
        exchange.frames += 1
        if name == b"error" or reason_in_frame(frame) is not None:
            exchange.complaint = json.dumps(frame, ensure_ascii=False)
        elif "choices" in frame or exchange.answer.has_begun:
            understood = self._understood(frame)
            if understood is not frame:
                frame, plain = understood, b""
            self._has_shown_finish |= any(choice.get("finish_reason") for choice in frame["choices"])
        data = plain or json.dumps(frame).encode()
        if self._form == "lines" and "choices" not in frame:
            return data + b"\n"
        return (b"event: " + name + b"\n" if name else b"") + b"data: " + data + b"\n\n"

    def _understood(self, frame: dict[str, Any]) -> dict[str, Any]:
        """A frame of OpenAI's format in its plainest form; the same one where it is in it already."""
        answer = self._exchange.answer
        try:
            answer.add(frame)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._malformed() from None
        chunk = answer.chunk()
        self._finish = chunk.finish_reason or self._finish
        choices = [choice for choice in frame.get("choices") or () if choice is not None]
        if not choices:
            return frame if frame.get("choices") == [] else {**frame, "choices": []}
        delta = choices[0].get("delta") or {}
        read = delta.get("content") or "", delta.get("reasoning_content") or delta.get("reasoning") or ""
        if (
            len(frame["choices"]) == 1
            and read == (chunk.text, chunk.reasoning)
            and "message" not in choices[0]
        ):
            return frame
        shown = {key: value for key, value in delta.items() if key in ("role", "tool_calls")}
        shown["content"] = chunk.text
        if chunk.reasoning:
            shown["reasoning_content"] = chunk.reasoning
        if calls := (choices[0].get("message") or {}).get("tool_calls"):
            shown.setdefault("tool_calls", [{"index": place, **call} for place, call in enumerate(calls)])
        finish = choices[0].get("finish_reason") if chunk.finish_reason else None
        return _chunk_of({**frame, "object": "chat.completion.chunk"}, shown, finish)

    def _last_frame(self) -> bytes:
        """A frame for what is still to come at the end: text that was held back as a possible repetition, and
        a finish reason, without which newer releases of litellm raise. A cut is noted apart."""
        answer = self._exchange.answer
        answer.end()
        text = answer.chunk().text
        finish = None if self._has_shown_finish or not answer.has_begun else self._finish or "stop"
        self._has_shown_finish |= finish is not None
        if not text and finish is None:
            return b""
        return b"data: " + json.dumps(_chunk_of({}, {"content": text}, finish)).encode() + b"\n\n"

    def _malformed(self) -> httpx.DecodingError:
        self._exchange.malformed = True
        return httpx.DecodingError("an invalid event")

    def _too_large(self) -> httpx.ReadError:
        self._exchange.too_large = True
        return httpx.ReadError("the answer is too long")


def _chunk_of(frame: dict[str, Any], delta: dict[str, Any], finish: Any = None) -> dict[str, Any]:
    head = {"id": "chatcmpl", "object": "chat.completion.chunk", "created": 0, "model": "model"}
    return {**head, **frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

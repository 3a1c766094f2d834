"""Messages from callers, converted to ours: texts, and pictures that they bring along."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from ...llm_backends.images import MOST_BYTES as MOST_PICTURE_BYTES
from ...llm_backends.images import read_picture
from ...llm_backends.types import Image, Message, Role, ToolCall
from .messages import HttpError
from .schema import text, texts

MOST_MESSAGES = 1000
MOST_PICTURES = 16
# In characters, of one text.
LONGEST_TEXT = 1_000_000
LONGEST_PICTURE = MOST_PICTURE_BYTES * 4 // 3 + 200
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+-]+=[^;,]*)*;base64,", re.ASCII)
# OpenAI's newer word for the same.
_ROLES = {"developer": "system"}

_PART = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["text", "image_url", "image"]},
        "text": text(LONGEST_TEXT, None),
        "image_url": {
            "type": ["object", "string"],
            "maxLength": LONGEST_PICTURE,
            "properties": {
                "url": {"type": "string", "maxLength": LONGEST_PICTURE},
                "detail": {"type": "string", "maxLength": 20},
            },
            "additionalProperties": False,
            "required": ["url"],
        },
        "data": {"type": "string", "maxLength": LONGEST_PICTURE},
    },
    "required": ["type"],
    "additionalProperties": False,
}
_CALL = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 200},
        "type": {"type": "string", "enum": ["function"]},
        "function": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 200},
                "arguments": text(LONGEST_TEXT, None),
            },
            "required": ["name", "arguments"],
            "additionalProperties": True,
        },
    },
    "required": ["id", "function"],
    "additionalProperties": True,
}
_MESSAGE = {
    "type": "object",
    "properties": {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
        "content": {
            "type": ["string", "array", "null"],
            "maxLength": LONGEST_TEXT,
            "maxItems": 100,
            "items": _PART,
        },
        "tool_calls": {"type": ["array", "null"], "maxItems": 100, "items": _CALL},
        "tool_call_id": {"type": ["string", "null"], "maxLength": 200},
    },
    "required": ["role"],
    "additionalProperties": False,
}
# The schema of a conversation.
MESSAGES: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": MOST_MESSAGES, "items": _MESSAGE}
# The same for programs that send along what other answers held.
OPEN_MESSAGES = {**MESSAGES, "items": {**_MESSAGE, "additionalProperties": True}}
PICTURES = texts(MOST_PICTURES, LONGEST_PICTURE)


def read_messages(given: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Convert the messages, reading and scaling pictures: not for an event loop.

    Raises `HttpError` and `BadRequest`.
    """
    count = sum(1 for message in given for part in _parts(message) if part["type"] != "text")
    if count > MOST_PICTURES:
        raise HttpError(
            400,
            "too_many_pictures",
            f"{count} images are more than the limit of {MOST_PICTURES} per call.",
            "",
        )
    return tuple(_message(message) for message in given)


def read_pictures(given: Iterable[str]) -> tuple[Image, ...]:
    """Read uploads in base64, bare or as ``data:`` URLs. Raises as `read_messages` does."""
    return tuple(_picture(one) for one in given)


def _message(given: Mapping[str, Any]) -> Message:
    parts = _parts(given)
    return Message(
        cast(Role, _ROLES.get(given["role"], given["role"])),
        "\n".join(_needed(part, "text") for part in parts if part["type"] == "text"),
        tuple(_picture(_source(part)) for part in parts if part["type"] != "text"),
        tuple(
            ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in given.get("tool_calls") or ()
        ),
        given.get("tool_call_id"),
    )


def _parts(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content: str | Sequence[Mapping[str, Any]] | None = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content or ()


def _source(part: Mapping[str, Any]) -> str:
    if part["type"] == "image":
        data: str = _needed(part, "data")
        return data
    url = _needed(part, "image_url")
    return _url(url if isinstance(url, str) else url["url"])


def _needed(part: Mapping[str, Any], name: str) -> Any:
    if name not in part:
        raise HttpError(400, "bad_request", f"A part of the type {part['type']} is missing {name!r}.", "")
    return part[name]


def _url(url: str) -> str:
    if not url.startswith("data:"):
        raise HttpError(
            400,
            "no_addresses",
            "Images are not fetched from an address.",
            "Send the image itself, as a data: URL in base64.",
        )
    return url


def _picture(given: str) -> Image:
    match = _DATA_URL.match(given)
    encoded = given[match.end() :] if match else given
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(
            400,
            "bad_request",
            "An image is not valid base64.",
            "Send the file's bytes in base64, or as a data: URL.",
        ) from None
    return read_picture(data)

"""Errors in OpenAI's form, which its clients turn into exceptions of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..messages import Answer

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
# The error codes that clients look for.
_CODES = {
    "wrong_token": "invalid_api_key",
    "rate_limited": "rate_limit_exceeded",
    "context_overflow": "context_length_exceeded",
    "budget_exceeded": "insufficient_quota",
}
_STATUSES = {"context_overflow": 400}


def as_openai(answer: Answer) -> Answer:
    """Return the error `answer` of a route in OpenAI's form."""
    error = answer.content["error"]
    status = _STATUSES.get(error["type"], answer.status)
    return replace(answer, content=error_body(answer.content, status), status=status)


def error_body(content: Mapping[str, Any], status: int = 502) -> dict[str, Any]:
    """Return the body of our own error as OpenAI writes it; `status` is the one that it is sent under."""
    error = content["error"]
    usual = "invalid_request_error" if status < 500 else "api_error"
    return {
        "error": {
            "message": f"{error['message']} {error['hint']}".strip(),
            "type": _TYPES.get(status, usual),
            "param": None,
            "code": _CODES.get(error["type"], error["type"]),
        }
    }

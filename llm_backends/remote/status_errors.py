"""Conversion of a refusal's HTTP status and body into an error that says what to do next."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Mapping

from .. import errors
from ..command_line import command
from ..host import program
from ..redact import scrub
from ..types import Deployment, Secret
from ..vision import cannot_see, says_it_cannot_see

_CONTEXT = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|too many (?:input )?tokens|prompt is too long"
    r"|input (?:token count|is too long)|exceeds? .{0,40}(?:tokens|context)",
    re.I,
)
_FILTERED = re.compile(r"content[ _](?:policy|management|filter)|safety system|blocked by", re.I)
_NO_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing|credit balance|payment", re.I)
# A LiteLLM proxy without a database, under whatever status its release has for a key that it does not know.
_KEY_IN_WORDS = re.compile(
    r"\bno connected db\b|no api key passed in|invalid proxy server token|virtual key expected", re.I
)
_NO_MORE = "Internal Server Error"
_DETAIL_LENGTH = 300
# Under which of these a server says that its model takes no pictures, differs from server to server.
_BLIND = frozenset({400, 404, 415, 422, 500, 501})


def error_from_status(
    status: int, body: str, deployment: Deployment, headers: Mapping[str, str] | None = None
) -> errors.LLMError:
    """The error for an answer of `status` with `body` (JSON or text) from `deployment`."""
    detail = detail_of(body, deployment)
    error = _choose(status, detail, deployment)
    error.provider, error.model, error.status = deployment.provider, deployment.model, status
    error.retry_after_s = retry_after_s(headers or {})
    return error


def _choose(status: int, detail: str, deployment: Deployment) -> errors.LLMError:
    name = deployment.name
    said = f": {detail}" if detail else ""
    if 300 <= status < 400:
        return errors.RedirectRefused(f"{name} redirects to another address, which is not followed.")
    if status == 401:
        return errors.AuthenticationFailed(f"{name} refused the key (401).", hint=key_hint(deployment))
    if status in (400, 403, 500) and _KEY_IN_WORDS.search(detail):
        return errors.AuthenticationFailed(f"{name} refused the key ({status}).", hint=key_hint(deployment))
    if status == 500 and deployment.api_key is None and detail == _NO_MORE:
        return errors.AuthenticationFailed(
            f"{name} failed (500) and says no more, as a LiteLLM proxy does to a call without its key.",
            hint=key_hint(deployment),
        )
    if status == 402 or (status == 429 and _NO_QUOTA.search(detail)):
        error = errors.RateLimited(
            f"{name} has no quota or credit left for this key ({status}){said}.",
            hint="Top up the account, or choose another model.",
        )
        error.retryable = False
        return error
    if status == 403:
        return errors.PermissionDenied(
            f"{name} does not allow this (403){said}.",
            hint="Check that the account may use this model, or choose another one.",
        )
    if status in _BLIND and says_it_cannot_see(detail):
        return cannot_see(deployment)
    if status == 404:
        return errors.ModelNotFound(
            f"{name} was not found (404){said}.",
            hint=f"Check the model's name{' and LLM_BASE_URL' if deployment.base_url else ''}; "
            f"`{command('models')}` lists what there is.",
        )
    if status in (408, 504):
        return errors.TimedOut(f"{name} did not answer in time ({status}).")
    if status == 429:
        return errors.RateLimited(f"{name} has had too many calls (429){said}.")
    if is_overflow(detail) or status == 413:
        return errors.ContextOverflow(f"The text is too long for {name}{said}.")
    if status >= 500:
        return errors.ProviderFailed(f"{name} failed ({status}){said}.")
    if _FILTERED.search(detail):
        return errors.Refused(f"{name} declined to write this ({status}){said}.")
    return errors.BadRequest(
        f"{name} did not accept the request ({status}){said}.",
        hint="Check the model's name and the extra parameters on LLM Settings.",
    )


def is_overflow(text: str) -> bool:
    """Tell whether `text` says that prompt and answer do not fit into the model's context."""
    return _CONTEXT.search(text) is not None


def key_hint(deployment: Deployment) -> str:
    """The hint for the key of `deployment`."""
    variable = deployment.key_variable or "LLM_API_KEY"
    if deployment.api_key is None:
        return f"No key was sent: set {variable} and restart {program()}."
    return f"Check the key in {variable}."


def detail_of(body: str, deployment: Deployment) -> str:
    """The server's own message as one short line without a key; empty for web pages and the like."""
    text = body.strip()
    try:
        text = _message_in(json.loads(text)) or text
    except (ValueError, RecursionError):
        if text.startswith("<"):
            return ""
    text = " ".join(scrub(text, secrets_of(deployment)).split()).rstrip(".")
    return text if len(text) <= _DETAIL_LENGTH else text[:_DETAIL_LENGTH] + " …"


def secrets_of(deployment: Deployment) -> list[Secret | None]:
    return [deployment.api_key, *(value for value in deployment.params.values() if isinstance(value, Secret))]


def _message_in(answer: object) -> str:
    """The sentence in the error shapes that servers use."""
    if isinstance(answer, list) and answer:
        return _message_in(answer[0])
    if isinstance(answer, str):
        return answer
    if not isinstance(answer, dict):
        return ""
    for key in ("error", "message", "detail", "msg"):
        if answer.get(key):
            found = _message_in(answer[key])
            code = answer[key].get("code") if isinstance(answer[key], dict) else None
            return f"{found} [{code}]" if isinstance(code, str) and code not in found else found
    return ""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After (a number or a date) or retry-after-ms asks to wait; None without one."""
    lower = {key.lower(): value for key, value in headers.items()}
    milliseconds = _number(lower.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    asked = lower.get("retry-after", "")
    seconds = _number(asked)
    if seconds is None:
        try:
            seconds = email.utils.parsedate_to_datetime(asked).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds)


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None

"""Conversion of a refusal's HTTP status and reason into an error that says what to do next."""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from .. import errors, modes
from ..host import program
from ..redact import scrub
from ..system.command_line import command
from ..types import Deployment, Secret
from ..vision import cannot_see, says_it_cannot_see
from .fault_kinds import KINDS, OVERFLOW, Kind
from .reasons import Reason, read_reason

_NO_MORE = "Internal Server Error"
_DETAIL_LENGTH = 1000
# Under which of these a server says that its model takes no pictures, differs from server to server.
_BLIND = frozenset({400, 404, 415, 422, 500, 501})
_OLLAMA_PORT = 11434
# What stands for a status where a fault comes in the middle of an answer.
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "timeout_error": 504,
}


def error_from_status(
    status: int, body: str, deployment: Deployment, headers: Mapping[str, str] | None = None
) -> errors.LLMError:
    """The error for an answer of `status` with `body` (JSON, a page or text) from `deployment`."""
    return error_from_reason(read_reason(body), deployment, status=status, headers=headers)


def error_from_reason(
    reason: Reason,
    deployment: Deployment,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> errors.LLMError:
    """The error for `reason`, which came under `status`; without one, it came in the middle of an answer."""
    wait_s = retry_after_s(headers or {})
    wait_s = reason.retry_after_s if wait_s is None else wait_s
    error = _choose(status if status is not None else reason.status, reason, deployment, wait_s)
    error.provider, error.model = deployment.provider, deployment.model
    error.status = status if status is not None else reason.status
    if error.retryable:
        error.retry_after_s = wait_s
    return error


def kind_of(reason: Reason, status: int | None = None) -> Kind | None:
    """The kind of fault that the server's words name; None where they name none."""
    return next((kind for kind in KINDS if kind.fits(reason.words, status)), None)


def _choose(
    status: int | None, reason: Reason, deployment: Deployment, wait_s: float | None
) -> errors.LLMError:
    name, detail = deployment.name, detail_of(reason, deployment)
    said = (f" ({status})" if status else "") + (f": {detail}" if detail else "")
    if status is not None and 300 <= status < 400:
        return errors.RedirectRefused(f"{name} redirects to another address, which is not followed.")
    if (status is None or status in _BLIND) and says_it_cannot_see(detail):
        return cannot_see(deployment)
    if status == 500 and deployment.api_key is None and detail == _NO_MORE:
        return errors.AuthenticationFailed(
            f"{name} failed (500) without an explanation, as a LiteLLM proxy does if its key is missing.",
            hint=key_hint(deployment),
        )
    kind = kind_of(reason, status) if status is None or status >= 400 else None
    if kind is not None:
        return _error_of(kind, said, deployment, wait_s)
    if status is None:
        status = next((_STATUS_OF[code] for code in reason.codes if code in _STATUS_OF), None)
    if status == 401:
        return errors.AuthenticationFailed(f"{name} rejected the key{said}.", hint=key_hint(deployment))
    if status == 402:
        error: errors.LLMError = errors.RateLimited(
            f"{name} has no quota or credit left for this key{said}.",
            hint="Top up the account, or choose another model.",
        )
        error.retryable = False
        return error
    if status == 403:
        return errors.PermissionDenied(
            f"{name} does not allow this{said}.",
            hint="Check that your account may use this model, or choose another one.",
        )
    if status in (404, 410):
        return errors.ModelNotFound(f"{name} was not found{said}.", hint=_hint_where_missing(deployment))
    if status in (408, 504):
        return errors.TimedOut(f"{name} did not answer in time{said}.")
    if status == 429:
        return errors.RateLimited(f"{name} received too many requests{said}.", hint=_hint_to_wait(wait_s))
    if status == 413:
        return errors.ContextOverflow(f"The text is too long for {name}{said}.")
    if status is None or status >= 500:
        return errors.ProviderFailed(f"{name} failed{said}.")
    return errors.BadRequest(
        f"{name} rejected the request{said}.",
        hint="Check the model name, and the additional parameters on LLM Settings.",
    )


def _error_of(kind: Kind, said: str, deployment: Deployment, wait_s: float | None) -> errors.LLMError:
    hint = kind.hint
    if kind.error is errors.ContextOverflow and not kind.says:
        return errors.ContextOverflow(f"The text is too long for {deployment.name}{said}.")
    if kind.error is errors.AuthenticationFailed and hint is None:
        hint = key_hint(deployment)
    elif kind.error is errors.ModelNotFound and hint is None:
        hint = _hint_where_missing(deployment)
    elif kind.error is errors.RateLimited and hint is None:
        hint = _hint_to_wait(wait_s)
    elif hint is not None:
        hint = hint.format(wait=_in(wait_s), model=deployment.model, models=command("models"))
    error = kind.error(f"{deployment.name} {kind.says}{said}.", hint=hint)
    if kind.retryable is not None:
        error.retryable = kind.retryable
    return error


def _hint_to_wait(wait_s: float | None) -> str | None:
    return None if wait_s is None else f"Run again {_in(wait_s)}, or choose another model."


def _in(wait_s: float | None) -> str:
    """When to try again, in words."""
    if wait_s is None:
        return "in a moment"
    if wait_s < 100:
        return f"in {math.ceil(wait_s)} s"
    minutes = math.ceil(wait_s / 60)
    return f"in {minutes} min" if minutes < 100 else f"in {math.ceil(minutes / 60)} hours"


def _hint_where_missing(deployment: Deployment) -> str:
    pull = f"Run `ollama pull {deployment.model}`, or check" if _is_ollama(deployment) else "Check"
    address = " and LLM_BASE_URL" if deployment.backend == modes.ENDPOINT else ""
    return f"{pull} the model name{address}. `{command('models')}` lists the available models."


def _is_ollama(deployment: Deployment) -> bool:
    if deployment.provider == "ollama":
        return True
    try:
        return urlsplit(deployment.base_url or "").port == _OLLAMA_PORT
    except ValueError:
        return False


def is_overflow(text: str) -> bool:
    """Tell whether `text` says that prompt and answer do not fit into the model's context."""
    return OVERFLOW.search(text) is not None


def key_hint(deployment: Deployment) -> str:
    """The hint for the key of `deployment`."""
    variable = deployment.key_variable or "LLM_API_KEY"
    if deployment.api_key is None:
        return f"No key was sent. Set {variable} and restart {program()}."
    remark = deployment.params.get("key_remark")
    return f"Check the key in {variable}." + (f" {remark}" if remark else "")


def detail_of(reason: Reason, deployment: Deployment) -> str:
    """The server's own words as one line without a key; of a web page, its title."""
    text = " ".join(scrub(reason.text, secrets_of(deployment)).split()).rstrip(".")
    return text if len(text) <= _DETAIL_LENGTH else text[:_DETAIL_LENGTH] + " …"


def secrets_of(deployment: Deployment) -> list[Secret | None]:
    return [deployment.api_key, *(value for value in deployment.params.values() if isinstance(value, Secret))]


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

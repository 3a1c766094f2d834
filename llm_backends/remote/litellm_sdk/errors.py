"""Conversion of litellm's exceptions into our own errors. litellm itself is not imported here.

Its exceptions for one fault differ from provider to provider, and their texts hold tracebacks and prompts, so
the exchange on the wire decides, then the class's name; their texts are not shown.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import errors, modes
from ...host import program
from ...types import Deployment
from ...vision import cannot_see
from ..answer_reader import refusal_in
from ..http_client import https, insecure, origin_of, placed, unresolved
from ..reasons import read_reason
from ..status_errors import (
    detail_of,
    error_from_reason,
    error_from_status,
    is_overflow,
    key_hint,
    retry_after_s,
)
from .faults import chain, changed, fault_kind, is_of_code, reinstall

if TYPE_CHECKING:
    from .transport import Transmission

INSTALL_HINT = (
    # Not plain pip: it takes a litellm that moves what the host has pinned, and Forge no longer starts.
    "Run `python install.py` in Quillwork's folder with {program}'s Python and restart {program}. Without "
    "litellm, providers that speak OpenAI's format (Anthropic, Gemini and Ollama, too), LLM_BASE_URL (LM "
    "Studio, vLLM, a LiteLLM proxy), local models and the {stand_in} work."
)
_NOT_JSON = re.compile(
    r"jsondecode|expecting value|unterminated string|extra data|not valid json|invalid json|unable to parse"
    r"|error parsing|validation error|expecting property name|checksum|not iterable|has no attribute"
    r"|list index",
    re.I,
)
_UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")
_UNSUPPORTED = re.compile(r"does not support parameters: \[?([^\]\n.]*)")
_STATUS_BY_CLASS = {
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "RateLimitError": 429,
    "Timeout": 408,
    "ServiceUnavailableError": 503,
    "BadGatewayError": 502,
}


def error_from(
    error: Exception, deployment: Deployment, exchange: Transmission, extra: Mapping[str, Any] | None = None
) -> errors.LLMError:
    """The error of our family for an exception of litellm's.
    `exchange` is the record of the wire, `extra` the parameters that the user has added to the request."""
    mapped = (
        _from_wire(error, deployment, exchange)
        or _from_code(error, deployment, exchange, extra or {})
        or _from_class(error, deployment, exchange)
    )
    if isinstance(mapped, errors.RedirectRefused) and exchange.status is not None:
        mapped.hint = "Check the provider's address, and that no login page or proxy is answering instead."
    if exchange.url:
        mapped = placed(mapped, exchange.url, exchange.body)
    mapped.provider, mapped.model = deployment.provider, deployment.model
    mapped.status = mapped.status or exchange.status
    if mapped.retry_after_s is None:
        mapped.retry_after_s = retry_after_s(exchange.headers)
    return mapped


def _install_hint() -> str:
    return INSTALL_HINT.format(program=program(), stand_in=modes.of(modes.stand_in()).label.lower())


def missing_library(reason: Exception) -> errors.DependencyMissing:
    """The error for litellm, or a library that it needs, missing or broken."""
    name = getattr(reason, "name", None) or "litellm"
    if isinstance(reason, ModuleNotFoundError) and name == "litellm":
        said = "This provider needs the package litellm, which is not installed."
    elif isinstance(reason, ModuleNotFoundError):
        said = f"litellm is installed, but the package {name} that it needs is not."
    else:
        said = f"litellm is installed but cannot be loaded ({type(reason).__name__})."
        return errors.DependencyMissing(said, hint=reinstall())
    return errors.DependencyMissing(said, hint=_install_hint())


def fault_of(deployment: Deployment, exchange: Transmission) -> errors.LLMError:
    """The error for an answer with a fault: reported by the provider, too long, or not of its format."""
    whose: dict[str, Any] = {
        "provider": deployment.provider,
        "model": deployment.model,
        "status": exchange.status,
    }
    if exchange.too_large:
        return errors.AnswerTooLarge(f"{deployment.name} sent an answer that is far too long.", **whose)
    if exchange.complaint:
        return error_from_reason(read_reason(exchange.complaint), deployment, headers=exchange.headers)
    said = detail_of(read_reason(exchange.stray), deployment)
    return errors.MalformedAnswer(
        f"{deployment.name} sent an invalid answer{': ' if said else ''}{said}.",
        hint="Run again. If it keeps happening, check that the address is the provider's own.",
        **whose,
    )


def error_in_answer(deployment: Deployment, exchange: Transmission) -> errors.LLMError | None:
    """The error for an answer that litellm takes for whole, and that was refused or broke off; else None."""
    if error := refusal_in(exchange.answer, deployment):
        return error
    if exchange.is_cut_off:
        return errors.StreamBroken(f"{deployment.name} stopped in the middle of its answer.")
    return None


def _from_wire(error: Exception, deployment: Deployment, exchange: Transmission) -> errors.LLMError | None:
    name = deployment.name
    if exchange.lost_pictures:
        lost = cannot_see(deployment)
        lost.message = f"litellm does not pass images on to {name}."
        return lost
    status = exchange.status
    if status is not None and status >= 300:
        return error_from_status(status, exchange.body, deployment, exchange.headers)
    if exchange.is_faulty:
        return fault_of(deployment, exchange)
    if refusal := refusal_in(exchange.answer, deployment):
        return refusal
    if exchange.error is None:
        return None
    if type(exchange.error).__name__ == "NotAllowed":
        return errors.RedirectRefused(
            f"litellm tried to send {exchange.error}, which was blocked.",
            hint="Another extension may have set an address for all of litellm (litellm.api_base). "
            f"Restart {program()} without it.",
        )
    if "Timeout" in type(exchange.error).__name__:
        return errors.TimedOut(f"{name} did not answer in time.")
    if exchange.begun or status is not None:
        return errors.StreamBroken(f"{name} stopped in the middle of its answer.")
    return _from_connecting(exchange.error, deployment)


def _from_connecting(error: Exception, deployment: Deployment) -> errors.LLMError:
    where = origin_of(deployment.base_url or "")
    causes = list(chain(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "[SSL" in str(error):
        return insecure(where, " ".join(map(str, causes)))
    if any(isinstance(cause, socket.gaierror) for cause in causes) or "Name or service" in str(error):
        return unresolved(where, deployment)
    if any(type(cause).__name__ == "ConnectError" for cause in causes):
        return errors.ConnectionFailed(
            f"No server is responding at {where}.", hint="Start the server there, or check the address."
        )
    failed = errors.ConnectionFailed(f"The connection to {deployment.name} was lost.")
    if where.startswith("http://"):
        failed.hint = f"{failed.hint} If it is served over https, write {https(where)}."
    return failed


def _from_code(
    error: Exception, deployment: Deployment, exchange: Transmission, extra: Mapping[str, Any]
) -> errors.LLMError | None:
    if not is_of_code(error, answered=bool(exchange.sent)):
        return None
    causes = list(chain(error))
    missing = next((cause for cause in causes if isinstance(cause, ModuleNotFoundError)), None)
    if missing is not None and not exchange.sent:
        return missing_library(missing)
    unknown = next((found[1] for cause in causes if (found := _UNEXPECTED.search(str(cause)))), "")
    if unknown in extra:
        return errors.BadRequest(
            f"{deployment.name} does not support the parameter {unknown}.",
            hint="Remove it from `extra` on LLM Settings, or choose another model.",
        )
    return changed(fault_kind(error), deployment)


def _from_class(error: Exception, deployment: Deployment, exchange: Transmission) -> errors.LLMError:
    name = deployment.name
    kinds = {kind.__name__ for cause in chain(error) for kind in type(cause).__mro__}
    text = str(error)
    if "ContextWindowExceededError" in kinds or (exchange.status is None and is_overflow(text)):
        return errors.ContextOverflow(f"The text is too long for {name}.")
    if "ContentPolicyViolationError" in kinds:
        return errors.Refused(f"{name} declined to write this (its content filter was triggered).")
    if "UnsupportedParamsError" in kinds:
        found = _UNSUPPORTED.search(text)
        return errors.BadRequest(
            f"{name} does not support the parameters {found[1] if found else 'of this call'}.",
            hint="Remove them on LLM Settings, or choose another model.",
        )
    if exchange.status is not None:
        if exchange.is_no_stream or "JSONDecodeError" in kinds or _NOT_JSON.search(text):
            return fault_of(deployment, exchange)
        status = _status(error, kinds)
        if status in (401, 403, 404, 429):
            return error_from_status(status, "", deployment, exchange.headers)
        return errors.ProviderFailed(f"{name} reported an error in the middle of its answer.")
    status = _status(error, kinds)
    if "AuthenticationError" in kinds or status == 401:
        return errors.AuthenticationFailed(f"{name} rejected the key (401).", hint=key_hint(deployment))
    if status is not None and status not in (400, 422, 500):
        return error_from_status(status, "", deployment)
    if "APIConnectionError" in kinds or "ConnectError" in kinds:
        return _from_connecting(error, deployment)
    if "BadRequestError" in kinds or status in (400, 422):
        return errors.BadRequest(
            f"{name} rejected the request.",
            hint="Check the model name, and the additional parameters on LLM Settings.",
        )
    return errors.ProviderFailed(f"{name} failed ({type(error).__name__}).")


def _status(error: Exception, kinds: set[str]) -> int | None:
    for name, status in _STATUS_BY_CLASS.items():
        if name in kinds:
            return status
    answered = getattr(error, "status_code", None)
    return answered if isinstance(answered, int) else None

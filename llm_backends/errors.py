"""The errors that leave this package, one family.

Every error says who failed (provider, model), what happened, and what to do next. `type` is the word
that programs see, `http_status` the status under which our own routes report it.

    Exception
    ├── LLMError
    │   ├── NotConfigured         nothing was sent: a setting
    │   │   └── NothingAsked      … a text
    │   ├── MissingKey            … a key
    │   ├── ConsentNeeded         … a consent
    │   ├── NotInPlan             … the plan
    │   ├── BudgetExceeded        … a budget
    │   ├── BadRequest            400
    │   │   ├── ContextOverflow
    │   │   └── CannotSee
    │   ├── AuthenticationFailed  401
    │   ├── PermissionDenied      403
    │   ├── ModelNotFound         404
    │   ├── RateLimited           429
    │   ├── ProviderFailed        5xx
    │   ├── ConnectionFailed
    │   │   └── StreamBroken
    │   ├── TimedOut
    │   ├── RedirectRefused
    │   ├── MalformedAnswer
    │   ├── AnswerTooLarge
    │   ├── AnswerLoops
    │   ├── EmptyAnswer
    │   ├── Refused
    │   ├── DependencyMissing
    │   ├── LibraryFault
    │   └── BackendUnavailable
    └── Cancelled                 no LLMError: the user stopped the call
"""

from __future__ import annotations

import re
from typing import ClassVar

from .host import feasible

# Chinese and Japanese have no blanks: a whole sentence would be such a word.
_LONG_WORD = re.compile(r"[!-~]{300,}")
_LONGEST = 2000


def shorten(sentence: str) -> str:
    """Shorten `sentence` for display: too long a word (a model's id, an address, a file) is cut."""
    sentence = _LONG_WORD.sub(lambda word: f"{word[0][:80]} … ({len(word[0]):,} characters)", sentence)
    return sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]} …"


class LLMError(Exception):
    """A call that did not give an answer.

    `message` is one plain sentence, `hint` the next step. `status` is the HTTP status that the other
    side answered with, `retry_after_s` the seconds that it asked us to wait, `attempts` how many calls were
    made before it. Neither text ever holds a key. `of_one_text` says that the fault lies in this text:
    others of a job may well succeed.
    """

    type: ClassVar[str] = "error"
    http_status: ClassVar[int] = 502
    retryable: bool = False
    of_one_text: bool = False
    default_hint: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        message = shorten(message)
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.provider = provider
        self.model = model
        self.status = status
        self.retry_after_s = retry_after_s
        self.attempts = 0

    @property
    def hint(self) -> str:
        return self._hint

    @hint.setter
    def hint(self, sentence: str) -> None:
        self._hint = shorten(feasible(sentence))

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class NotConfigured(LLMError):
    """A setting is missing or contradicts another one; nothing was sent."""

    type, http_status = "not_configured", 400


class NothingAsked(NotConfigured):
    """There is no text to work on; nothing was sent."""

    of_one_text = True


class MissingKey(LLMError):
    """The provider needs a key and there is none; nothing was sent."""

    type, http_status = "missing_key", 401


class ConsentNeeded(LLMError):
    """The workflow needs a consent that this machine has not given; nothing was sent."""

    type, http_status = "consent_needed", 403


class NotInPlan(LLMError):
    """The plan in force does not allow this model; nothing was sent."""

    type, http_status = "not_in_plan", 403


class BudgetExceeded(LLMError):
    """The call could cost more than is left of a budget, or its price is unknown; nothing was sent."""

    type, http_status = "budget_exceeded", 403


class BadRequest(LLMError):
    """The other side did not understand the request (400, 413, 422)."""

    type, http_status = "bad_request", 400


class ContextOverflow(BadRequest):
    """Prompt and answer together are longer than the model's context window."""

    type, http_status = "context_overflow", 413
    default_hint = "Shorten the prompt or the instruction, or choose a model with a larger context."


class CannotSee(BadRequest):
    """The model takes no pictures, and the request has one."""

    type = "cannot_see"


class AuthenticationFailed(LLMError):
    """The key was refused (401)."""

    type, http_status = "authentication", 401


class PermissionDenied(LLMError):
    """The key is good but may not do this (403)."""

    type, http_status = "permission", 403


class ModelNotFound(LLMError):
    """The other side has no such model (404)."""

    type, http_status = "model_not_found", 404


class RateLimited(LLMError):
    """Too many calls, or no quota left (429)."""

    type, http_status, retryable = "rate_limited", 429, True
    default_hint = "Wait a moment and run again, lower LLM_MAX_CONCURRENCY, or choose another model."


class ProviderFailed(LLMError):
    """The other side broke (500, 502, 503, 529 …)."""

    type, http_status, retryable = "provider_failed", 502, True
    default_hint = "The problem is on the provider's side. Run again later, or choose another model."


class ConnectionFailed(LLMError):
    """The other side could not be reached, or the connection broke."""

    type, http_status, retryable = "connection_failed", 503, True
    default_hint = "Check that the server is running and that its address is correct."


class StreamBroken(ConnectionFailed):
    """The connection was cut after the answer had begun."""

    type = "stream_broken"
    default_hint = "Run again. If it keeps happening, check the server's log."


class TimedOut(LLMError):
    """No data arrived for too long."""

    type, http_status, retryable = "timeout", 504, True
    default_hint = "Raise LLM_TIMEOUT_MS, or timeout_s on LLM Settings, or choose a faster model."


class RedirectRefused(LLMError):
    """The other side sent us elsewhere, and a key is not carried elsewhere."""

    type = "redirect_refused"
    default_hint = "Set LLM_BASE_URL to the final address."


class MalformedAnswer(LLMError):
    """The response does not follow the protocol."""

    type = "malformed_answer"
    default_hint = "Check that the address is an OpenAI-compatible API (it usually ends in /v1)."


class AnswerTooLarge(LLMError):
    """The answer went on past every reasonable length and was cut off."""

    type = "answer_too_large"
    default_hint = "Set max_tokens on LLM Settings, or choose another model."


class AnswerLoops(LLMError):
    """The model went round in a loop and was stopped; `text` is what it had written."""

    type = "loop"
    default_hint = (
        "Run again with another seed, raise repetition_penalty in `extra` on LLM Settings, or choose a "
        "larger model."
    )
    text: str = ""

    @classmethod
    def of(cls, who: str, text: str) -> AnswerLoops:
        """Return the error for the model named `who`."""
        error = cls(f"{who} repeated itself without end and was stopped.")
        error.text = text
        return error


class EmptyAnswer(LLMError):
    """The model answered with nothing."""

    type = "empty_answer"
    default_hint = "Run again with another seed, raise max_tokens, or choose another model."


class Refused(LLMError):
    """The model declined to write this."""

    type = "refused"
    default_hint = "Reword the prompt or choose another model."


class DependencyMissing(LLMError):
    """A library that this mode needs is not installed."""

    type, http_status = "dependency_missing", 503


class LibraryFault(LLMError):
    """A library that carries the calls failed by itself; the other side had no part in it."""

    type, http_status = "library_fault", 503


class BackendUnavailable(LLMError):
    """The mode exists but cannot be used here."""

    type, http_status = "backend_unavailable", 503


class Cancelled(Exception):
    """The user stopped the call. Not an `LLMError`: no `on_error` setting may turn it into a prompt."""

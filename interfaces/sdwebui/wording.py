"""Wording of our errors for this host's users, where their next step differs here."""

from __future__ import annotations

import concurrent.futures
import logging

from ...config.access.consent import FOLDER
from ...llm_backends.errors import Cancelled, ConsentNeeded, LLMError
from ...llm_backends.redact import scrub
from ..http.messages import HttpError

STOPPED = "Stopped."
_log = logging.getLogger("quillwork")


def words_of(error: Exception) -> str:
    """Return the sentence and what to do next."""
    if not isinstance(error, ConsentNeeded):
        return str(error)
    if error.provider.startswith(FOLDER):
        return f"{error.message} Press “Allow this folder” to allow it once."
    return f"{error.message} Allow it once on the Quillwork tab, under Settings."


def sentence_of(error: BaseException) -> str:
    """Return the sentence for users about an error.

    One of ours says what to do; any other is a fault of ours, and the log has it.
    """
    if isinstance(error, (Cancelled, concurrent.futures.CancelledError)):
        return STOPPED
    if isinstance(error, HttpError):
        return " ".join(filter(None, (error.message, error.hint)))
    if isinstance(error, (LLMError, ValueError)):
        return words_of(error)
    _log.error("Quillwork failed (%s).", scrub(f"{type(error).__name__}: {error}"))
    return "Quillwork failed with an internal error. See the web UI's log for details."

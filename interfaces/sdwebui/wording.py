"""Wording of our errors for this host's users, where their next step differs here."""

from __future__ import annotations

from ...config.access.consent import FOLDER
from ...llm_backends.errors import ConsentNeeded


def words_of(error: Exception) -> str:
    """Return the sentence and what to do next."""
    if not isinstance(error, ConsentNeeded):
        return str(error)
    if error.provider.startswith(FOLDER):
        return f"{error.message} Press “Allow this folder” to allow it once."
    return f"{error.message} Allow it once on the Quillwork tab, under Settings."

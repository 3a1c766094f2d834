"""Wording of our errors for this host's users, where their next step differs here."""

from __future__ import annotations

from ...llm_backends.errors import ConsentNeeded


def words_of(error: Exception) -> str:
    """Return the sentence and what to do next."""
    if isinstance(error, ConsentNeeded):
        return f"{error.message} Allow it once on the Quillwork tab, under Settings."
    return str(error)

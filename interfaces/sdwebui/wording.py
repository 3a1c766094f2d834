"""What this host's users read of an error of ours, where its next step is another one here."""

from __future__ import annotations

from ...llm_backends.errors import ConsentNeeded


def words_of(error: Exception) -> str:
    """The sentence and what to do next."""
    if isinstance(error, ConsentNeeded):
        return f"{error.message} Allow it once on the Quillwork tab, under Settings."
    return str(error)

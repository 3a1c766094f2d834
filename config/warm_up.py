"""Preparation of a chosen model's first call: what it needs is imported while the user does something else.

Nothing is sent, and nothing begins before somebody chose a model of a provider: a host starts as it does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ..llm_backends import modes, registry
from ..llm_backends.errors import LLMError
from .choice import Choice
from .deployment import deploy
from .settings.values import Settings, load


def warm_up(choice: Choice, settings: Settings | None = None) -> bool:
    """Begin the imports for calls by `choice`, on their own thread; tell whether there are any.

    Reads files. A choice that cannot be called now is none to prepare.
    """
    try:
        deployment = deploy(choice, settings or load())
    except LLMError:
        return False
    remote = [one for one in (deployment, *deployment.fallbacks) if one.backend == modes.LITELLM]
    return any([registry.get(modes.LITELLM).warm_up(one) for one in remote])


def warm_up_aside(choices: Iterable[Choice]) -> None:
    """Begin the imports for all `choices` from a thread, for a caller that must not wait for files."""
    waiting = list(choices)
    if waiting:
        threading.Thread(
            target=lambda: [warm_up(choice) for choice in waiting], name="quillwork-warm-up", daemon=True
        ).start()

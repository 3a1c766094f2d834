"""Quillwork's models as LangChain's: `as_langchain` is all that a caller needs.

The rest of this folder imports ``langchain-core``, which is an extra, and is itself imported at first use.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...config.choice import Choice
from ...config.opening import open_model
from ...llm_backends.errors import DependencyMissing
from ...llm_backends.model import Model

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from ...llm_backends.types import Deployment


def as_langchain(model: str | Deployment | Model = "") -> BaseChatModel:
    """Make a chat model for LangChain, from a deployment or a model that is open already.

    A text is a model's id under this user's settings, as a script's own author may name one; empty, it is
    the model for chats that the settings name. An id out of somebody else's workflow goes through
    ``open_model(Choice(llm_model=...))``, which asks for the user's consent. Raises `DependencyMissing`
    without langchain-core, and what `open_model` raises.
    """
    try:
        from .chat_model import QuillworkChat
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "langchain_core":
            raise
        raise DependencyMissing(
            "as_langchain() needs the Python package langchain-core, which is not installed.",
            hint="Run `pip install langchain-core` in the environment of your script, but not in a web "
            "UI's environment: it changes packages that the web UI depends on.",
        ) from None
    if isinstance(model, str):
        model = open_model(Choice(llm_model=model, role="chat", by_workflow=False))
    model = model if isinstance(model, Model) else Model(model)
    return QuillworkChat(model=replace(model, caller="LangChain"))

"""The choice of a node, a command or a request, before the settings are applied."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..llm_backends.errors import NotConfigured
from ..llm_backends.modes import AUTO

if TYPE_CHECKING:
    from ..llm_backends.types import Reasoning

Role = Literal["prompt_gen", "chat"]
# What LLM Settings offers for `keep_loaded`: what becomes of a local model after a run.
KEEP_LOADED = (WHILE_ROOM, UNLOAD, KEEP) = ("while there is room", "unload after each run", "keep")
ROLE_VARIABLES: dict[Role, str] = {"prompt_gen": "LLM_MODEL_PROMPT_GEN", "chat": "LLM_MODEL_CHAT"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice by widgets or flags; an empty value leaves the matter to the settings.

    `by_workflow` is True where the choice came out of a graph, which may be another person's: it needs the
    user's consent for costs and downloads; `may_download` is True where the user has just allowed this
    download. -1 and 0 have the meaning of LLM Settings. `encoder` is the host's text encoder wired beside it,
    for the mode host_encoder: an object of the host's own.
    """

    llm_mode: str = AUTO
    llm_model: str = ""
    temperature: float = -1.0
    top_p: float = -1.0
    max_tokens: int = 0
    timeout_s: float = 0.0
    retries: int = -1
    fallback_models: tuple[str, ...] = ()
    reasoning: Reasoning = "default"
    extra: Mapping[str, Any] = field(default_factory=dict)
    keep_loaded: str = ""
    role: Role = "prompt_gen"
    by_workflow: bool = True
    may_download: bool = False
    encoder: Any = field(default=None, repr=False, compare=False)


def split_models(text: str) -> tuple[str, ...]:
    """Split a text at commas and line breaks into model ids."""
    return tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())


def parse_extra(text: str) -> dict[str, Any]:
    """Parse the `extra` widget: a JSON object or nothing.
    Raises `NotConfigured` with the place of a mistake."""
    if not text.strip():
        return {}
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotConfigured(
            f"`extra` on LLM Settings is not valid JSON ({error}).",
            hint='Enter an object such as {"top_k": 20}.',
        ) from None
    if not isinstance(extra, dict):
        raise NotConfigured(
            "`extra` on LLM Settings is not a JSON object.", hint='Enter an object such as {"top_k": 20}.'
        )
    return extra

"""Models without vision: refused before anything is sent, and in the same words when the server says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import modes
from .errors import CannotSee
from .types import Deployment, Request

_SHOWN = 3
# How servers put it. What is wrong with one picture (its format, its size) is another matter.
_PICTURES = r"(?:images?|vision|multi-?modal|pictures?)(?:[ _-](?:inputs?|content|url|blocks?|modality))*"
_TAKES_NONE = re.compile(
    rf"\b{_PICTURES} (?:is|are) (?:not|only) (?:currently )?(?:supported|enabled)"
    rf"|(?:n't|not?) support(?:ed|ing)?(?: the| any)? {_PICTURES}"
    r"(?![\w/]|[ _-](?:format|type|file|size|media|larger|smaller|over|of|with)\b)"
    r"|not a (?:multi-?modal|vision) model|missing data required for image"
    r"|at most 0 image|no endpoints found that support image"
    r"|unknown variant `?image_url|(?:invalid|unsupported) content type\W+image_url"
    r"|content must be a string",
    re.I,
)


def has_pictures(request: Request) -> bool:
    """Tell whether the messages have pictures."""
    return any(message.images for message in request.messages)


def check_vision(requests: Sequence[Request], deployment: Deployment) -> None:
    """Raise `errors.CannotSee` where each of `requests` has pictures for a model that is known to take none;
    in a mixed batch, the backend refuses those that have."""
    if all(map(has_pictures, requests)) and (
        deployment.capabilities.vision is False or not modes.of(deployment.backend).answers_messages
    ):
        raise cannot_see(deployment)


def cannot_see(deployment: Deployment) -> CannotSee:
    """The error for `deployment`, naming the user's models with vision where there are some."""
    others = [name for name in deployment.seeing() if name != deployment.model_id][:_SHOWN]
    which = " or ".join(filter(None, [", ".join(others[:-1]), *others[-1:]])) if others else ""
    example = f", such as {which} (here or with LLM_MODEL)" if which else ""
    return CannotSee(
        f"{deployment.name} does not support images.",
        hint=f"Choose a model that does{example}, or remove the image.",
        provider=deployment.provider,
        model=deployment.model,
    )


def says_it_cannot_see(text: str) -> bool:
    """Tell whether a server's refusal `text` means that the model takes no pictures."""
    return _TAKES_NONE.search(text) is not None

"""Names that callers give: a model, a target. Neither may be an address or a path of this machine."""

from __future__ import annotations

import re

from ...config import providers, ways
from ...config.access.session_keys import ENDPOINT
from ...config.settings.home import targets_folder
from ...config.settings.values import Settings
from ...llm_backends.host import program
from ...llm_backends.modes import LITELLM
from ...prompting import targets
from .messages import HttpError

# What a page calls the target `auto` of a node whose text encoder comes from that file.
OF_FILE = "file:"
_PATH = re.compile(r"^(?:[/\\~.]|[A-Za-z]:[/\\])|(?:^|[/\\])\.\.(?:[/\\]|$)|\\")


def check_model(name: str, mode: str, settings: Settings) -> str:
    """Return the model's name, trimmed.

    Raises `HttpError` for what can only be an address, a path or a mistake.

    An endpoint's names are its own business, and some servers name models by their paths.
    """
    name = name.strip()
    if not name:
        return ""
    if "://" in name or not name.isprintable():
        raise HttpError(
            400,
            "bad_request",
            "A model name cannot contain an address.",
            "Choose one from the list of models.",
        )
    if _PATH.search(ways.split(name)[1]) and not _is_for_endpoint(name, mode, settings):
        raise HttpError(
            400,
            "bad_request",
            "A path cannot be set from here.",
            f"Set LLM_PATH in the environment of {program()}.",
        )
    return name


def load_target(name: str) -> targets.Target:
    """Load the target of that name, or of a checkpoint's file behind `OF_FILE`. Raises `HttpError`."""
    if name.startswith(OF_FILE):
        file = name.removeprefix(OF_FILE)
        if (found := targets.for_file(file, targets_folder())) is not None:
            return found
        raise HttpError(400, "unknown_target", f'No target is known by the file "{file[:80]}".', "")
    try:
        return targets.load(name, targets_folder())
    except targets.UnknownTarget as error:
        raise HttpError(400, "unknown_target", str(error), "") from None
    except ValueError as error:
        raise HttpError(400, "broken_target", str(error), "") from None


def _is_for_endpoint(name: str, mode: str, settings: Settings) -> bool:
    way, model = ways.split(name)
    if way or settings.endpoint() is None:
        return way == ENDPOINT
    return mode == LITELLM and providers.split(model) is None

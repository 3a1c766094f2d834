"""What a local model's deployment has to know about getting its files."""

from __future__ import annotations

from typing import Any

from ..llm_backends.local.hub.access import HubAccess
from ..llm_backends.modes import Mode
from .access import consent
from .access.session_keys import session_keys
from .choice import Choice
from .settings.home import models_folder
from .settings.values import Settings

# The provider whose key the hub takes as well.
_PROVIDER = "huggingface"


def parameters(mode: Mode, choice: Choice, settings: Settings) -> dict[str, Any]:
    """``models_folder``, ``may_download`` and ``hub`` for a mode that takes models out of repositories.

    To have a model chosen in the settings is no yes to fetching it: that is the user's own, given once for
    this machine or on the command line that runs now.
    """
    if not mode.from_repository:
        return {}
    return {
        "models_folder": str(models_folder()),
        "may_download": choice.may_download or consent.is_allowed(consent.DOWNLOADS, settings),
        "hub": HubAccess.from_environment(settings.environment(), session_keys.get(_PROVIDER)),
    }

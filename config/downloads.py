"""The parameters by which a local model's deployment downloads its files."""

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
    """The parameters ``models_folder``, ``may_download`` and ``hub`` of a mode that uses repositories.

    Choosing a model in the settings is no consent to its download: the user gives that once for this machine,
    or on the command line that runs now.
    """
    if not mode.from_repository:
        return {}
    return {
        "models_folder": str(models_folder()),
        "may_download": choice.may_download or consent.is_allowed(consent.DOWNLOADS, settings),
        "hub": HubAccess.from_environment(settings.environment(), session_keys.get(_PROVIDER)),
    }

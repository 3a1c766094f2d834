"""Locations of the web UI's folders for our files and language models."""

from __future__ import annotations

import os
from pathlib import Path

from ....config.settings.home import platform_home
from .lookup import shared

_NAMES = ("LLM", "llm", "llm_gguf")


def own_home() -> Path:
    """Return ``--quillwork-home`` of the host's command line, else the platform's folder of this user."""
    chosen = getattr(getattr(shared(), "cmd_opts", None), "quillwork_home", None)
    return Path(chosen).expanduser() if chosen else platform_home()


def models_path() -> Path | None:
    """Return the host's folder of models, None where it names none."""
    try:
        from modules import paths
    except ImportError:
        return None
    path = getattr(paths, "models_path", None)
    # SD.Next gives it relative to the folder that it was started in.
    return Path(os.path.abspath(path)) if path else None


def model_folders(models: Path) -> list[Path]:
    """Return the folders below the host's folder of models in which language models lie."""
    return [folder for name in _NAMES if (folder := models / name).is_dir()]

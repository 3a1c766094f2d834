"""Where a user's settings, library, targets and consent lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "QUILLWORK_HOME"
_host_home: Path | None = None
_models_folder: Path | None = None


def use_host_home(folder: Path) -> None:
    """Let the host say where our folder is; QUILLWORK_HOME still wins."""
    global _host_home
    _host_home = folder


def home() -> Path:
    """QUILLWORK_HOME, else the folder that the host gave, else the platform's configuration folder."""
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen:
        return Path(chosen).expanduser()
    return _host_home or _platform_folder() / "quillwork"


def use_models_folder(folder: Path) -> None:
    """Let the host say where its models lie: ours go below it, where its own tools see them."""
    global _models_folder
    _models_folder = folder


def models_folder() -> Path:
    """The host's folder of models; without a host, one of our own."""
    return _models_folder or home() / "models"


def _platform_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def targets_folder() -> Path:
    """The user's own targets."""
    return home() / "targets"

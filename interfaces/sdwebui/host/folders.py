"""Locations of the web UI's folders for our files and language models."""

from __future__ import annotations

import os
from pathlib import Path

from ....config.access.consent import require_folder
from ....config.settings.home import platform_home
from ....config.settings.values import load
from ....llm_backends.errors import NotConfigured
from ....prompting.jobs import file_job
from ....prompting.jobs.captions import whole_path
from ....prompting.jobs.journal import JobError
from .lookup import shared

_NAMES = ("LLM", "llm", "llm_gguf")


def own_home() -> Path:
    """Return ``--quillwork-home`` of the host's command line, else the platform's folder of this user."""
    chosen = getattr(getattr(shared(), "cmd_opts", None), "quillwork_home", None)
    return Path(chosen).expanduser() if chosen else platform_home()


def outputs_folder() -> Path | None:
    """Return the host's folder of outputs, None where it does not say where its data are."""
    try:
        from modules import paths
    except ImportError:
        return None
    data = getattr(paths, "data_path", None)
    return Path(os.path.abspath(data)) / "outputs" if data else None


def picture_folder(name: str) -> Path:
    """Return the folder `name` in the host's folder of outputs, or the one of that whole path.

    Raises `ConsentNeeded` for one outside of it that the user has not allowed, `NotConfigured` where nothing
    is named, and `JobError` for what no folder can be called.
    """
    outputs = outputs_folder()
    name = name.strip()
    if not name or (outputs is None and not Path(name).is_absolute()):
        raise NotConfigured("No folder is named.", hint="Enter the whole path of a folder of images.")
    folder = whole_path(outputs or Path(), name)
    if outputs is None or not folder.is_relative_to(outputs.resolve()):
        require_folder(folder, load())
    return folder


def results_folder() -> Path:
    """Return the folder for a job's results in the host's folder of outputs. Raises `JobError`."""
    outputs = outputs_folder()
    if outputs is None:
        raise JobError("The web UI names no folder of outputs. Use `python . enhance --file` instead.")
    return file_job.results_folder(outputs)


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

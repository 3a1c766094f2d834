"""Home and settings page for a command: those of the host whose folder the command is run in."""

from __future__ import annotations

import sys
from pathlib import Path

from ...config.diagnostics.health import Check
from ...config.models import local_models
from ...config.settings import host_notes
from ...config.settings.home import home, origin, use_home, use_host_home, use_models_folder
from ...config.settings.host_notes import HostNote
from ...config.settings.values import use_host_settings
from ...llm_backends.command_line import command, pack_folder, use_arguments
from ...llm_backends.host import use_program
from ..sdwebui.host.options import ORIGIN, read_page


def settle_in(chosen: str) -> None:
    """Take the folder `chosen` (``--home``) where it is not empty, else what this copy's host uses."""
    if chosen:
        use_home(Path(chosen).expanduser())
    use_arguments(host_notes.arguments)
    note = host_notes.find(pack_folder())
    if note is None:
        return
    use_program(note.host)
    use_host_home(Path(note.home), _told(note))
    if note.models:
        use_models_folder(Path(note.models))
    folders = [Path(folder) for folder in note.model_folders]
    if folders:
        local_models.use_folders(lambda: [folder for folder in folders if folder.is_dir()])
    if note.page and not chosen:
        page = Path(note.page)
        use_host_settings(ORIGIN, lambda: read_page(page))


def line() -> str:
    """Return a line that names the files in use, and why these."""
    return f"Files: {home()} ({origin()})"


def other_python() -> Check | None:
    """Return a finding where the host runs another Python, whose packages cannot be seen from here."""
    note = host_notes.find(pack_folder())
    if note is None or not note.python or host_notes.same_python(note.python, sys.executable):
        return None
    return Check(
        "Python",
        False,
        f"{note.host} runs with {note.python}, and this is {sys.executable}, which has other packages.",
        f"Run `{command('doctor', python=note.python)}`.",
    )


def _told(note: HostNote) -> str:
    told = note.host if note.started else f"{note.host}, by the place of this folder: it has not started yet"
    return f"{told}; with its settings page {note.page}" if note.page else told

"""Home and settings page for a command: those of the host whose folder the command is run in."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from ...config.diagnostics.health import Check
from ...config.host_profile import HostProfile, enter
from ...config.settings import host_notes
from ...config.settings.home import home, origin, use_home
from ...config.settings.host_notes import HostNote
from ...config.tag_files import tag_files
from ...llm_backends.system.command_line import command, pack_folder
from ...prompting.tags.files import use_files
from ..sdwebui.host.settings import ORIGIN, read_page


def settle_in(chosen: str) -> None:
    """Take the folder `chosen` (``--home``) where it is not empty, else what this copy's host uses."""
    if chosen:
        use_home(Path(chosen).expanduser())
    use_files(tag_files)
    note = host_notes.find(pack_folder())
    if note is None:
        enter(HostProfile())
        return
    folders = [Path(folder) for folder in note.model_folders]
    page = Path(note.page) if note.page and not chosen else None
    enter(
        HostProfile(
            note.host,
            home=Path(note.home),
            home_origin=_host_of(note),
            models=Path(note.models) if note.models else None,
            model_folders=(lambda: [folder for folder in folders if folder.is_dir()]) if folders else None,
            settings=partial(read_page, page) if page is not None else None,
            settings_origin=ORIGIN,
        )
    )


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


def _host_of(note: HostNote) -> str:
    host = (
        note.host
        if note.started
        else (f"{note.host}, because of where this folder is: it has not started yet")
    )
    return f"{host}; with its settings page {note.page}" if note.page else host

"""The host's profile: the one place through which a host registers its parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..llm_backends.host import MemoryManager, use_memory, use_nodes, use_program
from ..llm_backends.system.command_line import pack_folder, use_arguments
from .settings import home, host_notes
from .settings.host_notes import HostNote


@dataclass(frozen=True, slots=True)
class HostProfile:
    """The profile of a host; parts that it leaves out stay as they are without a host.

    `program` is its name for people. `home` is our folder in it, chosen by `home_origin` (`program` where
    that is empty). `models` is the folder for new models; `model_folders` and `library_folders` return the
    folders that are read, anew at every look. `settings` returns the texts of its settings page by variable,
    which messages call `settings_origin`; `page` is the file of that page, for our command line. `arguments`
    are those that a command needs to find this home. `has_nodes` says that people work with nodes there.
    `find_memory` finds its memory manager, at first use; its queue is a matter of the routes
    (`HttpHost.run_in_turn`).
    """

    program: str = ""
    version: str = ""
    home: Path | None = None
    home_origin: str = ""
    models: Path | None = None
    model_folders: Callable[[], Iterable[Path]] | None = None
    library_folders: Callable[[], Iterable[Path]] | None = None
    settings: Callable[[], Mapping[str, str]] | None = None
    settings_origin: str = ""
    page: str = ""
    has_nodes: bool = False
    arguments: Callable[[], Sequence[str]] = host_notes.arguments
    find_memory: Callable[[], MemoryManager | None] | None = None


def enter(profile: HostProfile) -> None:
    """Register the parts of `profile` wherever they are used."""
    use_arguments(profile.arguments)
    use_nodes(profile.has_nodes)
    if profile.program:
        use_program(profile.program)
    if profile.home is not None:
        home.use_host_home(profile.home, profile.home_origin or profile.program)
    if profile.models is not None:
        home.use_models_folder(profile.models)
    if profile.model_folders is not None:
        home.use_llm_folders(profile.model_folders)
    if profile.library_folders is not None:
        home.use_library_folders(profile.library_folders)
    if profile.settings is not None:
        from .settings.values import use_host_settings

        use_host_settings(profile.settings_origin, profile.settings)
    if profile.find_memory is not None:
        use_memory(profile.find_memory)


def leave_note(profile: HostProfile) -> None:
    """Write down for our command line what the host that has just been entered uses."""
    folders = profile.model_folders() if profile.model_folders is not None else ()
    host_notes.leave(
        HostNote(
            profile.program,
            pack=str(pack_folder()),
            home=os.path.abspath(home.home()),
            page=profile.page,
            models=str(profile.models or ""),
            model_folders=[str(folder) for folder in folders],
            python=sys.executable or "",
            version=profile.version,
        )
    )

"""The home: the folder of a user's settings, library, targets and consents."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from ...llm_backends.errors import NotConfigured

VARIABLE = "QUILLWORK_HOME"
_named: Path | None = None
_host_home: Path | None = None
_host = ""
_models_folder: Path | None = None
_llm_folders: Callable[[], Iterable[Path]] | None = None
_library_folders: Callable[[], Iterable[Path]] = tuple


def use_home(folder: Path) -> None:
    """Use `folder`, whatever the environment and the host say.
    Raises `NotConfigured` where it is unusable."""
    global _named
    if folder.exists() and not folder.is_dir():
        raise NotConfigured(f"--home {folder} is a file.", hint="Choose a folder.")
    _named = folder.absolute()


def use_host_home(folder: Path, host: str = "the program that this folder is installed in") -> None:
    """Set the host's folder for this pack; QUILLWORK_HOME still wins. `host` is its name for people."""
    global _host_home, _host
    _host_home, _host = folder, host


def home() -> Path:
    """The home: --home, else QUILLWORK_HOME, else the host's folder, else `platform_home`."""
    if _named is not None:
        return _named
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen:
        return _path(chosen).expanduser()
    return _host_home or platform_home()


_path = lru_cache(maxsize=16)(Path)


def origin() -> str:
    """Say in a sentence who chose `home`, and whether the host has another one."""
    named = "--home" if _named is not None else VARIABLE if os.environ.get(VARIABLE, "").strip() else ""
    if not named:
        return _host or "the folder of this user; this copy of Quillwork is not inside a known host"
    if _host_home is not None and not same_place(_host_home, home()):
        return f"{named}; {_host_home} would be the folder of {_host}"
    return named


def use_models_folder(folder: Path) -> None:
    """Set the host's models folder: ours go below it, where the host's own tools see them."""
    global _models_folder
    _models_folder = folder


def use_llm_folders(folders: Callable[[], Iterable[Path]]) -> None:
    """Set the folders in which a host keeps language models; read anew at every look."""
    global _llm_folders
    _llm_folders = folders


def host_llm_folders() -> Callable[[], Iterable[Path]] | None:
    """Return what finds the host's own folders of language models, None without a host that has any."""
    return _llm_folders


def use_library_folders(folders: Callable[[], Iterable[Path]]) -> None:
    """Have the folders in which a host keeps variable files read as well, after those of LIBRARY_DIRS."""
    global _library_folders
    _library_folders = folders


def host_library_folders() -> tuple[Path, ...]:
    """Return the host's own folders of variable files, which are only read."""
    return tuple(_library_folders())


def models_folder() -> Path:
    """The host's models folder; without a host, one of our own."""
    return _models_folder or home() / "models"


def platform_home() -> Path:
    """The pack's folder in the platform's configuration folder of this user."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "quillwork"


def same_place(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to one folder, which need not exist."""
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def targets_folder() -> Path:
    """The folder of the user's own targets."""
    return home() / "targets"

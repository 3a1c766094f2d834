"""Notes of the host that a copy of Quillwork works for: left at its start, else guessed from the folder.

A host writes its note into Quillwork's own folder, where any terminal can read it, whatever its environment.
A folder that is linked into the host, or that cannot be written, has its note in the user's folder instead:
several hosts may share it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...llm_backends.system.command_line import pack_folder
from .home import home, platform_home, same_place

COMFYUI, WEB_UI = "ComfyUI", "the web UI"
_IN_PACK = ".hosts.json"
_IN_HOME = "hosts.json"
_MOST = 20


@dataclass(frozen=True, slots=True)
class HostNote:
    """A host and its places. `pack` is the path by which it loaded us, links kept; `page` is the file of its
    settings page, empty where it has none; `python` is the interpreter that it runs with. `started` is False
    where only the place was seen. `version` is empty where the host does not say it."""

    host: str
    pack: str
    home: str
    page: str = ""
    models: str = ""
    model_folders: list[str] = field(default_factory=list)
    python: str = ""
    started: bool = True
    version: str = ""


def leave(note: HostNote) -> None:
    """Write `note` where `find` looks for it; where that fails, the host starts all the same."""
    pack = Path(note.pack)
    for file in (_shared(),) if pack.is_symlink() else (pack / _IN_PACK, _shared()):
        if file is None:
            continue
        if file.parent == pack and not pack.is_dir():
            continue
        others = [one for one in _notes(file) if one.pack != note.pack and Path(one.pack).is_dir()]
        content = json.dumps({"hosts": [asdict(one) for one in (*others[-_MOST:], note)]}, indent=1)
        if _is_written(file, content):
            return


def _is_written(file: Path, content: str) -> bool:
    """Write `content` to `file` where it is not there yet; tell whether it is there now."""
    with contextlib.suppress(OSError):
        if file.read_bytes() == content.encode():
            return True
    # Late, because at most starts of a host the note is there.
    from ...llm_backends.system.files import write_whole

    try:
        write_whole(file, content)
    except OSError:
        return False
    return True


def find(pack: Path) -> HostNote | None:
    """The host of the copy at `pack`: the one that comes by this very path, else the one in whose folder the
    path lies, else the latest that came by another. None where it belongs to no known host."""
    notes = [*_notes(_shared()), *_notes(pack / _IN_PACK)]
    return (
        _latest(notes, pack, os.path.abspath)
        or _latest(notes, pack, _parent_resolved)
        or _by_place(pack)
        or _latest(notes, pack, os.path.realpath)
    )


def same_python(one: str, other: str) -> bool:
    """Tell whether two interpreters lie in one environment, and so have the same packages."""
    folders = {os.path.normcase(os.path.dirname(os.path.abspath(path))) for path in (one, other)}
    return len(folders) == 1


def host_folder(note: HostNote) -> Path | None:
    """The folder in whose ``custom_nodes`` or ``extensions`` the pack lies; None where it lies elsewhere."""
    folder = Path(note.pack).parent
    return folder.parent if folder.name.startswith(("custom_nodes", "extensions")) else None


def _latest(notes: list[HostNote], pack: Path, spelled: Callable[[str], str]) -> HostNote | None:
    wanted = os.path.normcase(spelled(str(pack)))
    return next((note for note in reversed(notes) if os.path.normcase(spelled(note.pack)) == wanted), None)


def arguments() -> tuple[str, ...]:
    """The options with which a command in a terminal takes the home of this process: mostly none."""
    found = find(pack_folder())
    known = platform_home() if found is None else Path(found.home)
    return () if same_place(known, home()) else ("--home", str(home()))


def _parent_resolved(pack: str) -> str:
    """The path with all links resolved but its own."""
    folder, name = os.path.split(os.path.abspath(pack))
    return os.path.join(os.path.realpath(folder), name)


def _by_place(pack: Path) -> HostNote | None:
    """The home and files that a host would use that has never started with this copy."""
    folder, base = pack.parent, pack.parent.parent
    if folder.name == "custom_nodes" and _has(base, ("main.py", "user", "models")):
        home = base / "user" / "__quillwork"
        return HostNote(COMFYUI, str(pack), str(home), models=str(base / "models"), started=False)
    if folder.name.startswith("extensions") and _has(base, ("webui.py", "launch.py", "config.json")):
        page = str(base / "config.json")
        models = str(base / "models")
        return HostNote(WEB_UI, str(pack), str(platform_home()), page=page, models=models, started=False)
    return None


def _has(folder: Path, names: tuple[str, ...]) -> bool:
    return any((folder / name).exists() for name in names)


def _shared() -> Path | None:
    """The file in the user's folder; None for a user who has none."""
    try:
        return platform_home() / _IN_HOME
    except RuntimeError:
        return None


def _notes(file: Path | None) -> Iterator[HostNote]:
    """The notes in `file`, the latest last; unreadable ones are skipped."""
    if file is None:
        return
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["hosts"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for row in rows if isinstance(rows, list) else ():
        note = _note(row)
        if note is not None:
            yield note


def _note(row: Any) -> HostNote | None:
    try:
        note = HostNote(**row)
    except TypeError:
        return None
    texts = (note.host, note.pack, note.home, note.page, note.models, note.python, note.version)
    is_sound = all(isinstance(text, str) for text in texts) and isinstance(note.model_folders, list)
    return note if is_sound and note.pack and note.home else None

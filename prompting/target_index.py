"""Targets as a widget lists them, read from the first lines of their files: no YAML is parsed here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

OUR_FOLDER = Path(__file__).resolve().parent / "targets"
USER_GROUP = "My targets"
GROUPS = (
    "General",
    "Z-Image",
    "Qwen-Image",
    "Flux",
    "Stable Diffusion",
    "Anime",
    "Other image models",
    "Image editing",
    "Video",
    "Image to video",
    "Music and sound",
)

_FIRST_IN_GROUP = ("general", "plain", "z_image_turbo", "sdxl")
_RESERVED = frozenset({"", "auto"})
_HEAD_BYTES = 2048
_MAX_FILES = 1000
_HEAD_FIELD = re.compile(r"^(label|group|kind|aliases):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """Target as the widget lists it. `is_user`: the file is the user's own."""

    id: str
    label: str
    group: str
    is_user: bool = False
    aliases: tuple[str, ...] = ()
    kind: str = "image"


@dataclass(frozen=True, slots=True)
class TargetFile:
    """File of a target as it was found; a changed file is a different key to every cache."""

    id: str
    path: Path
    mtime_ns: int
    size: int


def index(user_folder: Path | None = None) -> tuple[TargetEntry, ...]:
    """Return all targets, the general ones first, then image, editing and video models, then the user's own.

    Reads the beginning of each file and no YAML, and that only when something in a folder has changed.
    A file that is broken further down is listed all the same; `load` reports what is wrong with it.
    """
    user_files = () if user_folder is None else files_in(user_folder)
    return _index(our_files(), user_files)


def our_files() -> tuple[TargetFile, ...]:
    """Return the files that we ship, read anew only when one was added or removed."""
    return _our_files(OUR_FOLDER.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _our_files(_folder_mtime_ns: int) -> tuple[TargetFile, ...]:
    return files_in(OUR_FOLDER)


def files_in(folder: Path) -> tuple[TargetFile, ...]:
    """Return the target files of a folder in the order of their names; none where there is no such folder."""
    try:
        found = sorted(
            path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.name[0] not in "._"
        )
    except OSError:
        return ()
    files = []
    for path in found[:_MAX_FILES]:
        identifier = slug(path.stem)
        try:
            stat = path.stat()
        except OSError:
            continue
        if identifier not in _RESERVED:
            files.append(TargetFile(identifier, path, stat.st_mtime_ns, stat.st_size))
    return tuple(files)


def slug(name: str) -> str:
    """Return the id for a file's stem or a typed name: lower case, words joined by underscores."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def squash(text: str) -> str:
    """Reduce `text` to lower-case letters and digits, for comparing names."""
    return re.sub(r"[\W_]+", "", text.casefold())


@lru_cache(maxsize=8)
def _index(our_files: tuple[TargetFile, ...], user_files: tuple[TargetFile, ...]) -> tuple[TargetEntry, ...]:
    entries = {file.id: _entry(file, None) for file in our_files}
    for file in user_files:
        entries[file.id] = _entry(file, entries.get(file.id))
    return tuple(sorted(entries.values(), key=_order))


def _entry(file: TargetFile, overridden: TargetEntry | None) -> TargetEntry:
    head = dict(_HEAD_FIELD.findall(_head(file.path)))
    aliases = head.get("aliases", "").split("#")[0].strip().strip("[]").split(",")
    mine = file.path.parent != OUR_FOLDER
    fallback = overridden or TargetEntry(file.id, file.id, USER_GROUP)
    return TargetEntry(
        file.id,
        _bare(head.get("label", "")) or fallback.label,
        _bare(head.get("group", "")) or fallback.group,
        mine,
        tuple(name for alias in aliases if (name := _bare(alias.strip()))) or fallback.aliases,
        _bare(head.get("kind", "")) or fallback.kind,
    )


def _head(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace").replace("\r", "")
    except OSError:
        return ""


def _bare(text: str) -> str:
    """Return a YAML scalar without its comment and quotes."""
    if text[:1] in ("'", '"'):
        return text[1:].partition(text[0])[0]
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()


def _order(entry: TargetEntry) -> tuple[int, str, int, list[str]]:
    group = GROUPS.index(entry.group) if entry.group in GROUPS else len(GROUPS)
    first = _FIRST_IN_GROUP.index(entry.id) if entry.id in _FIRST_IN_GROUP else len(_FIRST_IN_GROUP)
    # Numbers by their value: 9 comes before 10.
    label = [part.zfill(6) if part.isdigit() else part for part in re.split(r"(\d+)", entry.label.casefold())]
    return group, "" if group < len(GROUPS) else entry.group.casefold(), first, label

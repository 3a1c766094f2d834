"""Places of variables: a file of a folder, and what of it is meant."""

from __future__ import annotations

import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .files import unreadable


@dataclass(frozen=True, slots=True)
class Place:
    """Location of a variable: a file, and the key in it where that is a mapping."""

    path: Path
    root: Path
    key: str | None = None

    @property
    def label(self) -> str:
        return self.path.relative_to(self.root).as_posix()

    @property
    def own_name(self) -> str:
        """Name of the file itself."""
        return self.label.removesuffix(self.path.suffix)

    def full_name(self, key: str) -> str:
        """Return the name of what the file has at `key`: its folder comes first."""
        folder = self.label.rpartition("/")[0]
        return f"{folder}/{key}" if folder else key

    def key_of(self, name: str) -> str:
        """Return the key for the full `name`, `name` itself where it is none."""
        folder = self.label.rpartition("/")[0]
        return name.removeprefix(f"{folder}/") if folder else name


def is_file(place: Place) -> bool:
    try:
        return stat.S_ISREG(place.path.stat().st_mode)
    except PermissionError as error:
        raise unreadable(place.label, error) from None
    except OSError:
        return False


def has_tag(tags: Collection[str], wanted: str) -> bool:
    """Tell whether `tags` have one of the alternatives in `wanted`, none of them behind two hyphens."""
    if wanted.startswith("--"):
        return not has_tag(tags, wanted[2:])
    return any(one.strip() in tags for one in wanted.split("|"))


def matches(name: str, pattern: str) -> bool:
    """Tell whether `pattern` means `name`: `*` is anything within a folder, `**` any number of folders."""
    return _matches(name.split("/"), pattern.split("/"))


def _matches(name: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "**":
        return _matches(name, pattern[1:]) or (bool(name) and _matches(name[1:], pattern))
    return bool(name) and fnmatchcase(name[0], pattern[0]) and _matches(name[1:], pattern[1:])

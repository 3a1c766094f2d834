"""Files of tag tables: the user's own, and those that extensions for completion keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..llm_backends.system.command_line import pack_folder
from .settings.home import home

# Extensions lie beside this pack: the folder of each, and its files with the tags of a board.
_NEIGHBOURS = (
    ("*tagcomplete*", ("tags/*danbooru*.csv", "tags/*e621*.csv")),
    ("*Autocomplete-Plus*", ("data/*_tags*.csv",)),
    ("*Custom-Scripts*", ("user/autocomplete.txt",)),
)
_NO_TABLES = ("cooccurrence", "translation", "_cn.", "_zh")


def tags_folder() -> Path:
    """The folder of the user's own tag tables."""
    return home() / "tags"


def tag_files() -> tuple[Path, ...]:
    """Return the files of all tag tables, the user's own first."""
    return tuple(dict.fromkeys((*_in(tags_folder(), ("*.csv", "*.txt")), *_of_neighbours())))


def _of_neighbours() -> Iterator[Path]:
    folder = pack_folder().parent
    for name, patterns in _NEIGHBOURS:
        for neighbour in _in(folder, (name,)):
            yield from _in(neighbour, patterns)


def _in(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        try:
            found = sorted(folder.glob(pattern))
        except OSError:
            continue
        yield from (path for path in found if not any(part in path.name.casefold() for part in _NO_TABLES))

"""The library that the nodes share, and the states of its files for the host's cache."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ...config.opening import library_folders
from ...prompting.templates.library import Library


def open_library() -> Library:
    """Open the library of the settings in force; one instance serves all nodes, so a file is read once."""
    return _library(*library_folders())


@lru_cache(maxsize=4)
def _library(folder: Path, read_only: tuple[Path, ...]) -> Library:
    return Library(folder, read_only)


class LibraryMarks:
    """By node: the state of the files that it wrote, before and after, and of those it did not read.

    Values that are handed to a node take the place of their file. The host's cache would otherwise take the
    node's own saving, or that of the node before it, for a change, and run it and all behind it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str], tuple[str, str]] = {}
        self._seen: dict[str, dict[str, str]] = {}
        self._unread: dict[str, dict[str, str]] = {}

    def signature(self, node_id: object, library: Library, names: Sequence[str]) -> str:
        """Return a text that changes when a file behind one of `names` does, save through the node itself."""
        node = str(node_id)
        marks: dict[str, str] = {}
        for name in names:
            now = library.signature([name])
            with self._lock:
                before, after = self._written.get((node, name), (now, now))
                marks[name] = self._unread.get(node, {}).get(name, before if now == after else now)
        with self._lock:
            self._seen[node] = marks
        return ",".join(f"{name}={part}" for name, part in marks.items())

    def did_not_read(self, node_id: object, names: Iterable[str]) -> None:
        """Note that the files of these names, and of no others, do not matter to the node as it is wired."""
        node = str(node_id)
        with self._lock:
            marks = self._seen.get(node, {})
            self._unread[node] = {name: marks[name] for name in names if name in marks}

    def wrote(self, node_id: object, library: Library, before: Mapping[str, str]) -> None:
        """Note that the node has just written these files; `before` are their signatures until then."""
        for name, signature in before.items():
            with self._lock:
                self._written[(str(node_id), name)] = (signature, library.signature([name]))


marks = LibraryMarks()

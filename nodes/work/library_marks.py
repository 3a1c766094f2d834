"""The library as the nodes share it, and how its files' states enter the host's cache."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ...config.opening import library_folders
from ...prompting.library import Library


def open_library() -> Library:
    """The library of the settings in force; one instance serves all nodes, so a file is read once."""
    return _library(*library_folders())


@lru_cache(maxsize=4)
def _library(folder: Path, read_only: tuple[Path, ...]) -> Library:
    return Library(folder, read_only)


class LibraryMarks:
    """By node: the state of the files that it wrote, before and after it wrote them.

    The host's cache would else take the node's own saving for a change, and run it and all behind it
    once more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str], tuple[str, str]] = {}

    def signature(self, node_id: object, library: Library, names: Sequence[str]) -> str:
        """A text that changes when a file behind one of `names` does, save through the node itself."""
        parts = []
        for name in names:
            now = library.signature([name])
            with self._lock:
                before, after = self._written.get((str(node_id), name), (now, now))
            parts.append(before if now == after else now)
        return ",".join(f"{name}={part}" for name, part in zip(names, parts, strict=True))

    def wrote(self, node_id: object, library: Library, before: Mapping[str, str]) -> None:
        """Note that the node has just written these files; `before` are their signatures until then."""
        for name, signature in before.items():
            with self._lock:
                self._written[(str(node_id), name)] = (signature, library.signature([name]))


marks = LibraryMarks()

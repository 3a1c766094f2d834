"""The command line as hints quote it: a line that works in any terminal of this machine."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_pack = Path(__file__).resolve().parents[2]
_more: Callable[[], Sequence[str]] = tuple


def use_pack_folder(folder: Path) -> None:
    """Set the path by which a host entered: a link is kept, since it tells one host from another."""
    global _pack
    _pack = folder


def pack_folder() -> Path:
    """Quillwork's folder, by the path that the host or the user named."""
    return _pack


def use_arguments(more: Callable[[], Sequence[str]]) -> None:
    """Set the arguments that a command needs besides its own words to find this same home."""
    global _more
    _more = more


def command(*words: str, python: str = "") -> str:
    """The line ``python <pack folder> <words>``, quoted for a terminal; by default with this very Python."""
    return _line(python or sys.executable or "python", str(_pack), *words, *_more())


def installer() -> str:
    """The line that installs the missing packages."""
    return _line(sys.executable or "python", str(_pack / "install.py"))


def _line(*words: str) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)

"""A terminal of the user who runs a host: commands as they are typed, or copied out of a message."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from host.process import REPOSITORY, bare_environment

# What no installed copy has.
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "benchmarks", "node_modules")


def user_folder(home: Path) -> Path:
    """Our folder in the configuration folder of a user of that home, as this platform has it."""
    places = {"win32": "AppData/Roaming", "darwin": "Library/Application Support"}
    return home / places.get(sys.platform, ".config") / "quillwork"


def copied_command(message: str) -> str:
    """The command that a message names."""
    found = re.search(r"`([^`]+ setup --allow [^`]+)`", message)
    assert found, message
    return found[1]


class Terminal:
    """A user's terminal. `home` is the user's own folder, `env` holds further variables."""

    def __init__(self, home: Path, env: dict[str, str] | None = None) -> None:
        self._environment = bare_environment(home) | (env or {})
        self._environment.pop("PWD", None)
        self._home = home

    def run(self, line: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run `line` in a shell that was led to `folder` (the user's own) by `cd`."""
        environment = {**self._environment, **({"PWD": str(folder)} if folder else {})}
        return subprocess.run(
            line,
            shell=True,
            cwd=folder or self._home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            stdin=subprocess.DEVNULL,
        )

    def ours(self, words: str, folder: Path) -> str:
        """Run ``python . <words>`` in `folder`; return the output."""
        done = self.run(f'"{sys.executable}" . {words}', folder)
        assert done.returncode == 0, done.stderr
        return done.stdout


def install_copy(folder: Path) -> Path:
    """Put a copy of the pack to `folder`, as a clone or an unpacked archive is."""
    shutil.copytree(REPOSITORY, folder, ignore=_LEFT_OUT)
    assert not os.path.islink(folder)
    return folder

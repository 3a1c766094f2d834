"""The folders in extensions/, their files, and their install.py."""

from __future__ import annotations

import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

from modules import errors, paths
from modules.cmd_args import cmd_opts


class Extension:
    """An extension's folder.
    Its canonical name is the folder's, whatever metadata.ini says (as the hosts have it)."""

    enabled = True

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.name = path.name
        self.canonical_name = path.name.lower().strip()
        self.metadata = ConfigParser()
        self.metadata.read(path / "metadata.ini", encoding="utf-8")


def active() -> list[Extension]:
    folder = Path(paths.extensions_dir)
    return [Extension(path) for path in sorted(folder.iterdir()) if path.is_dir()]


def files(folder: str, *suffixes: str) -> list[tuple[str, str]]:
    """List the files at the top of `folder` in every extension: (extension's path, file)."""
    found = []
    for extension in active():
        for path in sorted(Path(extension.path, folder).glob("*")):
            if path.is_file() and path.suffix in suffixes:
                found.append((extension.path, str(path)))
    return found


def run_installers() -> None:
    """Run each install.py in a process of its own; print its output, if any."""
    for extension in active():
        script = Path(extension.path, "install.py")
        if not script.is_file():
            continue
        env = {
            **os.environ,
            "PYTHONPATH": f"{paths.script_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        # SD.Next starts it in the extension's folder, the others in their own.
        cwd = extension.path if cmd_opts.style == "sdnext" else paths.script_path
        done = subprocess.run(
            [sys.executable, str(script)], env=env, cwd=cwd, capture_output=True, text=True, timeout=600
        )
        if done.stdout.strip():
            print(done.stdout, flush=True)
        if done.returncode != 0:
            errors.report(f"Error running install.py for extension {extension.path}.\n{done.stderr}")

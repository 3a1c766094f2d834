"""The command line as a process of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from interfaces.cli.processes import ROOT, Command


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with nothing configured, and a home of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    # Whatever host this copy may be linked into, its notes lie in a user's folder.
    return {
        **kept,
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "QUILLWORK_HOME": str(tmp_path / "home"),
    }


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path) -> Command:
    """Return a function that runs a command, from a folder that is not ours.

    ``command("enhance", "a fox", LLM_MODEL="x")`` sets the variable for it.
    """

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT), *arguments],
            env={**environment, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    return run

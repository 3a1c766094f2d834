"""What ``pip install`` makes of the repository: the package that a script imports."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("config", "interfaces", "llm_backends", "prompting")
# Every part that reads a file of its own, away from the repository.
PROGRAM = """
import quillwork
from quillwork.config import providers
from quillwork.prompting import targets
from quillwork.prompting.phrasebook import write
from quillwork.prompting.tasks import EnhanceTask
print(quillwork.__version__, quillwork.__file__)
assert providers.get("ollama").label
assert "fox" in write(EnhanceTask("a fox", targets.load("flux1_dev")))
"""

pytestmark = pytest.mark.skipif(find_spec("hatchling") is None, reason="hatchling is not installed here")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed us into."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index"]
    command += ["--disable-pip-version-check", "--target", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return folder


def test_it_imports_and_finds_its_files(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert str(site / "quillwork" / "__init__.py") in done.stdout


def test_it_holds_what_the_repository_holds(site: Path) -> None:
    """No folder is forgotten, and none of ours lies about under a name such as `config`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS, "safe_yaml.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    tracked = {name for name in listed.stdout.split() if (ROOT / name).is_file()}
    package = site / "quillwork"
    installed = {file.relative_to(package).as_posix() for file in package.rglob("*") if file.is_file()}
    installed = {name for name in installed if "__pycache__" not in name}
    assert installed == {*tracked, "__init__.py"}
    assert {entry.name for entry in site.iterdir()} - {"quillwork", "bin"} == {"quillwork-0.1.0.dist-info"}

"""The package that ``pip install`` makes of the repository, as a script imports it."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from quillwork import __version__

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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed us into."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed here")
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
    metadata = f"quillwork-{__version__}.dist-info"
    assert {entry.name for entry in site.iterdir()} - {"quillwork", "bin"} == {metadata}


def value(name: str, table: str) -> str:
    """A text of pyproject.toml; Python 3.10 has nothing that reads the file."""
    _, _, rest = (ROOT / "pyproject.toml").read_text("utf-8").partition(f"[{table}]\n")
    found = re.search(rf'^{name} = "(.*)"$', rest.partition("\n[")[0], re.MULTILINE)
    assert found, name
    return found[1]


def test_there_is_one_version() -> None:
    """The registry and the Manager read that of pyproject.toml, everything else that of package.py."""
    assert value("version", "project") == __version__
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_registrys_pictures_are_in_the_repository() -> None:
    """With sides as the registry wants them: a square of at most 400 pixels, and 21 to 9."""
    repository = value("Repository", "project.urls").removeprefix("https://github.com/")
    shown = {}
    for name in ("Icon", "Banner"):
        address = value(name, "tool.comfy")
        file = address.removeprefix(f"https://raw.githubusercontent.com/{repository}/HEAD/")
        head = (ROOT / file).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n", address
        shown[name] = struct.unpack(">II", head[16:])
    assert shown["Icon"][0] == shown["Icon"][1] <= 400
    assert shown["Banner"][0] * 9 == shown["Banner"][1] * 21


def test_there_is_one_address_of_the_repository() -> None:
    """So that publishing finds each place of it."""
    repository = value("Repository", "project.urls")
    assert f'"url": "{repository}.git"' in (ROOT / "README.md").read_text("utf-8")
    for name in ("Documentation", "Issues", "Changelog"):
        assert value(name, "project.urls").startswith(repository)

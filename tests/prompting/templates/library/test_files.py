"""Effects of disks and permissions on a library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quillwork.prompting.templates.library import (
    FileTooLarge,
    FileUnreadable,
    Library,
    LibraryError,
    SaveFailed,
)

ROOT = Path(__file__).resolve().parents[4]

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and limits")


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Run as a user who may not read everything, which root may."""
    if os.geteuid() != 0:
        yield
        return
    # That user may not be able to read Python's own files either: modules loaded late are loaded now.
    import yaml  # noqa: F401

    for encoding in ("utf-8-sig", "utf-16", "cp1252", "latin-1"):
        "".encode(encoding)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder that every user can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize("name", ["big.txt", "big.md", "big.yaml"])
def test_200_mb_are_refused_without_being_read(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(200 << 20)
    library = Library(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(FileTooLarge) as caught:
            library.values("big")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert str(caught.value) == f"`{name}` in the library is larger than 16 MB. Split it into several files."


@posix
@pytest.mark.parametrize("name", ["color.txt", "color.yaml"])
def test_no_read_permission(open_folder: Path, name: str) -> None:
    path = open_folder / name
    path.write_text("- red")
    path.chmod(0)
    library = Library(open_folder)
    with ordinary_user(), pytest.raises(FileUnreadable, match=r"color\..* (may not be read|permissions)"):
        library.values("color")
    path.chmod(0o644)
    with ordinary_user():
        assert len(library.values("color")) == 1


@posix
def test_no_permission_to_look_into_a_folder(open_folder: Path) -> None:
    (open_folder / "sub").mkdir()
    (open_folder / "sub" / "color.txt").write_text("red")
    (open_folder / "sub").chmod(0)
    library = Library(open_folder)
    with ordinary_user():
        assert library.names() == []
        with pytest.raises(FileUnreadable, match="because of its permissions"):
            library.values("sub/color")
    (open_folder / "sub").chmod(0o755)


@posix
def test_no_write_permission(open_folder: Path) -> None:
    path = open_folder / "color.txt"
    path.write_text("red")
    open_folder.chmod(0o555)
    library = Library(open_folder)
    with ordinary_user():
        with pytest.raises(SaveFailed, match="is not writable"):
            library.write("color", ["blue"])
        with pytest.raises(SaveFailed, match="is not writable"):
            library.add("new", ["blue"])
        with pytest.raises(SaveFailed, match="was not deleted"):
            library.delete("color")
    assert path.read_text() == "red"


@posix
def test_a_saved_file_keeps_its_mode_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "color.txt"
    path.write_text("red")
    path.chmod(0o640)
    library = Library(tmp_path)
    before = os.umask(0o027)
    try:
        library.add("color", ["blue"])
        library.add("new", ["blue"])
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "new.txt").stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    library.write("color", ["green"])
    assert path.stat().st_mode & 0o777 == 0o604


def assert_a_failed_save_leaves_everything(folder: Path) -> None:
    path = folder / "color.txt"
    library = Library(folder)
    large = [f"value {i} {'x' * 80}" for i in range(5000)]
    for call in (lambda: library.add("color", large), lambda: library.write("color", large)):
        with pytest.raises(SaveFailed, match="disk is full"):
            call()
        assert path.read_text() == "# Head\nred\n"
        assert os.listdir(folder) == ["color.txt"]
    assert library.values("color") == ("red",)


@posix
def test_a_file_that_the_system_lets_grow_no_further(tmp_path: Path) -> None:
    import resource

    (tmp_path / "color.txt").write_text("# Head\nred\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        assert_a_failed_save_leaves_everything(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@posix
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no mount command")
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        (disk / "color.txt").write_text("# Head\nred\n")
        assert_a_failed_save_leaves_everything(disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


WRITER = """
import importlib.util, pathlib, sys
root, folder = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root]
)
sys.modules["quillwork"] = importlib.util.module_from_spec(spec)
from quillwork.prompting.templates.library import Library
library = Library(pathlib.Path(folder))
print("ready", flush=True)
while True:
    for letter in "ab":
        library.write("color", [letter * 50] * 2000)
"""


@posix
def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "color.txt"
    path.write_text("a" * 50 + "\n")
    for delay in (0.02, 0.05, 0.1):
        command = [sys.executable, "-c", WRITER, str(ROOT), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(delay)
            writer.send_signal(signal.SIGKILL)
        lines = path.read_text().splitlines()
        assert len(lines) in (1, 2000)
        assert set(lines) in ({"a" * 50}, {"b" * 50})
    assert Library(tmp_path).names() == ["color"]


def test_errors_are_one_sentence_without_a_path(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [b\nc: {")
    (tmp_path / "deep.yaml").write_text("[" * 100)
    library = Library(tmp_path)
    for name in ("bad", "deep", "missing", "../x"):
        with pytest.raises(LibraryError) as caught:
            library.values(name)
        assert "\n" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
        assert caught.value.http_status in (400, 404)

"""Files written whole, and read again when they have changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from quillwork.llm_backends.system import files
from quillwork.llm_backends.system.files import Reread, write_whole

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")


def rights(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("content", ["größer\n", "größer\n".encode()])
def test_a_file_is_put_there_with_its_folder(tmp_path, content, durable):
    file = tmp_path / "a" / "b" / "notes.json"
    write_whole(file, content, durable=durable)
    write_whole(file, content, durable=durable)
    assert file.read_bytes() == "größer\n".encode()
    assert [path.name for path in file.parent.iterdir()] == ["notes.json"]


@posix
def test_a_file_keeps_its_rights_and_a_private_one_is_its_owners(tmp_path):
    file = tmp_path / "notes.json"
    file.write_text("before")
    file.chmod(0o640)
    write_whole(file, "after")
    assert (file.read_text(), rights(file)) == ("after", 0o640)
    file.chmod(0o666)
    write_whole(file, "secret", private=True)
    assert (file.read_text(), rights(file)) == ("secret", 0o600)


@pytest.mark.parametrize("failure", [OSError("the disk is full"), KeyboardInterrupt()])
def test_what_was_there_stands_where_it_fails(tmp_path, monkeypatch, failure):
    def fail(*_):
        raise failure

    file = tmp_path / "notes.json"
    file.write_text("before")
    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(type(failure)):
        write_whole(file, "after")
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]


def test_a_file_is_read_again_when_it_has_changed_and_only_then(tmp_path):
    reads: list[str] = []

    def read(file: Path) -> str:
        reads.append(file.read_text())
        return reads[-1]

    file, kept = tmp_path / "notes.json", Reread[str]()
    with pytest.raises(FileNotFoundError):
        kept.get(file, read)
    file.write_text("one")
    assert [kept.get(file, read), kept.get(file, read)] == ["one", "one"]
    before = file.stat()
    write_whole(file, "two")  # as long as the other, and of the same time
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept.get(file, read) == "two"
    assert reads == ["one", "two"]


def test_what_cannot_be_read_is_tried_again(tmp_path):
    file, kept = tmp_path / "notes.json", Reread[str]()
    file.write_text("one")

    def refuse(_: Path) -> str:
        raise ValueError("not yet")

    with pytest.raises(ValueError, match="not yet"):
        kept.get(file, refuse)
    assert kept.get(file, Path.read_text) == "one"

"""The host of a copy of the pack: by notes that hosts leave, else by the copy's place."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from quillwork.config.settings import home, host_notes
from quillwork.config.settings.host_notes import HostNote, find, leave
from quillwork.llm_backends.system import command_line

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")


@pytest.fixture
def user(tmp_path: Path, monkeypatch) -> Path:
    """The folder of this user that holds notes."""
    monkeypatch.delenv("QUILLWORK_HOME", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("_named", "_host_home"):
        monkeypatch.setattr(home, name, None)
    return home.platform_home()


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def note(pack: Path, where: Path) -> HostNote:
    return HostNote(host_notes.COMFYUI, str(pack), str(where / "__quillwork"))


def test_a_note_lies_in_the_pack_and_the_latest_counts(user, tmp_path):
    pack = folder(tmp_path / "pack")
    leave(note(pack, tmp_path / "one"))
    leave(note(pack, tmp_path / "two"))
    assert find(pack) == note(pack, tmp_path / "two")
    assert len(json.loads((pack / ".hosts.json").read_text("utf-8"))["hosts"]) == 1
    assert not user.exists()
    assert list(pack.iterdir()) == [pack / ".hosts.json"]


def test_a_folder_that_was_moved_since_has_no_note(user, tmp_path):
    pack = folder(tmp_path / "pack")
    leave(note(pack, tmp_path))
    pack.rename(tmp_path / "moved")
    assert find(tmp_path / "moved") is None


@needs_links
def test_links_into_two_hosts_are_two_copies(user, tmp_path):
    pack = folder(tmp_path / "pack")
    for name in ("one", "two"):
        link = folder(tmp_path / name / "custom_nodes") / "quillwork"
        link.symlink_to(pack)
        leave(note(link, tmp_path / name))
    assert not (pack / ".hosts.json").exists()
    for name in ("one", "two"):
        found = find(tmp_path / name / "custom_nodes" / "quillwork")
        assert found is not None and found.home == str(tmp_path / name / "__quillwork")
    # Entered by itself it belongs to the one that started last.
    found = find(pack)
    assert found is not None and found.home == str(tmp_path / "two" / "__quillwork")
    # And a link in a third host's folder is that host's, which has not started yet.
    link = folder(tmp_path / "three" / "custom_nodes") / "quillwork"
    link.symlink_to(pack)
    (tmp_path / "three" / "main.py").touch()
    found = find(link)
    assert found is not None and found.home == str(tmp_path / "three" / "user" / "__quillwork")
    assert not found.started


@needs_links
def test_the_host_may_lie_behind_a_link(user, tmp_path):
    pack = folder(tmp_path / "disk" / "custom_nodes" / "quillwork")
    leave(note(pack, tmp_path))
    (tmp_path / "shown").symlink_to(tmp_path / "disk")
    assert find(tmp_path / "shown" / "custom_nodes" / "quillwork") == note(pack, tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that is not writable")
def test_a_pack_that_may_not_be_written_has_its_note_with_the_user(user, tmp_path):
    pack = folder(tmp_path / "pack")
    pack.chmod(0o555)
    leave(note(pack, tmp_path))
    assert find(pack) == note(pack, tmp_path)
    assert (user / "hosts.json").is_file()


def test_where_nothing_can_be_written_the_host_starts_all_the_same(user, tmp_path):
    leave(note(tmp_path / "gone", tmp_path))
    assert not (tmp_path / "gone").exists()
    user.parent.mkdir(exist_ok=True)
    if user.exists():
        (user / "hosts.json").unlink()
        user.rmdir()
    user.write_text("a file")
    leave(note(tmp_path / "gone" / "deeper", tmp_path))
    (tmp_path / "file").write_text("a file")
    leave(note(tmp_path / "file", tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "file"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"hosts": 1}',
        '{"hosts": [1, {"host": 2}, null]}',
        '{"hosts": [{"pack": "x"}]}',
        "\xff",
    ],
)
def test_a_broken_note_is_no_note(user, tmp_path, content):
    pack = folder(tmp_path / "pack")
    (pack / ".hosts.json").write_text(content, "latin-1")
    assert find(pack) is None
    leave(note(pack, tmp_path))
    assert find(pack) == note(pack, tmp_path)


@pytest.mark.parametrize(
    ("place", "beside", "where"),
    [
        ("ComfyUI_windows_portable/ComfyUI/custom_nodes/quillwork", "main.py", "user/__quillwork"),
        ("pinokio/api/comfy.git/app/custom_nodes/a renamed one", "main.py", "user/__quillwork"),
        ("base/custom_nodes/quillwork", "user", "user/__quillwork"),
    ],
)
def test_the_place_says_it_before_the_first_start(user, tmp_path, place, beside, where):
    pack = folder(tmp_path / place)
    base = pack.parent.parent
    assert find(pack) is None
    (base / beside).touch()
    assert find(pack) == HostNote(
        host_notes.COMFYUI, str(pack), str(base / where), models=str(base / "models"), started=False
    )


def test_a_web_ui_by_its_place(user, tmp_path):
    pack = folder(tmp_path / "Packages" / "forge" / "extensions" / "quillwork")
    base = pack.parent.parent
    (base / "webui.py").touch()
    found = find(pack)
    assert found is not None
    assert (found.home, found.page) == (str(user), str(base / "config.json"))


def test_a_command_names_the_home_only_where_it_would_not_be_found(user, tmp_path, monkeypatch):
    pack = folder(tmp_path / "pack")
    monkeypatch.setattr(command_line, "_pack", pack)
    monkeypatch.setattr(command_line, "_more", host_notes.arguments)
    mine = note(pack, tmp_path / "my files")
    home.use_host_home(Path(mine.home))
    leave(mine)
    assert command_line.command("config").endswith(f"{pack} config")
    # Another host of the same copy has started since.
    leave(replace(mine, home=str(tmp_path / "other")))
    assert command_line.command("config").split(" config --home ")[1].strip("'\"") == mine.home

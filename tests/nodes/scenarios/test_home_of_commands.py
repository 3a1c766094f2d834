"""A command in the pack's folder and the host that runs it share one home, wherever the host keeps it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from host.fixtures import Hosts
from host.process import HERE, REPOSITORY, Host
from host.runs import Run
from nodes.graphs import enhance, needs_litellm, preview, resolve
from terminal import Terminal, copied_command, install_copy, user_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="written for a POSIX shell")
MISTRAL = {"llm_mode": "litellm", "llm_model": "mistral/mistral-small-latest"}


def asked(host: Host) -> Run:
    run = host.run({"1": enhance(**MISTRAL), "2": preview("1")}, timeout=120)
    assert run.status == "error"
    return run


def files(terminal: Terminal, pack: Path) -> Path:
    return Path(json.loads(terminal.ours("config --json", pack))["home"])


@needs_litellm
@pytest.mark.parametrize("elsewhere", [False, True], ids=["base-directory", "user-directory"])
@pytest.mark.parametrize("as_copy", [False, True], ids=["linked", "copied"])
def test_the_command_of_a_refusal_works_at_once(
    host_factory: Hosts, tmp_path: Path, elsewhere: bool, as_copy: bool
) -> None:
    base, user = tmp_path / "a base", tmp_path / "the users' files"
    user.mkdir()
    name = "renamed quillwork"
    pack = base / "custom_nodes" / name
    if as_copy:
        pack.parent.mkdir(parents=True)
        install_copy(pack)
    flags = ("--user-directory", str(user)) if elsewhere else ()
    host = host_factory(packs={name: REPOSITORY}, flags=flags, base=base)
    home = (user if elsewhere else base / "user") / "__quillwork"
    message = asked(host).message
    assert "which you have not allowed on this machine" in message

    # Whoever types is another user than the host's for a copy: its note lies in the pack.
    terminal = Terminal(tmp_path if as_copy else base)
    done = terminal.run(copied_command(message))
    assert done.returncode == 0, done.stderr
    assert f"Files: {home} (ComfyUI)" in done.stdout
    assert "MISTRAL_API_KEY" in asked(host).message

    assert files(terminal, pack) == home
    assert f"Files: {home} (ComfyUI)" in terminal.run(f'"{host.python}" . doctor', pack).stdout
    terminal.ours("variables season --save --count 3 --mode phrasebook", pack)
    run = host.run({"1": resolve("a fox in __season__"), "2": preview("1")})
    assert run.status == "success", run.message
    assert "__" not in run.shown("2")[0]


@needs_litellm
def test_before_the_first_start_the_place_of_the_pack_says_whose_it_is(
    host_factory: Hosts, tmp_path: Path
) -> None:
    pack = tmp_path / "custom_nodes" / "quillwork"
    pack.parent.mkdir()
    (tmp_path / "user").mkdir()
    pack.symlink_to(REPOSITORY, target_is_directory=True)
    terminal = Terminal(tmp_path)
    printed = terminal.ours("setup --allow mistral", pack)
    assert f"Files: {tmp_path / 'user' / '__quillwork'} (ComfyUI, because of where this folder" in printed
    host = host_factory(packs={"quillwork": REPOSITORY}, base=tmp_path)
    assert "MISTRAL_API_KEY" in asked(host).message


def test_a_home_that_only_the_host_was_told_of_is_found_too(host_factory: Hosts, tmp_path: Path) -> None:
    named = tmp_path / "named"
    host = host_factory({"QUILLWORK_HOME": str(named)}, fresh=True)
    terminal = Terminal(host.base_directory)
    pack = host.custom_nodes / "quillwork"
    assert files(terminal, pack) == named
    other = json.loads(terminal.ours(f"config --json --home '{tmp_path / 'other'}'", pack))["home"]
    assert other == str(tmp_path / "other")


def test_a_bug_report_names_the_host_and_its_version(host_factory: Hosts) -> None:
    host = host_factory(packs={"quillwork": REPOSITORY})
    terminal = Terminal(host.base_directory)
    done = terminal.run(f'"{host.python}" . doctor --json', host.custom_nodes / "quillwork")
    report = json.loads(done.stdout)
    version = host.get("/system_stats").json()["system"]["comfyui_version"]
    assert report["host"] == {"name": "ComfyUI", "version": version, "same_python": True}
    assert str(host.base_directory) not in done.stdout


def test_of_two_hosts_of_one_copy_each_has_its_own(host_factory: Hosts, tmp_path: Path) -> None:
    one, two = (
        host_factory(packs={"quillwork": REPOSITORY, "testpack": HERE / "testpack"}, base=tmp_path / name)
        for name in ("one", "two")
    )
    # One user, so one folder of notes.
    terminal = Terminal(one.base_directory)
    for host in (one, two):
        notes = user_folder(host.base_directory) / "hosts.json"
        assert json.loads(notes.read_text("utf-8"))["hosts"][-1]["home"] == str(host.quillwork_home)
    assert files(terminal, one.custom_nodes / "quillwork") == one.quillwork_home
    assert files(terminal, two.custom_nodes / "quillwork") == two.quillwork_home

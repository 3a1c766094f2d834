"""A command in the extension's folder uses the home and the settings page of its web UI."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from host.process import REPOSITORY
from terminal import Terminal, user_folder

from webui.fixtures import WebUIs
from webui.process import FOLDER, WebUI, real_forge

pytestmark = pytest.mark.skipif(os.name == "nt", reason="written for a POSIX shell")


def setting(view: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in view["settings"] if row["name"] == name)


def state_of(webui: WebUI) -> dict[str, Any]:
    return webui.get("/quillwork/config").json()


def test_a_yes_counts_in_the_running_web_ui_and_its_page_in_the_command(webui_factory: WebUIs) -> None:
    webui = webui_factory(fresh=True)
    terminal = Terminal(webui.data_directory)
    pack = webui.data_directory / "extensions" / FOLDER
    printed = terminal.ours("setup --allow mistral", pack)
    assert f"Files: {state_of(webui)['home']} (the web UI; with its settings page" in printed
    assert "mistral" in state_of(webui)["allowed"]

    assert webui.post("/sdapi/v1/options", {"quillwork_model": "ollama/fox"}).status == 200
    view = json.loads(terminal.ours("config --json", pack))
    assert setting(view, "LLM_MODEL")["value"] == "ollama/fox"
    assert setting(view, "LLM_MODEL")["origin"] == "web UI settings"
    named = json.loads(terminal.ours(f"config --json --home '{webui.data_directory / 'other'}'", pack))
    assert named["home"] == str(webui.data_directory / "other")
    assert setting(named, "LLM_MODEL")["value"] == ""


def test_what_the_command_line_of_the_web_ui_named(webui_factory: WebUIs, tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    webui = webui_factory(
        flags=("--quillwork-home", str(tmp_path / "mine"), "--ui-settings-file", str(page)), fresh=True
    )
    assert webui.post("/sdapi/v1/options", {"quillwork_model": "ollama/owl"}).status == 200
    pack = webui.data_directory / "extensions" / FOLDER
    terminal = Terminal(webui.data_directory)
    shown = terminal.ours("config", pack)
    assert f"Files: {tmp_path / 'mine'} (the web UI; with its settings page {page})" in shown
    assert "Active: litellm, owl (Ollama)" in shown
    terminal.ours("setup --allow downloads", pack)
    assert "downloads" in state_of(webui)["allowed"]


@pytest.mark.parametrize("style", ["a1111", "forge", "sdnext"])
def test_a_bug_report_names_the_web_uis_version(webui_factory: WebUIs, style: str) -> None:
    webui = webui_factory(style=style, fresh=True)
    pack = webui.data_directory / "extensions" / FOLDER
    done = Terminal(webui.data_directory).run(f'"{sys.executable}" . doctor --json', pack)
    host = json.loads(done.stdout)["host"]
    assert host["name"] == "the web UI"
    if real_forge():
        assert host["version"]
    else:
        assert host["version"] == ("1a2b3c4d5" if style == "sdnext" else "v1.10.1")
    assert str(webui.data_directory) not in done.stdout


def test_before_the_first_start(tmp_path: Path) -> None:
    pack = tmp_path / "sd.webui" / "webui" / "extensions" / "quillwork"
    pack.parent.mkdir(parents=True)
    (pack.parent.parent / "webui.py").touch()
    page = pack.parent.parent / "config.json"
    page.write_text('{"quillwork_mode": "phrasebook", "samples_save": true}')
    pack.symlink_to(REPOSITORY, target_is_directory=True)
    shown = Terminal(tmp_path).ours("config", pack)
    home = user_folder(tmp_path)
    assert f"Files: {home} (the web UI, because of where this folder is: it has not started yet" in shown
    assert "LLM_MODE                 phrasebook  web UI settings" in shown

"""The panel's kept settings: above the environment, whole on disk, and never an address or a key."""

from __future__ import annotations

import json

import pytest

from quillwork.config.settings.panel import FILE, read_panel, write_panel
from quillwork.config.settings.values import load, override
from quillwork.llm_backends.errors import NotConfigured


def test_kept_values_stand_above_the_environment(home, env):
    env(LLM_MODEL="ollama/one")
    write_panel(home, {"LLM_MODEL": "ollama/two"})
    value = load().value("LLM_MODEL")
    assert (value.text, value.origin) == ("ollama/two", "panel")
    assert load().is_kept("LLM_MODEL")
    override("LLM_MODEL", "ollama/three")
    assert load().text("LLM_MODEL") == "ollama/three"


def test_taking_back_for_now_hides_a_kept_value(home, env):
    env(LLM_MODEL="ollama/one")
    write_panel(home, {"LLM_MODEL": "ollama/two"})
    override("LLM_MODEL", None)
    value = load().value("LLM_MODEL")
    assert (value.text, value.origin) == ("ollama/one", "environment")


def test_changes_leave_the_rest(home):
    write_panel(home, {"LLM_MODEL": "ollama/one", "LLM_MODE": "auto"})
    write_panel(home, {"LLM_MODEL": None, "LLM_TIMEOUT_MS": "5000"})
    assert json.loads((home / FILE).read_text()) == {"LLM_MODE": "auto", "LLM_TIMEOUT_MS": "5000"}
    assert [file.name for file in home.iterdir()] == [FILE]


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"LLM_MODEL": 3}', '"x"'])
def test_a_broken_file_is_as_none(home, content):
    (home / FILE).write_text(content)
    assert load().text("LLM_MODEL") == ""
    write_panel(home, {"LLM_MODEL": "ollama/one"})
    assert load().text("LLM_MODEL") == "ollama/one"


def test_what_the_panel_may_not_set_is_not_read_from_its_file(home):
    (home / FILE).write_text(
        json.dumps({"LLM_BASE_URL": "http://evil", "LLM_API_KEY": "x", "LLM_PLAN": "all"})
    )
    assert read_panel(home / FILE) == {}
    assert load().endpoint() is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotConfigured, match="could not be saved"):
        write_panel(tmp_path / "file", {"LLM_MODEL": "x"})


def test_an_address_is_shown_without_what_is_secret_in_it(env):
    env(LLM_BASE_URL="http://me:planted@host:4000/v1?key=planted2&x=1")
    shown = {row["name"]: row["value"] for row in load().describe()}["LLM_BASE_URL"]
    assert "planted" not in shown
    assert "host:4000/v1" in shown

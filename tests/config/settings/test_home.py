"""The home: the folder of a user's files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from quillwork.config.settings import home as home_module


@pytest.fixture(autouse=True)
def no_host(monkeypatch):
    monkeypatch.setattr(home_module, "_host_home", None)
    monkeypatch.delenv("QUILLWORK_HOME", raising=False)


def test_the_variable_wins_over_the_host(monkeypatch, tmp_path):
    home_module.use_host_home(tmp_path / "host")
    assert home_module.home() == tmp_path / "host"
    monkeypatch.setenv("QUILLWORK_HOME", str(tmp_path / "own"))
    assert home_module.home() == tmp_path / "own"
    assert home_module.targets_folder() == tmp_path / "own" / "targets"


def test_a_tilde_is_the_users_folder(monkeypatch):
    monkeypatch.setenv("QUILLWORK_HOME", "~/quill")
    assert home_module.home() == Path.home() / "quill"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the platform's folder is another one there")
def test_the_platforms_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert home_module.home() == tmp_path / "quillwork"
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    assert home_module.home() == Path.home() / ".config" / "quillwork"

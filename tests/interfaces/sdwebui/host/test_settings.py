"""The settings page as a layer of the settings."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from quillwork.config.settings import home, values
from quillwork.interfaces.sdwebui.host import settings as options
from quillwork.interfaces.sdwebui.host.entry import settle_in
from quillwork.interfaces.sdwebui.host.settings import default_target, target_choices
from quillwork.llm_backends.system import command_line


@pytest.fixture
def page(library, monkeypatch, tmp_path):
    """Return the options of a host that we have settled in; set them as attributes."""
    opts = SimpleNamespace()
    package = ModuleType("modules")
    flags = SimpleNamespace(quillwork_home=str(tmp_path / "elsewhere"))
    package.shared = SimpleNamespace(opts=opts, cmd_opts=flags)  # type: ignore[attr-defined]
    package.paths = SimpleNamespace(models_path=str(tmp_path / "models"))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", package)
    for module, name in (
        (home, "_host_home"),
        (home, "_host"),
        (home, "_models_folder"),
        (home, "_llm_folders"),
        (command_line, "_more"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    # The host's note is for the pack's folder, which the suite leaves alone.
    monkeypatch.setattr(command_line, "_pack", tmp_path / "pack")
    (tmp_path / "pack").mkdir()
    settle_in()
    return opts


def test_it_stands_above_the_environment_and_below_the_panel(page):
    assert values.load().value("LLM_MODEL").origin == "environment"
    page.quillwork_model = " ollama/fox "
    value = values.load().value("LLM_MODEL")
    assert (value.text, value.origin) == ("ollama/fox", "web UI settings")
    values.override("LLM_MODEL", "panel-fox")
    assert values.load().value("LLM_MODEL").text == "panel-fox"


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [(0, "60000"), (2.5, "2500"), ("", "60000"), ("soon", "60000"), (None, "60000")],
)
def test_the_time_out_is_in_seconds(page, seconds, milliseconds):
    page.quillwork_timeout = seconds
    assert values.load().text("LLM_TIMEOUT_MS") == milliseconds


def test_what_the_host_has(page, tmp_path, monkeypatch):
    assert home.models_folder() == tmp_path / "models"
    monkeypatch.delenv("QUILLWORK_HOME")
    assert home.home() == tmp_path / "elsewhere"


def test_no_key_has_a_place_on_the_page():
    variables = {variable for _, variable, _ in options._TEXTS}
    assert variables == {"LLM_MODE", "LLM_MODEL", "LLM_MODEL_CHAT", "LOCAL_LIBRARY_DIR"}


def test_the_target_for_auto(page):
    assert default_target() == "auto"
    page.quillwork_target = "SDXL"
    assert default_target() == "SDXL"
    assert {"auto", "SDXL", "Any image model"} <= set(target_choices())
    assert len(set(target_choices())) == len(target_choices())

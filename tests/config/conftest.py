"""A machine on which nothing is set yet."""

from __future__ import annotations

import os

import pytest

from quillwork.config.access.session_keys import session_keys
from quillwork.config.settings import values as settings_module

_OURS = ("LLM_", "LITELLM_", "OLLAMA_", "OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_", "AZURE_", "QUILLWORK_")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """QUILLWORK_HOME, empty; no setting and no key in the environment, the panel or the session."""
    for name in list(os.environ):
        if (
            name.startswith(_OURS)
            or name.endswith("_API_KEY")
            or name in ("LOCAL_LIBRARY_DIR", "LIBRARY_DIRS")
        ):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("QUILLWORK_HOME", str(folder))
    monkeypatch.setattr(settings_module, "_overrides", {})
    monkeypatch.setattr(settings_module, "_host_settings", None)
    monkeypatch.setattr(settings_module, "_warned", set())
    session_keys.clear()
    yield folder
    session_keys.clear()


@pytest.fixture
def env(home, monkeypatch):
    """Set variables of the environment: ``env(LLM_MODE="gguf")``."""

    def set_all(**variables: str) -> None:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)

    return set_all

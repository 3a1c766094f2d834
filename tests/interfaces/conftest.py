"""A separate home for whatever asks for settings, keys and models."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from quillwork.config import providers
from quillwork.config.access.session_keys import session_keys
from quillwork.config.models.catalog import catalog
from quillwork.config.providers import table as provider_table
from quillwork.config.settings import values as settings_module
from quillwork.config.settings.home import use_llm_folders
from quillwork.prompting import phrasebook

_OURS = ("LLM_", "LITELLM_", "OLLAMA_", "QUILLWORK_", "LM_STUDIO_", "HOSTED_VLLM_", "AWS_", "AZURE_")
NOTHING_THERE = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Set nothing: no key, no local server."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("QUILLWORK_HOME", str(folder))
    for name in ("OLLAMA_API_BASE", "LM_STUDIO_API_BASE", "HOSTED_VLLM_API_BASE"):
        monkeypatch.setenv(name, NOTHING_THERE)
    # Nothing leaves this machine, whatever key a test or the fuzzer types in.
    table = {
        row.id: replace(row, default_base_url=row.default_base_url and NOTHING_THERE)
        for row in providers.every()
    }
    aliases = {alias: row for row in table.values() for alias in row.aliases}
    monkeypatch.setattr(provider_table, "rows", lambda: table)
    monkeypatch.setattr(provider_table, "by_name", lambda: {**aliases, **table})
    monkeypatch.setattr(settings_module, "_overrides", {})
    monkeypatch.setattr(settings_module, "_warned", set())
    use_llm_folders(lambda: ())
    phrasebook.register()
    session_keys.clear()
    catalog.forget()
    yield folder
    session_keys.clear()
    catalog.forget()


@pytest.fixture
def env(home, monkeypatch):
    def set_all(**variables: str) -> None:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)

    return set_all

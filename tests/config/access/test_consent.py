"""Consents: workflows may use what the user has allowed on this machine."""

from __future__ import annotations

import json

import pytest

from quillwork.config.access import consent
from quillwork.config.settings.values import load
from quillwork.llm_backends.errors import ConsentNeeded, NotConfigured


def test_nothing_is_allowed_at_first(home):
    assert not consent.is_allowed("openai", load())
    with pytest.raises(ConsentNeeded) as caught:
        consent.require("openai", "OpenAI", load())
    assert "OpenAI" in caught.value.message
    assert "setup --allow openai" in caught.value.hint
    assert "LLM_ALLOW=openai" in caught.value.hint


def test_a_yes_is_kept_for_good(home):
    consent.allow("openai", home)
    consent.allow(consent.DOWNLOADS, home)
    consent.allow("openai", home)
    consent.require("openai", "OpenAI", load())
    assert consent.is_allowed("downloads", load())
    assert not consent.is_allowed("groq", load())
    assert json.loads((home / "consent.json").read_text()) == {"allowed": ["downloads", "openai"]}
    assert [file.name for file in home.iterdir()] == ["consent.json"]


def test_a_yes_makes_the_folder(tmp_path):
    consent.allow("openai", tmp_path / "not" / "there")
    assert (tmp_path / "not" / "there" / "consent.json").exists()


def test_the_variable_is_a_yes_too(home, env):
    env(LLM_ALLOW="groq, openai")
    consent.require("openai", "OpenAI", load())
    assert not consent.is_allowed("open", load())


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"allowed": 3}', '{"allowed": [1, {}]}', '{"other": 1}', "\xff"]
)
def test_a_broken_record_is_no_yes(home, content):
    (home / "consent.json").write_text(content, encoding="latin-1")
    assert not consent.is_allowed("openai", load())
    consent.allow("openai", home)
    assert consent.is_allowed("openai", load())


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(NotConfigured) as caught:
        consent.allow("openai", blocked)
    assert "LLM_ALLOW=openai" in caught.value.hint


def test_a_model_adds_to_the_library_after_a_yes(home):
    with pytest.raises(ConsentNeeded) as caught:
        consent.require_adding()
    assert "add values to your library" in caught.value.message
    assert "setup --allow variables.add" in caught.value.hint
    assert caught.value.provider == "variables.add" in consent.everything()
    consent.allow(consent.ADDING, home)
    consent.require_adding()

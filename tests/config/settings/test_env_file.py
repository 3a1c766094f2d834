"""Settings written into `.env`: its other lines stay, and a key is never written."""

from __future__ import annotations

import os
import stat

import pytest

from quillwork.config.settings.env_file import write_env
from quillwork.config.settings.values import load
from quillwork.llm_backends.errors import NotConfigured


def test_lines_are_added_changed_and_taken_out(home):
    (home / ".env").write_text(
        "# mine\nOPENAI_API_KEY=sk-one\nexport LLM_MODEL = old\nLLM_MODE=gguf\n\nOTHER=1\n"
    )
    write_env(home, {"LLM_MODEL": "ollama/llama3.2", "LLM_MODE": None, "LLM_TIMEOUT_MS": "5000"})
    assert (home / ".env").read_text().splitlines() == [
        "# mine",
        "OPENAI_API_KEY=sk-one",
        "",
        "OTHER=1",
        "LLM_MODEL=ollama/llama3.2",
        "LLM_TIMEOUT_MS=5000",
    ]
    assert load().text("LLM_MODEL") == "ollama/llama3.2"
    assert [file.name for file in home.iterdir()] == [".env"]


@pytest.mark.parametrize("text", ["a b", "a # b", "it's", 'say "x"', " x", "#x"])
def test_what_is_written_is_read_back(home, text):
    write_env(home, {"LLM_MODEL": text})
    assert load().text("LLM_MODEL") == text.strip()


@pytest.mark.skipif(os.name == "nt", reason="file modes")
def test_the_file_is_its_owners_alone(home):
    write_env(home, {"LLM_MODEL": "x"})
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["LLM_API_KEY", "LLM_SERVICE_TOKEN", "OPENAI_API_KEY", "PATH"])
def test_no_key_is_ever_written(home, name):
    with pytest.raises(ValueError, match="never written"):
        write_env(home, {name: "sk-planted"})
    assert not (home / ".env").exists()


def test_no_second_line_is_smuggled_in(home):
    with pytest.raises(NotConfigured, match="one line"):
        write_env(home, {"LLM_MODEL": "x\nLLM_BASE_URL=http://evil"})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_that_windows_wrote_is_read_and_kept(home, encoding):
    (home / ".env").write_bytes("LLM_MODEL=füchse\r\n".encode(encoding))
    assert load().text("LLM_MODEL") == "füchse"
    write_env(home, {"LLM_MODE": "ollama"})
    assert (home / ".env").read_text("utf-8").splitlines() == ["LLM_MODEL=füchse", "LLM_MODE=ollama"]

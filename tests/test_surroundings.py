"""The suite on the machine of a user of language models: their keys and settings change nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from host.process import OF_THE_TESTS

ROOT = Path(__file__).resolve().parent.parent
# Tests that once asked the machine.
ASKED = ("tests/config/test_downloads.py", "tests/config/models/test_catalog.py")
DEVELOPER = {
    "OPENAI_API_KEY": "sk-of-the-developer-0000",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "LLM_MODE": "litellm",
    "LLM_MODEL": "openai/gpt-4o",
    "LLM_BASE_URL": "http://127.0.0.1:9/v1",
    "LLM_PLAN": "free",
    "LLM_CALLBACKS": "langfuse",
    "HF_TOKEN": "hf_of_the_developer",
    "HF_HUB_OFFLINE": "1",
    "LIBRARY_DIRS": "/nowhere",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "GRADIO_SERVER_PORT": "9",
    "LC_ALL": "C",
}


def test_a_developers_own_settings_change_nothing(tmp_path: Path) -> None:
    home = tmp_path / ".config" / "quillwork"
    home.mkdir(parents=True)
    (home / ".env").write_text("LLM_MODEL=anthropic/claude-sonnet-4-5\nLLM_CACHE=disk\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ASKED],
        cwd=ROOT,
        env={**os.environ, **DEVELOPER, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_what_names_the_host_reaches_the_tests() -> None:
    sources = [file.read_text("utf-8") for file in (ROOT / "tests" / "host").glob("*.py")]
    asked = {name for text in sources for name in re.findall(r'environ\.get\("(\w+)"\)', text)}
    assert "COMFYUI_PATH" in asked
    assert [name for name in asked if not OF_THE_TESTS.search(name)] == []

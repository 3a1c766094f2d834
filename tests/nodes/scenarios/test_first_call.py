"""The import of litellm in the host's process: never at its start, and begun by what chooses a provider."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from host.process import real_host

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
pytest.importorskip("litellm", reason="litellm is not installed here")

PAGE = {"X-Quillwork": "1"}
# A compiled part of what litellm imports, soon after it begins; the stand-in for a host imports none of it.
PART = "pydantic_core"
WITHIN_S = 100.0


def has_begun(host, within_s: float = 0.0) -> bool:
    """Tell whether the host's process has the library in its memory, `within_s` from now."""
    end = time.monotonic() + within_s
    maps = Path(f"/proc/{host.process.pid}/maps")
    while PART not in maps.read_text():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def host(host_factory):
    if real_host():
        pytest.skip("the real host imports the same libraries itself")
    return host_factory(
        env={"ANTHROPIC_API_KEY": "sk-ant-planted-0123456789", "LLM_ALLOW": "anthropic"}, fresh=True
    )


def test_a_queued_prompt_begins_it_and_the_start_does_not(host):
    for path in ("/object_info", "/quillwork/llm/models", "/quillwork/config", "/quillwork/llm/providers"):
        assert host.get(path).status == 200
    assert not has_begun(host)
    # Refused for want of its inputs, so that nothing of it runs.
    graph = {"1": {"class_type": "QuillworkEnhancePrompt", "inputs": {"llm_model": "anthropic/fox"}}}
    assert host.post("/prompt", json={"prompt": graph}).status == 400
    assert has_begun(host, WITHIN_S)


def test_a_choice_on_the_page_begins_it(host):
    answer = host.post("/quillwork/llm/warm-up", json={"llm_model": "ollama"}, headers=PAGE)
    assert answer.status == 200 and not has_begun(host)
    answer = host.post("/quillwork/llm/warm-up", json={"llm_model": "anthropic/fox"}, headers=PAGE)
    assert (answer.status, answer.json()) == (200, {"begun": True})
    assert has_begun(host, WITHIN_S)

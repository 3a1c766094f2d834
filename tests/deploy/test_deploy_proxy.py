"""The real proxy starts on deploy/config.yaml.example and answers with its aliases."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
PROGRAM = Path(sys.executable).with_name("litellm")

pytestmark = pytest.mark.proxy


@pytest.fixture
def proxy(tmp_path):
    """Base URL and master key of a running proxy."""
    if not PROGRAM.exists():
        pytest.fail("no litellm program beside this Python: run `python tests/lanes.py proxy`")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    master_key = f"sk-{secrets.token_hex(24)}"
    environment = {
        **os.environ,
        "LITELLM_MASTER_KEY": master_key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "OPENAI_API_KEY": "unused",
        "ANTHROPIC_API_KEY": "unused",
        "GEMINI_API_KEY": "unused",
        "OLLAMA_API_BASE": "http://127.0.0.1:9",
    }
    command = [str(PROGRAM), "--config", str(DEPLOY / "config.yaml.example")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    log = (tmp_path / "log.txt").open("w+")
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 90
        while not _answers(f"http://127.0.0.1:{port}/health/liveliness"):
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                pytest.fail(f"the proxy did not start:\n{log.read()[-3000:]}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", master_key
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_it_lists_the_aliases_to_the_master_key_only(proxy):
    base, master_key = proxy
    request = urllib.request.Request(f"{base}/v1/models", headers={"Authorization": f"Bearer {master_key}"})

    with urllib.request.urlopen(request, timeout=20) as reply:
        names = [model["id"] for model in json.load(reply)["data"]]

    assert sorted(names) == ["local", "writer", "writer-backup", "writer-backup-2"]
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{base}/v1/models", timeout=20)

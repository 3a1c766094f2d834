"""The real proxy starts on deploy/config.yaml.example and answers with its aliases."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
PROGRAM = Path(sys.executable).with_name("litellm")

ALIASES = ["local", "writer", "writer-backup", "writer-backup-2"]

pytestmark = pytest.mark.proxy


@pytest.fixture
def proxy(tmp_path):
    """Start a proxy; return its base URL and master key."""
    _need_program()
    port = _free_port()
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
    with _started(command, port, tmp_path, environment):
        yield f"http://127.0.0.1:{port}", master_key


def _need_program() -> None:
    if not PROGRAM.exists():
        pytest.fail("no litellm program beside this Python: run `python tests/lanes.py proxy`")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _started(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / "log.txt").open("w+") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 90
            while not _answers(f"http://127.0.0.1:{port}/health/liveliness"):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    pytest.fail(f"the proxy did not start:\n{log.read()[-3000:]}")
                time.sleep(0.2)
            yield
        finally:
            # The shell's child, too.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_it_lists_the_aliases_to_the_master_key_only(proxy):
    base, master_key = proxy

    assert _aliases(base, master_key) == ALIASES
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{base}/v1/models", timeout=20)


def _aliases(base: str, master_key: str) -> list[str]:
    request = urllib.request.Request(f"{base}/v1/models", headers={"Authorization": f"Bearer {master_key}"})

    with urllib.request.urlopen(request, timeout=20) as reply:
        return sorted(model["id"] for model in json.load(reply)["data"])


def test_the_commands_without_docker_work_as_they_are_written(tmp_path):
    """All but pip's are run: this environment already has what that would install."""
    _need_program()
    readme = (DEPLOY / "README.md").read_text("utf-8")
    files, *_, start = re.findall(r"```sh\n(.*?)```", readme, re.S)
    shutil.copy(DEPLOY / "config.yaml.example", tmp_path)
    written = [line for line in files.splitlines() if line.startswith(("cp ", "echo "))]
    done = subprocess.run(["sh", "-ec", "\n".join(written)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/litellm").symlink_to(PROGRAM)
    port = _free_port()
    lines = [line.strip() for line in start.splitlines()]
    assert lines[1] == ".venv/bin/pip install 'litellm[proxy]==1.106.2'"
    commands = "\n".join(lines[2:]).replace("4000", str(port))
    master_key = re.search(r"LITELLM_MASTER_KEY=(\S+)", (tmp_path / ".env").read_text()).group(1)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    with _started(["sh", "-ec", commands], port, tmp_path, environment):
        assert _aliases(f"http://127.0.0.1:{port}", master_key) == ALIASES

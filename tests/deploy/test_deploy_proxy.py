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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import yaml
from wire.server import WireServer

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
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
def _started(
    command: list[str], port: int, folder: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(exist_ok=True)
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
            yield process
        finally:
            # The shell's child, too; a test may have ended both.
            with suppress(ProcessLookupError):
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


@pytest.mark.timeout(300)
def test_a_job_outlives_a_proxy_and_a_server(tmp_path):
    """config.scale.yaml.example as it is, but for the Redis, which is no Python package."""
    _need_program()
    config = yaml.safe_load((DEPLOY / "config.scale.yaml.example").read_text("utf-8"))
    for name in ("redis_host", "redis_port"):
        del config["router_settings"][name]
    for model in config["model_list"]:
        model["litellm_params"]["model"] = "hosted_vllm/fox-delay100"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    master_key = f"sk-{secrets.token_hex(24)}"
    ports = [_free_port(), _free_port()]
    (tmp_path / "ideas.txt").write_text("\n".join(f"idea{number}x a fox" for number in range(60)), "utf-8")
    with ExitStack() as stack, ExitStack() as ending:
        servers = [stack.enter_context(WireServer.in_thread()) for _ in range(3)]
        servers.append(ending.enter_context(WireServer.in_thread()))
        environment = {
            **os.environ,
            **{f"SERVER_{number}": f"{server.url}/v1" for number, server in enumerate(servers, 1)},
            "SERVER_KEY": "none",
            "LITELLM_MASTER_KEY": master_key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
        }

        def start(port: int) -> subprocess.Popen[bytes]:
            command = [str(PROGRAM), "--config", str(tmp_path / "config.yaml"), "--host", "127.0.0.1"]
            command += ["--port", str(port), "--num_workers", "1", "--telemetry", "False"]
            return stack.enter_context(_started(command, port, tmp_path / f"proxy-{port}", environment))

        with ThreadPoolExecutor() as pool:
            proxies = list(pool.map(start, ports))
        job = subprocess.Popen(
            [sys.executable, str(ROOT), "enhance", "--file", "ideas.txt", "--out", "out.jsonl"],
            cwd=tmp_path,
            env={
                **os.environ,
                "QUILLWORK_HOME": str(tmp_path / "home"),
                "LLM_BASE_URL": ",".join(f"http://127.0.0.1:{port}" for port in ports),
                "LLM_API_KEY": master_key,
                "LLM_MODEL": "captioner",
                "LLM_MAX_CONCURRENCY": "4",
            },
            stderr=subprocess.PIPE,
        )
        servers[-1].wait_calls(2)
        ending.close()
        os.killpg(proxies[0].pid, signal.SIGKILL)
        _, said = job.communicate(timeout=200)
        after = [len(server.calls()) for server in servers]
    assert job.returncode == 0, said
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["line"] for row in rows] == list(range(60))
    assert all(row["prompt"] and row["error"] is None for row in rows)
    assert sum(after) >= 60

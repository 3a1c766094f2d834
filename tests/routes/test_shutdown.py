"""A host that is stopped while answers stream hangs up on the models and leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from host.fixtures import Hosts
from host.process import REPOSITORY, Host
from wire.server import WireServer

TOKEN = "planted-proxy-token-0123456789"
FOX = [{"role": "user", "content": "a fox"}]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("enhance", {"prompt": "a fox", "llm_model": "fox-babble", "stream": True}),
    ("enhance", {"prompt": "a fox", "llm_model": "fox-hang"}),
    ("llm/chat/completions", {"messages": FOX, "llm_model": "fox-babble", "stream": True}),
    ("llm/chat/completions", {"messages": FOX, "llm_model": "fox-silent"}),
    ("v1/chat/completions", {"messages": FOX, "model": "fox-babble", "stream": True}),
    ("v1/chat/completions", {"messages": FOX, "model": "fox-hang", "stream": True}),
    ("v1/embeddings", {"input": "a fox", "model": "fox-hang"}),
]


FRAME = re.compile(r'File "([^"]+)", line')


def ours(file: str) -> bool:
    """Tell whether the file is one of the pack's, whatever this folder and those above it are called."""
    real = Path(file).resolve()
    if not real.is_relative_to(REPOSITORY):
        return False
    # The stand-in for the host lies in the repository, too, and so may the environment.
    return not real.relative_to(REPOSITORY).parts[0].startswith(("tests", ".venv"))


def test_frames_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "quillwork").symlink_to(REPOSITORY, target_is_directory=True)
    assert ours(str(tmp_path / "quillwork" / "nodes" / "chat.py"))
    assert not ours(str(REPOSITORY / "tests" / "host" / "standin" / "main.py"))
    assert not ours("/usr/lib/python3.11/site-packages/quillwork/asyncio/runners.py")


@pytest.fixture
def served(host_factory: Hosts, wire: WireServer) -> Host:
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}
    return host_factory({**env, "LLM_ENABLE_OPENAI_PROXY": "1", "LLM_PROXY_TOKEN": TOKEN}, fresh=True)


def begin(host: Host, path: str, body: dict[str, Any]) -> socket.socket:
    """Send a request whose answer nobody reads."""
    parts = urlsplit(host.base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {"X-Quillwork": "1", "Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    connection.request("POST", f"/quillwork/{path}", json.dumps(body), headers)
    return connection.sock


@pytest.mark.skipif(sys.platform == "win32", reason="there is no Ctrl+C to send to another process")
@pytest.mark.parametrize("how", ["interrupt", "terminate"])
def test_a_stopped_host_leaves_no_call_behind(served: Host, wire: WireServer, how: str) -> None:
    sockets = [begin(served, path, body) for path, body in CALLS]
    wire.wait_calls(len(CALLS))
    served.process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
    assert served.process.wait(20) is not None
    wire.wait_disconnects(len(CALLS))
    assert wire.inflight == 0
    for one in sockets:
        one.close()
    log = served.log()
    assert "destroyed" not in log, log[-3000:]
    assert "never retrieved" not in log, log[-3000:]
    # An interrupted host may say where it was: that is not in our files.
    assert [file for file in FRAME.findall(log) if ours(file)] == [], log[-3000:]

"""A host that is stopped while answers stream hangs up on the models and leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest
from host.fixtures import Hosts
from host.process import Host
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


@pytest.fixture
def served(host_factory: Hosts, wire: WireServer) -> Host:
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}
    return host_factory({**env, "LLM_ENABLE_OPENAI_PROXY": "1", "LLM_PROXY_TOKEN": TOKEN}, fresh=True)


def begin(host: Host, path: str, body: dict[str, Any]) -> socket.socket:
    """A request whose answer nobody reads."""
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
    assert "quillwork" not in log.partition("Traceback")[2], log[-3000:]

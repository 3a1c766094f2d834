"""A job before several servers: each has its share, and the end of one loses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from interfaces.cli.processes import ROOT
from wire.server import WireServer

LINES, AT_ONCE_EACH = 120, 4


@pytest.mark.timeout(240)
def test_one_of_four_servers_ends_in_the_middle(environment: dict[str, str], tmp_path: Path) -> None:
    ideas, out = tmp_path / "ideas.txt", tmp_path / "out.jsonl"
    ideas.write_text("\n".join(f"idea{number}x a fox" for number in range(LINES)), "utf-8")
    with ExitStack() as others, ExitStack() as ending:
        servers = [others.enter_context(WireServer.in_thread()) for _ in range(3)]
        servers.append(ending.enter_context(WireServer.in_thread()))
        job = subprocess.Popen(
            [sys.executable, str(ROOT), "enhance", "--file", str(ideas), "--out", str(out), "--json"],
            env={
                **environment,
                "LLM_BASE_URL": ",".join(f"{server.url}/v1" for server in servers),
                "LLM_MODEL": "fox-delay100",
                "LLM_MAX_CONCURRENCY": str(AT_ONCE_EACH),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        servers[-1].wait_calls(5)
        ending.close()
        said, errors = job.communicate(timeout=200)
        asked = Counter(
            json.dumps(call.json["messages"]) for server in servers for call in server.calls() if call.json
        )
        shares = [len(server.calls()) for server in servers]
    assert job.returncode == 0, errors
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["line"] for row in rows] == list(range(LINES))
    assert all(row["prompt"] and row["error"] is None for row in rows)
    assert json.loads(said)["written"] == LINES
    assert len(asked) == LINES
    assert sum(asked.values()) - LINES <= 4 * AT_ONCE_EACH, "only what it had under way is asked again"
    assert min(shares[:3]) >= LINES / 3 / 2, "the others share the rest"

"""Costs of a run, on a host: reported by node, and stopped by a budget before anything is sent."""

from __future__ import annotations

import json
import stat
import time
from typing import Any

import pytest
from host.fixtures import Hosts
from host.process import Host
from nodes.graphs import KEY, enhance, info, preview, settings, variables
from wire.reports import ReportServer
from wire.server import WireServer

SECRET_KEY = "sk-planted-Hq8wLm2RvT5xNc7BzK4"
# A cent a token in, two out: 11 and 7 of them make 25 cents; with 2048 allowed, a call may cost $41.
CENTS = {"pricing": {"prompt": "0.01", "completion": "0.02"}}


def usage(host: Host) -> dict[str, Any]:
    return host.get("/quillwork/health").json()["usage"]


def row(table: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in table if one["name"] == name)


def learn_prices(host: Host, wire: WireServer) -> None:
    """Have the host ask the endpoint for its models, as an open page does."""
    wire.models, wire.facts = ["fox", "owl"], {"fox": CENTS}
    assert host.post("/quillwork/llm/models", json={}, headers={"X-Quillwork": "1"}).status == 200
    wire.log.clear()


def test_a_run_is_told_under_the_nodes_own_number(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"771": enhance(variations=3), "9": preview("771")})
    assert run.status == "success", run.message
    summary = usage(endpoint_host)
    caller = row(summary["session"]["callers"], "Enhance Prompt #771")
    assert (caller["calls"], caller["prompt_tokens"], caller["completion_tokens"]) == (3, 33, 21)
    assert (caller["cost_usd"], caller["unpriced"]) == (None, 3)
    assert row(summary["today"]["models"], "endpoint/fox")["calls"] >= 3
    assert "snow" not in json.dumps(summary)
    again = endpoint_host.run({"771": enhance(variations=3), "9": preview("771")})
    assert again.cached, "the second run calls nothing"
    assert row(usage(endpoint_host)["session"]["callers"], "Enhance Prompt #771")["calls"] == 3


def test_the_day_is_kept_in_a_file_of_the_users_own(endpoint_host: Host) -> None:
    endpoint_host.run({"1": enhance(seed=77), "2": preview("1")})
    file = endpoint_host.quillwork_home / "usage.json"
    end = time.monotonic() + 15
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "snow" not in file.read_text()
    assert KEY not in file.read_text()
    assert endpoint_host.request("GET", "/userdata/usage.json").status == 404


@pytest.fixture
def poor_host(host_factory: Hosts, wire: WireServer) -> Host:
    """Start a host with a dollar for the session, and an endpoint that lists its prices."""
    host = host_factory(
        {
            "LLM_BASE_URL": f"{wire.url}/v1",
            "LLM_MODEL": "fox",
            "LLM_API_KEY": KEY,
            "LLM_BUDGET_SESSION": "1.00",
        }
    )
    learn_prices(host, wire)
    return host


def test_a_budget_stops_a_fan_out_before_anything_is_sent(poor_host: Host, wire: WireServer) -> None:
    run = poor_host.run({"1": enhance(variations=16), "2": preview("1")})
    assert run.status == "error"
    assert "16 calls" in run.message
    assert "LLM_BUDGET_SESSION" in run.message
    assert wire.log == []
    for other in (enhance(seed=5), variables()):
        assert "LLM_BUDGET_SESSION" in poor_host.run({"1": other, "2": preview("1")}).message
    assert wire.log == []
    assert usage(poor_host)["budget"]["set_aside_usd"] == 0


def test_what_fits_is_written_and_counted(poor_host: Host, wire: WireServer) -> None:
    before = usage(poor_host)["budget"]["session_used_usd"]
    graph = {
        "5": settings(max_tokens=1),
        "1": variables(name="hue", llm=["5", 0]),
        "2": preview("1"),
        "3": preview("1", 3),
    }
    refused = poor_host.run(graph)
    # The question alone is longer than a dollar's worth of cents.
    assert "LLM_BUDGET_SESSION" in refused.message
    wire.facts = {"fox": {"pricing": {"prompt": "0.0001", "completion": "0.0002"}}}
    assert poor_host.post("/quillwork/llm/models", json={}, headers={"X-Quillwork": "1"}).status == 200
    wire.log.clear()
    run = poor_host.run({"1": enhance(seed=6), "2": preview("1"), "3": preview("1", 2)})
    assert run.status == "success", run.message
    assert info(run, "3")["cost_usd"] == pytest.approx(0.0025)
    assert usage(poor_host)["budget"]["session_used_usd"] == pytest.approx(before + 0.0025)


def test_with_on_error_the_run_goes_on(poor_host: Host, wire: WireServer) -> None:
    graph = {"1": enhance(seed=8, on_error="passthrough"), "2": preview("1"), "3": preview("1", 2)}
    run = poor_host.run(graph)
    assert run.shown("2") == ["a fox in the snow"]
    assert "LLM_BUDGET_SESSION" in " ".join(info(run, "3")["warnings"])
    assert wire.log == []


def test_observers_are_told_of_a_run_and_not_of_its_words(host_factory: Hosts, wire: WireServer) -> None:
    with ReportServer.in_thread() as reports:
        host = host_factory(
            {
                "LLM_BASE_URL": f"{wire.url}/v1",
                "LLM_MODEL": "fox",
                "LLM_API_KEY": KEY,
                "LLM_CALLBACKS": "langfuse,no_such_module:on_call",
                "LANGFUSE_HOST": reports.url,
                "LANGFUSE_PUBLIC_KEY": "pk-fox",
                "LANGFUSE_SECRET_KEY": SECRET_KEY,
            },
            fresh=True,
        )
        run = host.run({"5": enhance(variations=2), "9": preview("5")})
        assert run.status == "success", run.message
        end = time.monotonic() + 15
        while len(reports.taken) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        bodies = [report.json["batch"][1]["body"] for report in reports.taken]
        assert [body["name"] for body in bodies] == ["Enhance Prompt #5"] * 2
        assert [body["usageDetails"] for body in bodies] == [{"input": 11, "output": 7}] * 2
        assert "snow" not in "".join(report.text for report in reports.taken)
        shown = host.get("/quillwork/health").text + host.get("/quillwork/config").text + host.log()
        assert SECRET_KEY not in shown
        assert "The observer no_such_module:on_call missed a call" in host.log()

"""Stop means stop: the node ends, the call is hung up, and the next prompt runs."""

from __future__ import annotations

import time

import pytest
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from nodes.graphs import enhance, preview, settings, variables
from wire.server import WireServer

# Far above the usual time (benchmarks/host.py measures it); only a hang is caught here.
HANG_S = 30.0


def assert_next_prompt_runs(host: Host) -> None:
    run = host.run({"1": enhance("another idea"), "2": preview("1")}, timeout=100)
    assert run.status == "success", run.message
    assert run.shown("2") == ["a red fox in fresh snow"]


@pytest.mark.parametrize("model", ["fox-hang-silent", "fox-hang", "fox-gap100-chunks200", "fox-forever"])
def test_an_interrupt_ends_the_node_and_the_upstream_call(
    endpoint_host: Host, wire: WireServer, model: str
) -> None:
    run = endpoint_host.run({"1": enhance(llm_model=model)}, interrupt_after=lambda _: bool(wire.calls()))
    assert run.status == "interrupted"
    assert run.interrupt_s is not None
    assert run.interrupt_s < HANG_S
    deadline = time.monotonic() + HANG_S
    while not wire.disconnects and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [gone.model for gone in wire.disconnects] == [model]
    assert_next_prompt_runs(endpoint_host)


def test_the_first_interrupt_is_told_before_the_host_collects_its_garbage(
    host_factory: Hosts, wire: WireServer
) -> None:
    """The collection follows the first prompt of a process and blocks everything for up to 300 ms."""
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    run = host.run(
        {"1": enhance(llm_model="fox-hang"), "2": node("TestpackSlowCollection")},
        interrupt_after=lambda run: "2" in run.executed and bool(wire.calls()),
    )
    assert run.status == "interrupted"
    interrupted = run.posted + run.seconds
    ((began, ended),) = host.run({"2": node("TestpackSlowCollection")}).shown("2", "held")
    assert began < interrupted + 1.0, "the host has not collected after this prompt"
    assert interrupted < ended - 0.3


def test_an_interrupt_ends_the_waiting_between_retries(endpoint_host: Host, wire: WireServer) -> None:
    for model in ("fox-status503", "fox-status429-retryafter30"):
        graph = {"5": settings(llm_model=model, retries=5), "1": enhance(llm=["5", 0])}
        run = endpoint_host.run(
            graph, interrupt_after=lambda _, model=model: any(call.model == model for call in wire.calls())
        )
        assert run.status == "interrupted"
        assert run.interrupt_s is not None
        assert run.interrupt_s < HANG_S
    assert_next_prompt_runs(endpoint_host)


def test_an_interrupt_ends_all_nodes_that_are_writing(endpoint_host: Host, wire: WireServer) -> None:
    before = len(endpoint_host.log())
    graph = {
        "1": enhance("one", llm_model="fox-hang", variations=4),
        "2": enhance("two", llm_model="fox-hang"),
        "3": variables(llm_model="fox-hang"),
    }
    run = endpoint_host.run(graph, interrupt_after=lambda run: len(wire.log) == 6)
    assert run.status == "interrupted"
    assert run.interrupt_s is not None
    assert run.interrupt_s < HANG_S
    deadline = time.monotonic() + HANG_S
    while len(wire.disconnects) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(wire.disconnects) == 6
    assert_next_prompt_runs(endpoint_host)
    assert "Traceback" not in endpoint_host.log()[before:]


def test_an_error_beside_a_waiting_node_leaves_the_host_whole(endpoint_host: Host, wire: WireServer) -> None:
    graph = {
        "1": enhance("one", llm_model="fox-hang"),
        "2": enhance("two", llm_model="fox-delay300-status401"),
    }
    run = endpoint_host.run(graph, timeout=100)
    assert run.status == "error"
    assert "401" in run.message
    assert_next_prompt_runs(endpoint_host)


def test_two_nodes_write_at_the_same_time(endpoint_host: Host, wire: WireServer) -> None:
    wire.meeting = 2
    graph = {"1": enhance("one"), "2": variables("hue", llm_model="fox-json")}
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert wire.peak == 2


def test_a_node_that_sleeps_beside_it_does_not_hold_up_the_end(endpoint_host: Host, wire: WireServer) -> None:
    graph = {"1": enhance(llm_model="fox-hang"), "2": node("TestpackSleep", seconds=60.0, label="beside")}
    run = endpoint_host.run(graph, interrupt_after=lambda run: bool(wire.calls()) and "2" in run.texts)
    assert run.status == "interrupted"
    assert run.interrupt_s is not None
    assert run.interrupt_s < HANG_S
    assert_next_prompt_runs(endpoint_host)

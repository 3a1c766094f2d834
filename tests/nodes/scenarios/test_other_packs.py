"""Another pack's nodes ask our models, in the host that both live in."""

from __future__ import annotations

import pytest
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from nodes.graphs import enhance, needs_litellm, preview
from wire.answers import TEXT
from wire.server import WireServer


@pytest.fixture
def served(host_factory: Hosts, wire: WireServer) -> Host:
    return host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"})


@pytest.mark.parametrize("kind", ["TestpackAsk", "TestpackAskAsync"])
def test_a_node_of_another_pack_asks(served: Host, wire: WireServer, kind: str) -> None:
    run = served.run({"1": node(kind, question="a fox", model=""), "2": preview("1")})
    assert run.status == "success", run.message
    assert run.shown("2") == [TEXT]
    (call,) = wire.calls()
    assert call.model == "fox"


def test_a_node_of_another_pack_reads_a_stream(served: Host) -> None:
    run = served.run({"1": node("TestpackRead", question="a fox", model="fox-gap20"), "2": preview("1")})
    assert run.status == "success", run.message
    (shown,) = run.shown("2")
    assert shown.replace("|", "") == TEXT
    assert shown.count("|") > 3


def test_stop_hangs_up_for_another_pack_too(served: Host, wire: WireServer) -> None:
    run = served.run(
        {"1": node("TestpackAsk", question="a fox", model="fox-hang"), "2": preview("1")},
        interrupt_after=lambda _: bool(wire.calls()),
    )
    assert run.status == "interrupted"
    wire.wait_disconnects()
    assert served.run(
        {"1": node("TestpackAsk", question="a fox", model="fox"), "2": preview("1")}
    ).status == ("success")


@needs_litellm
def test_a_name_out_of_a_workflow_needs_the_users_yes(host_factory: Hosts) -> None:
    run = host_factory({"OPENAI_API_KEY": "sk-planted-Zq3vX9tR7mKb2LwYp5"}).run(
        {"1": node("TestpackAsk", question="a fox", model="openai/gpt-4o-mini"), "2": preview("1")}
    )
    assert run.status == "error"
    assert "not allowed on this machine" in run.message


def offered(host: Host, name: str) -> list[str]:
    """The modes that the node `name` offers."""
    inputs = host.object_info(name)["input"]
    spec = {**inputs.get("required", {}), **inputs["optional"]}["llm_mode"]
    return spec[1]["options"] if spec[0] == "COMBO" else spec[0]


@pytest.mark.parametrize("name", ["QuillworkEnhancePrompt", "QuillworkLLMSettings"])
def test_a_mode_by_an_installed_packs_entry_point_is_there_to_choose(served: Host, name: str) -> None:
    assert offered(served, name).count("test_installed") == 1


def test_a_mode_of_another_pack_is_there_to_choose(served: Host) -> None:
    served.run({"1": node("TestpackAddMode", question="", model="test_parrot"), "2": preview("1")})
    for name in ("QuillworkEnhancePrompt", "QuillworkLLMSettings"):
        assert offered(served, name)[:3] == ["auto", "litellm", "hf_download"]
        assert offered(served, name).count("test_parrot") == 1
    run = served.run({"1": enhance("a fox", llm_mode="test_parrot"), "2": preview("1")})
    assert run.status == "success", run.message
    assert "A FOX" in run.shown("2")[0]

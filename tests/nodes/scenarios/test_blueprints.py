"""The subgraph blueprints on the host: listed, made of nodes that it has, and running."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from host.fixtures import Hosts
from host.graphs import graph, node
from host.process import REPOSITORY, Host
from nodes.graphs import preview
from wire.server import WireServer

FOLDER = REPOSITORY / "subgraphs"
SHIPPED = sorted(FOLDER.glob("*.json"))
IDS = [file.stem for file in SHIPPED]


def test_the_host_lists_them(host: Host) -> None:
    listed = host.get("/global_subgraphs").json()
    ours = {key: entry for key, entry in listed.items() if entry["info"]["node_pack"].endswith("quillwork")}
    assert sorted(entry["name"] for entry in ours.values()) == IDS
    # The host shows the file's name.
    assert all(re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+", name) for name in IDS)
    for key, entry in ours.items():
        data = json.loads(host.get(f"/global_subgraphs/{key}").json()["data"])
        assert data == json.loads((REPOSITORY / "subgraphs" / f"{entry['name']}.json").read_text("utf-8"))


@pytest.mark.parametrize("file", SHIPPED, ids=IDS)
def test_it_is_made_of_nodes_that_the_host_has(host: Host, file: Any) -> None:
    (subgraph,) = json.loads(file.read_text("utf-8"))["definitions"]["subgraphs"]
    assert {inside["type"] for inside in subgraph["nodes"]} <= set(host.object_info())


@pytest.mark.parametrize("file", SHIPPED, ids=IDS)
def test_it_holds_no_path_and_no_answer(file: Any) -> None:
    text = file.read_text("utf-8")
    assert "/home/" not in text
    assert '"quillwork": {' not in text


def at_model(host_factory: Hosts, wire: WireServer) -> Host:
    return host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"})


def test_the_chat_writes_criticises_and_writes_anew(host_factory: Hosts, wire: WireServer) -> None:
    wire.script("*", ["a fox", "It is vague.", "a red fox on blue snow"])
    run = at_model(host_factory, wire).run({**graph(FOLDER / "Chat refine loop.json"), "shown": preview("3")})
    assert run.status == "success", run.message
    assert run.shown("shown") == ["a red fox on blue snow"]
    first, second, third = (call.json["messages"] for call in wire.calls())
    said = [message["content"] for message in third if message["role"] == "assistant"]
    assert said == ["a fox", "It is vague."]
    assert [len(messages) for messages in (first, second, third)] == [2, 4, 6]


def test_a_picture_becomes_a_prompt(host_factory: Hosts, wire: WireServer) -> None:
    wire.script("*", ["A fox stands in snow.", "a red fox in fresh snow, at dusk"])
    described = graph(FOLDER / "Describe and enhance.json")
    described["1"]["inputs"]["image"] = ["picture", 0]
    described["picture"] = node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    run = at_model(host_factory, wire).run({**described, "shown": preview("2")})
    assert run.status == "success", run.message
    assert run.shown("shown") == ["a red fox in fresh snow, at dusk"]
    first, second = (json.dumps(call.json["messages"]) for call in wire.calls())
    assert "data:image/" in first
    assert "A fox stands in snow." in second
    assert "data:image/" not in second


def test_the_wildcard_factory_makes_prompts(host: Host) -> None:
    run = host.run({**graph(FOLDER / "Wildcard factory.json"), "shown": preview("2")})
    assert run.status == "success", run.message
    assert len(set(run.shown("shown"))) == 8
    assert not any("__" in text or "{" in text for text in run.shown("shown"))

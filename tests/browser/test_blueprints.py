"""The blueprints in the real frontend: found in the node search, whole, and ready to run."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright")

from browser.blueprints import PLANS, SUBGRAPHS, inside_of
from host.graphs import graph

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("own_pages")]

SHIPPED = sorted(file.stem for file in SUBGRAPHS.glob("*.json"))
# Inputs that each needs from outside before it can run, and the output that is checked.
FEEDS = {
    "Describe and enhance": ({"image": ("EmptyImage", {"width": 64, "height": 64})}, "prompt"),
    "Chat refine loop": ({}, "text"),
    "Wildcard factory": ({}, "prompt"),
}
ANSWERS = {"Wildcard factory": '{"values": ["linen", "wool", "silk", "felt"]}'}


def place(comfy: Any, name: str) -> str:
    """Put the blueprint into the workflow as a user does, by the node search; return the node's id."""
    comfy.command("Workspace.SearchBox.Toggle")
    search = comfy.page.get_by_role("combobox", name="Add a node...")
    search.fill(name)
    comfy.page.locator("[data-testid=result-item]", has_text=name).first.click()
    comfy.wait("() => app.rootGraph.nodes.length === 1")
    # The node sticks to the pointer until it is dropped.
    comfy.page.evaluate("() => app.canvas.finalizeGhostPlacement(false)")
    return comfy.page.evaluate("() => String(app.rootGraph.nodes[0].id)")


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_found_and_no_node_is_missing(comfy, name):
    node = place(comfy, name)
    inside = comfy.of(node, "node.subgraph.nodes.map(({type}) => type)")
    assert sorted(inside) == sorted(part.kind for part in PLANS[name].nodes.values())
    assert comfy.of(node, "node.subgraph.nodes.every(({type}) => LiteGraph.registered_node_types[type])")
    assert comfy.of(node, "node.title") == name
    assert comfy.of(node, "node.inputs.map(({name}) => name)") == list(PLANS[name].inputs)
    assert comfy.of(node, "node.outputs.map(({name}) => name)") == list(PLANS[name].outputs)


@pytest.mark.parametrize("name", SHIPPED)
def test_it_sends_what_stands_in_its_file(comfy, name):
    place(comfy, name)
    assert inside_of(comfy.prompt()) == graph(SUBGRAPHS / f"{name}.json")


@pytest.mark.parametrize("name", SHIPPED)
def test_it_runs(comfy, wire, name):
    wire.script("*", ANSWERS.get(name, "what the model wrote"))
    node = place(comfy, name)
    feeds, output = FEEDS[name]
    for number, (socket, (kind, values)) in enumerate(feeds.items()):
        source = comfy.add(kind, (-400, 160 * number), **values)
        comfy.link(source, 0, node, list(PLANS[name].inputs).index(socket))
    preview = comfy.add("PreviewAny", (700, 200))
    comfy.link(node, list(PLANS[name].outputs).index(output), preview, 0)
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    history = comfy.host.get(f"/history/{detail['prompt_id']}").json()[detail["prompt_id"]]
    shown = history["outputs"][preview]["text"]
    if name == "Wildcard factory":
        assert len(shown) == 8
        assert all(any(value in text for value in ("linen", "wool", "silk", "felt")) for text in shown)
    else:
        assert shown == ["what the model wrote"]

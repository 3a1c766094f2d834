"""The workflows that we ship, as a user opens them: loaded, drawn and run, with no error on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
SHIPPED = sorted(file.stem for file in FOLDER.glob("*.json"))
# Requirements that no test machine has, by words of the sentence in which a node names them: the model, or
# the package where the host has no torch.
LACKING = {"gguf": ("gguf",), "local_4bit": ("Qwen", "Python package torch")}
# Nodes that need weights. The host refuses them before anything runs; without them the rest still runs.
WEIGHTS = ("CLIPLoader", "CheckpointLoaderSimple")
ANSWER = "what the model wrote"
VALUES = json.dumps({"values": ["linen", "wool", "silk", "felt", "tweed", "hemp", "jute", "velvet"]})
DRAWN = """(id) => {
    const node = app.rootGraph.getNodeById(id);
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(node);
    app.canvas.setDirty(true, true);
    const {element} = node.widgets.find(({name}) => name === 'quillwork_answer');
    return element.isConnected && element.offsetHeight > 40;
}"""
PANELS = """() => app.rootGraph.nodes
    .filter((node) => node.widgets?.some(({name}) => name === 'quillwork_answer'))
    .map(({id}) => String(id))"""
ENCODING = ("CLIPTextEncode", "KSampler", "VAEDecode", "SaveImage", "EmptyLatentImage")
PLAIN_PICTURE = """() => {
    const graph = app.rootGraph;
    const old = graph.nodes.find(({type}) => type === 'LoadImage');
    const picture = LiteGraph.createNode('EmptyImage');
    graph.add(picture);
    for (const id of [...old.outputs[0].links]) {
        const {target_id, target_slot} = graph.getLink?.(id) ?? graph.links.get?.(id) ?? graph.links[id];
        picture.connect(0, graph.getNodeById(target_id), target_slot);
    }
    graph.remove(old);
}"""


def opened(comfy, name):
    """Load the workflow as the host does."""
    comfy.load(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))


def ours(comfy):
    """Return the ids of our nodes that have a panel."""
    return comfy.page.evaluate(PANELS)


def take_out(comfy, kinds):
    comfy.page.evaluate(
        "(kinds) => app.rootGraph.nodes.filter(({type}) => kinds.includes(type))"
        ".forEach((node) => app.rootGraph.remove(node))",
        kinds,
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_drawn(comfy, name):
    opened(comfy, name)
    nodes = ours(comfy)
    assert nodes
    for node in nodes:
        comfy.wait(DRAWN, node)
    # A second drawing with all of it: what fails in there would be on the page's list of errors.
    comfy.page.evaluate("() => app.canvas.draw(true, true)")


@pytest.mark.parametrize("name", SHIPPED)
def test_it_runs(comfy, wire, name):
    variables = name in ("generate_variables", "wildcard_factory")
    wire.script("*", VALUES if variables else ANSWER)
    opened(comfy, name)
    take_out(comfy, [*WEIGHTS, *ENCODING])
    if name == "host_encoder_zimage":
        for node in ours(comfy):
            comfy.set(node, "llm_mode", "auto")
    if name == "describe_and_enhance":
        comfy.page.evaluate(PLAIN_PICTURE)
    kind, detail = comfy.run()
    if name in LACKING:
        assert kind == "execution_error", detail
        assert detail["node_type"] == "QuillworkEnhancePrompt"
        said = detail["exception_message"].lower()
        assert any(words.lower() in said for words in LACKING[name]), said
        assert "Traceback" not in detail["exception_message"]
        assert comfy.note(str(detail["node_id"]))[1] == "error"
        return
    assert kind == "execution_success", detail
    comfy.page.wait_for_timeout(300)
    for node in ours(comfy):
        assert comfy.shown(node), name
        comfy.wait(DRAWN, node)

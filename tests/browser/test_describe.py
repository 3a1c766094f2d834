"""Describe Image in the frontend: the shipped workflow, the panel, the list of targets, freezing."""

from __future__ import annotations

import json

import pytest
from host.graphs import graph
from host.process import REPOSITORY

Picture = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
pytestmark = pytest.mark.browser

WORKFLOW = REPOSITORY / "workflows" / "describe_and_enhance.json"


@pytest.fixture
def example(comfy):
    """Return the picture that ComfyUI ships."""
    Picture.new("RGB", (640, 480), "teal").save(comfy.host.base_directory / "input" / "example.png")
    comfy.page.evaluate("async () => { await app.refreshComboInNodes(); }")
    return comfy


def test_the_shipped_workflow_opens_and_runs(example, wire):
    comfy = example
    wire.script("*", ["a teal square", "a teal square on a rainy night"])
    comfy.load(json.loads(WORKFLOW.read_text("utf-8")))
    unknown = "(one) => one.has_errors || !one.constructor.nodeData"
    found = comfy.page.evaluate(f"() => app.rootGraph.nodes.filter({unknown}).map((one) => one.type)")
    assert set(found) <= {"MarkdownNote"}
    sent = comfy.page.evaluate("async () => (await app.graphToPrompt()).output")
    assert {key: one["inputs"] for key, one in sent.items()} == {
        key: one["inputs"] for key, one in graph(WORKFLOW).items()
    }
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    assert [comfy.shown(node) for node in ("3", "4")] == ["a teal square", "a teal square on a rainy night"]


def test_the_answer_is_kept_with_the_node_and_can_be_frozen(example, wire):
    comfy = example
    wire.script("*", "a teal square")
    loaded = comfy.add("LoadImage", (60, 160), image="example.png")
    node = comfy.add("QuillworkDescribeImage", (420, 160))
    comfy.link(loaded, 0, node, 0)
    assert comfy.run()[0] == "execution_success"
    assert comfy.shown(node) == "a teal square"
    record = comfy.of(node, "node.properties.quillwork")
    assert (record["kind"], record["texts"]) == ("describe", ["a teal square"])
    freeze = "node.widgets.find((one) => one.name === 'freeze')"
    comfy.of(node, f"void ({freeze}.value = true, {freeze}.callback(true))")
    assert json.loads(comfy.of(node, "node.widgets.find((one) => one.name === 'frozen').value")) == {
        "text": ["a teal square"]
    }
    comfy.page.evaluate("() => { window.ends.length = 0; }")
    assert comfy.run()[0] == "execution_success"
    assert len(wire.calls()) == 1


def test_auto_means_a_description_here(comfy):
    node = comfy.add("QuillworkDescribeImage")
    label = "node.widgets.find((one) => one.name === 'target').options.getOptionLabel"
    assert comfy.of(node, f"{label}('auto')") == "Auto (a description)"
    assert comfy.of(node, f"{label}('sdxl')") == "Stable Diffusion › SDXL"

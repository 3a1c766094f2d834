"""Our nodes within a subgraph, used from without: by the widgets that the subgraph's node shows."""

from __future__ import annotations

import json

import pytest
from browser.test_enhance_places import ANSWER, close, open_by_key, target_of
from browser.test_models import OPTIONS, refresh

pytestmark = pytest.mark.browser

# The user's "Promote widget", by way of the subgraph's own inputs.
WRAP = """(() => {
    const {subgraph, node: outer} = app.graph.convertToSubgraph(new Set([node]));
    const [inner] = subgraph.nodes;
    for (const name of it) {
        const slot = inner.inputs.find(({widget}) => widget?.name === name);
        subgraph.addInput(name, slot.type).connect(slot, inner);
    }
    outer.setSize([420, 320]);
    return String(outer.id);
})()"""
INNER = "node.subgraph.nodes[0]"
PANEL = f"{INNER}.widgets.find(({{name}}) => name === 'quillwork_answer').element"
TEXT = f"{PANEL}.querySelector('.quillwork-text')"
HOLDS = "([id, text]) => app.graph.getNodeById(id).widgets.some(({value}) => value === text)"


@pytest.fixture
def outer(comfy):
    """Make a subgraph's node that shows prompt, target and model of the Enhance Prompt in it."""
    node = comfy.enhance("a fox", at=(120, 300), target="sdxl", llm_model="fox-own")
    outer = comfy.of(node, WRAP, ["prompt", "target", "llm_model"])
    # On the canvas the host draws the fields once it has laid them out.
    comfy.page.wait_for_timeout(500)
    yield outer
    for _ in range(2):
        comfy.page.keyboard.press("Escape")


def model_field(comfy, outer):
    # It is one of the advanced inputs; older frontends fold those on a subgraph's node, too.
    comfy.of(outer, "void (node.showAdvanced = true)")
    if comfy.renderer == "nodes2":
        field = comfy.page.locator(f"[data-node-id='{outer}'] input[aria-label=llm_model]")
        field.click()
        return field
    comfy.click_widget(outer, "llm_model")
    return comfy.page.locator(".graphdialog input")


def test_what_is_typed_and_chosen_outside_is_sent_and_its_answer_stands_inside(comfy, wire, outer):
    wire.script("*", ANSWER)
    comfy.text_field(outer).fill("an owl")
    comfy.switch(outer, "target", "flux1_dev")
    field = model_field(comfy, outer)
    field.fill("fox-typed")
    field.press("Enter")
    if field.count():
        field.press("Enter")
    sent = next(one for one in comfy.prompt().values() if one["class_type"] == "QuillworkEnhancePrompt")
    chosen = {name: sent["inputs"][name] for name in ("prompt", "target", "llm_model")}
    assert chosen == {"prompt": "an owl", "target": "flux1_dev", "llm_model": "fox-typed"}
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    assert json.loads(wire.calls()[-1].body)["model"] == "fox-typed"
    assert comfy.of(outer, f"{TEXT}.value") == ANSWER


def test_targets_are_labelled(comfy, outer):
    if comfy.renderer == "nodes2":
        comfy.page.locator(f"[data-node-id='{outer}']").get_by_text("SDXL").first.wait_for()
    widget = "node.widgets.find(({name}) => name === 'target')"
    assert comfy.of(outer, f"{widget}.options.getOptionLabel('flux1_dev')") == "Flux › Flux.1 dev"


def test_models_are_suggested(comfy, wire, outer):
    wire.models = ["fox-small", "fox-large"]
    refresh(comfy)
    field = model_field(comfy, outer)
    field.fill("large")
    comfy.page.locator(OPTIONS).filter(has_text="fox-large").click()
    assert comfy.widget(outer, "llm_model") == "fox-large"


def test_enhance_follows_what_is_chosen_outside(comfy, wire, outer):
    wire.script("*", ANSWER)
    comfy.switch(outer, "llm_model", "fox-outer")
    beside = open_by_key(comfy, comfy.text_field(outer))
    target_of(beside, "sdxl")
    with comfy.page.expect_request("**/quillwork/enhance") as sent:
        beside.get_by_role("button", name="Enhance", exact=True).click()
    assert sent.value.post_data_json["target"] == "sdxl"
    comfy.wait(HOLDS, [outer, ANSWER])
    beside.get_by_role("button", name="Enhance", exact=True).wait_for()
    assert json.loads(wire.calls()[-1].body)["model"] == "fox-outer"
    close(comfy)


def test_enhance_follows_what_is_chosen_inside(comfy, wire):
    wire.script("*", ANSWER)
    node = comfy.enhance("a fox", at=(120, 300), target="sdxl", llm_model="fox-own")
    outer = comfy.of(node, WRAP, ["prompt"])
    comfy.page.wait_for_timeout(500)
    beside = open_by_key(comfy, comfy.text_field(outer))
    target_of(beside, "sdxl")
    beside.get_by_role("button", name="Enhance", exact=True).click()
    beside.get_by_role("button", name="Enhance", exact=True).wait_for()
    comfy.wait(HOLDS, [outer, ANSWER])
    assert json.loads(wire.calls()[-1].body)["model"] == "fox-own"
    close(comfy)


def test_corner_button_is_in_the_field(comfy, outer):
    comfy.text_field(outer).hover()
    comfy.page.locator(".quillwork-hover").click()
    target_of(comfy.page.locator(".quillwork-beside"), "sdxl")
    close(comfy)


def test_field_shows_its_example(comfy, outer):
    field = comfy.text_field(outer)
    field.fill("")
    assert field.get_attribute("placeholder") == "Your idea, e.g. a fox in the snow"


def test_a_freeze_switch_outside_holds_the_answer_within(comfy, wire):
    wire.script("*", ["the first text", "the second text"])
    node = comfy.enhance("a fox", at=(120, 300), llm_model="fox")
    outer = comfy.of(node, WRAP, ["freeze"])
    comfy.run()
    comfy.switch(outer, "freeze", True)
    for _ in range(2):
        assert comfy.run()[0] == "execution_success"
        assert comfy.of(outer, f"{TEXT}.value") == "the first text"
    assert len(wire.calls()) == 1
    comfy.switch(outer, "freeze", False)
    comfy.of(outer, f"void ({INNER}.widgets.find((one) => one.name === 'seed').value = 7)")
    comfy.run()
    assert comfy.of(outer, f"{TEXT}.value") == "the second text"

"""Advanced widgets: folded on the canvas as in Nodes 2.0, with no value lost."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

FOLDED = ["llm_mode", "llm_model", "on_error", "freeze", "frozen"]
VISIBLE = """node.widgets.filter((one) => node.isWidgetVisible(one)).map(({name}) => name)"""


def fold(comfy, node):
    comfy.of(node, "node.widgets.find(({name}) => name === 'quillwork_advanced').callback()")


def test_folded_until_the_button_is_pressed(comfy):
    node = comfy.enhance()
    if comfy.renderer == "nodes2":
        field = comfy.page.locator(f"[data-node-id='{node}']")
        assert field.get_by_text("Show or hide advanced").count() == 0
        return
    assert set(comfy.of(node, VISIBLE)) & set(FOLDED) == set()
    low = comfy.of(node, "node.size[1]")
    comfy.page.wait_for_timeout(300)
    # The button stands right below the last widget that is shown.
    rows = comfy.of(node, "node.widgets.filter((one) => node.isWidgetVisible(one)).map(({y}) => y)")
    assert 0 < rows[-2] - rows[-3] < 40
    comfy.click_widget(node, "quillwork_advanced")
    assert set(FOLDED) <= set(comfy.of(node, VISIBLE))
    assert comfy.of(node, "node.size[1]") > low
    comfy.click_widget(node, "quillwork_advanced")
    assert set(comfy.of(node, VISIBLE)) & set(FOLDED) == set()
    assert comfy.of(node, "node.size[1]") == low


def test_values_and_the_fold_are_saved(comfy):
    node = comfy.enhance(llm_model="fox", on_error="passthrough", frozen="my own words")
    before = comfy.prompt()
    saved = comfy.saved()
    assert "quillwork_advanced" not in before[node]["inputs"]
    fold(comfy, node)
    unfolded = comfy.saved()
    comfy.new_workflow()
    for workflow, shown in ((saved, False), (unfolded, True)):
        comfy.load(workflow)
        assert bool(comfy.of(node, "node.showAdvanced")) is shown
        assert comfy.prompt() == before
        assert comfy.widget(node, "frozen") == "my own words"
    fold(comfy, node)
    assert comfy.prompt() == before


def test_every_text_on_screen_says_what_it_is_for(comfy):
    """An empty field shows an example, in both renderers."""
    node = comfy.enhance("")
    wanted = ("Your idea, e.g. a fox in the snow", "Optional instruction, e.g. at night, in watercolour")
    for place, text in enumerate(wanted):
        field = comfy.text_field(node, place)
        field.wait_for()
        assert field.get_attribute("placeholder") == text


def test_an_app_has_a_control_for_each_input(comfy):
    node = comfy.enhance(llm_model="fox")
    workflow = comfy.saved()
    inputs = [[int(node), name] for name in ("prompt", "target", "llm_mode", "llm_model", "freeze")]
    workflow["extra"] = {"linearMode": True, "linearData": {"inputs": inputs, "outputs": [int(node)]}}
    comfy.load(workflow)
    assert comfy.of(node, "node.showAdvanced") is True
    items = comfy.page.locator("[data-testid=app-mode-widget-item]")
    items.nth(len(inputs) - 1).wait_for()
    assert items.count() == len(inputs)
    for place in range(len(inputs)):
        controls = items.nth(place).locator("textarea, input, [role=combobox], [role=switch]")
        assert controls.count() > 0, items.nth(place).inner_text()
    comfy.command("Comfy.ToggleLinear")


def test_an_input_that_is_chosen_for_an_app_is_not_folded_away(comfy):
    if comfy.renderer == "canvas":
        return  # The builder of apps is drawn in Nodes 2.0 alone, and switches to it.
    node = comfy.enhance(llm_model="fox")
    comfy.of(node, "void (node.showAdvanced = true)")
    go_to(comfy, "builder:inputs")
    drawn = comfy.page.locator(f"[data-node-id='{node}']")
    row = drawn.locator("[data-testid=node-widget]").filter(has_text="llm_model").bounding_box()
    comfy.page.mouse.click(row["x"] + row["width"] / 2, row["y"] + row["height"] / 2)
    comfy.wait("() => app.rootGraph.extra.linearData?.inputs?.length === 1")
    go_to(comfy, "builder:outputs")
    drawn.click(position={"x": 200, "y": 60}, force=True)
    comfy.wait("() => app.rootGraph.extra.linearData?.outputs?.length === 1")
    go_to(comfy, "graph")
    comfy.of(node, "void (node.showAdvanced = false)")
    # The host checks for changes at the next press.
    comfy.page.mouse.click(1000, 800)
    go_to(comfy, "app")
    comfy.page.locator("[data-testid=app-mode-widget-item] input").wait_for()
    go_to(comfy, "graph")


def go_to(comfy, mode):
    comfy.page.evaluate("(mode) => { app.extensionManager.workflow.activeWorkflow.activeMode = mode; }", mode)
    comfy.page.wait_for_timeout(500)

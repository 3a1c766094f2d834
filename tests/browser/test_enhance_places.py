"""Position of Enhance and its initial choices: beside its field, with the choices of the field's node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

ANSWER = "a red fox in fresh snow, low golden light"
BESIDE = ".quillwork-beside"
TEMPLATE = Path(__file__).parents[2] / "workflows" / "enhance_prompt.json"


def open_by_key(comfy, field):
    field.focus()
    comfy.page.keyboard.press("Alt+q")
    beside = comfy.page.locator(BESIDE)
    beside.wait_for()
    return beside


def close(comfy):
    comfy.page.keyboard.press("Escape")
    comfy.page.locator(BESIDE).wait_for(state="detached")


def is_beside(comfy, field):
    """Wait until the dialog stands to the right of `field`, at its height."""
    at = field.bounding_box()
    comfy.wait(
        f"""([right, top]) => {{
            const at = document.querySelector('{BESIDE}').getBoundingClientRect();
            return Math.abs(at.left - right - 12) < 2 && Math.abs(at.top - top + 8) < 2 && at.width === 340;
        }}""",
        [at["x"] + at["width"], at["y"]],
    )


def target_of(beside, value):
    """Return the target list, once it is filled and shows `value`."""
    choice = beside.get_by_label("For model")
    beside.page.wait_for_function(
        "([list, value]) => list.options.length > 5 && list.value === value",
        arg=[choice.element_handle(), value],
    )
    return choice


class TestPlace:
    def test_first_of_a_page_stands_beside_its_field(self, comfy):
        """The style sheet arrives when the dialog is open already, as over a slow connection."""
        held = []
        comfy.page.route("**/panels.css", lambda route: held.append(route))
        comfy.open()
        node = comfy.add("TestpackLines", text="a fox")
        field = comfy.text_field(node)
        open_by_key(comfy, field)
        for request in held:
            request.continue_()
        comfy.page.unroute("**/panels.css")
        is_beside(comfy, field)
        close(comfy)

    def test_style_sheet_is_there_before_the_first(self, comfy):
        comfy.open()
        comfy.wait("() => [...document.styleSheets].some(({href}) => href?.endsWith('panels.css'))")

    def test_field_that_is_not_drawn(self, comfy):
        """Zoomed far out, the classic canvas draws no fields: the dialog stands beside the node."""
        node = comfy.add("TestpackLines", (900, 900), text="a fox")
        comfy.of(node, "void app.canvas.selectNode(node)")
        comfy.page.evaluate("() => { app.canvas.ds.scale = 0.25; app.canvas.setDirty(true, true); }")
        comfy.page.wait_for_timeout(300)
        comfy.command("Quillwork.Enhance")
        beside = comfy.page.locator(BESIDE)
        beside.wait_for()
        right, top = comfy.of(node, "app.canvasPosToClientPos([node.pos[0] + node.size[0], node.pos[1]])")
        at = beside.bounding_box()
        assert at["x"] >= right - 2
        assert abs(at["y"] - top) < 60
        close(comfy)

    def test_page_edge_is_kept_as_the_dialog_grows(self, comfy, wire):
        wire.script("*", [f"{ANSWER} {count}" for count in range(6)])
        node = comfy.add("TestpackLines", (120, 700), text="a fox")
        beside = open_by_key(comfy, comfy.text_field(node))
        for count in range(6):
            beside.get_by_role("button", name="Enhance", exact=True).click()
            comfy.wait(
                "([id, text]) => app.graph.getNodeById(id).widgets[0].value === text",
                [node, f"{ANSWER} {count}"],
            )
            beside.get_by_role("button", name="Enhance", exact=True).wait_for()
        beside.get_by_text("History").click()
        height = comfy.page.viewport_size["height"]
        comfy.wait(f"() => document.querySelector('{BESIDE}').getBoundingClientRect().bottom <= {height - 8}")
        close(comfy)


class TestCornerButton:
    def test_prompt_field_of_the_template(self, comfy):
        """The field on which a newcomer tries Enhance first is one line high."""
        comfy.load(json.loads(TEMPLATE.read_text("utf-8")))
        (node,) = comfy.page.evaluate(
            "() => app.rootGraph.nodes.filter(({type}) => type === 'QuillworkEnhancePrompt')"
            ".map(({id}) => String(id))"
        )
        field = comfy.text_field(node)
        field.hover()
        button = comfy.page.locator(".quillwork-hover")
        button.wait_for()
        outer, inner = field.bounding_box(), button.bounding_box()
        assert inner["height"] >= 14
        assert inner["y"] >= outer["y"] - 0.5
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 0.5
        button.click()
        target_of(comfy.page.locator(BESIDE), "flux1_dev")
        close(comfy)


class TestNodesOwnChoice:
    def test_target_of_the_node(self, comfy, wire):
        wire.script("*", ANSWER)
        node = comfy.enhance("a fox", target="sdxl")
        beside = open_by_key(comfy, comfy.text_field(node))
        target_of(beside, "sdxl")
        with comfy.page.expect_request("**/quillwork/enhance") as sent:
            beside.get_by_role("button", name="Enhance", exact=True).click()
        assert sent.value.post_data_json["target"] == "sdxl"
        comfy.wait("([id, text]) => app.graph.getNodeById(id).widgets[0].value === text", [node, ANSWER])
        beside.get_by_role("button", name="Enhance", exact=True).wait_for()
        close(comfy)
        # The choices of one node are not carried to others, which have none.
        other = comfy.add("TestpackLines", (700, 700), text="an owl")
        beside = open_by_key(comfy, comfy.text_field(other))
        assert target_of(beside, "auto")
        close(comfy)

    @pytest.mark.parametrize("of_settings", [False, True])
    def test_model_of_the_node(self, comfy, wire, of_settings):
        wire.script("*", ANSWER)
        node = comfy.enhance("a fox", llm_model="fox-own")
        if of_settings:
            settings = comfy.add("QuillworkLLMSettings", (120, 800), llm_model="fox-wired")
            comfy.link(settings, 0, node, comfy.of(node, "node.inputs.findIndex(({name}) => name === 'llm')"))
        beside = open_by_key(comfy, comfy.text_field(node))
        beside.get_by_role("button", name="Enhance", exact=True).click()
        comfy.wait("([id, text]) => app.graph.getNodeById(id).widgets[0].value === text", [node, ANSWER])
        beside.get_by_role("button", name="Enhance", exact=True).wait_for()
        assert json.loads(wire.calls()[-1].body)["model"] == ("fox-wired" if of_settings else "fox-own")
        close(comfy)

    def test_mode_of_the_node(self, comfy, wire):
        node = comfy.enhance("a fox", llm_mode="phrasebook")
        beside = open_by_key(comfy, comfy.text_field(node))
        beside.get_by_role("button", name="Enhance", exact=True).click()
        comfy.wait("(id) => app.graph.getNodeById(id).widgets[0].value.length > 20", node)
        beside.get_by_role("button", name="Enhance", exact=True).wait_for()
        assert wire.calls() == []
        close(comfy)

    def test_text_encoder_is_left_to_runs(self, comfy, wire):
        """The dialog has no wire to the text encoder: the model of the settings writes."""
        wire.script("*", ANSWER)
        node = comfy.enhance("a fox", llm_mode="host_encoder")
        beside = open_by_key(comfy, comfy.text_field(node))
        beside.get_by_role("button", name="Enhance", exact=True).click()
        comfy.wait("([id, text]) => app.graph.getNodeById(id).widgets[0].value === text", [node, ANSWER])
        beside.get_by_role("button", name="Enhance", exact=True).wait_for()
        close(comfy)

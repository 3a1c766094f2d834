"""Enhance on any text field: the ways to it, the text growing in the field, Esc, Undo and the history."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.browser

ANSWER = "a red fox in fresh snow, low golden light, quiet woods, long shadows, soft focus"
BESIDE = ".quillwork-beside"


@pytest.fixture
def node(comfy):
    """Add a node of another pack, with a text."""
    yield comfy.add("TestpackLines", text="a fox")
    comfy.page.keyboard.press("Escape")
    comfy.page.keyboard.press("Escape")
    comfy.page.locator(BESIDE).wait_for(state="detached")


@contextmanager
def model(comfy, name):
    """Set the model that the machine's settings name, for a while."""

    def choose(value):
        settings = {"settings": {"LLM_MODEL_PROMPT_GEN": value}}
        assert comfy.host.post("/quillwork/config", json=settings, headers={"X-Quillwork": "1"}).status == 200

    choose(name)
    try:
        yield
    finally:
        choose(None)


def open_beside(comfy, node):
    comfy.text_field(node).hover()
    comfy.page.locator(".quillwork-hover").click()
    beside = comfy.page.locator(BESIDE)
    beside.wait_for()
    return beside


def press(beside, name):
    beside.get_by_role("button", name=name, exact=True).click()


def finished(beside):
    beside.get_by_role("button", name="Enhance", exact=True).wait_for()


def wait_text(comfy, node, text):
    comfy.page.wait_for_function(
        "([id, text]) => app.graph.getNodeById(id).widgets[0].value === text", arg=[node, text]
    )


class TestWriting:
    def test_text_grows_in_the_field(self, comfy, node, wire):
        wire.script("*", ANSWER)
        with model(comfy, "fox-gap60"):
            beside = open_beside(comfy, node)
            beside.get_by_label("For model").select_option("sdxl")
            beside.get_by_label("Instruction").fill("at dusk")
            press(beside, "Enhance")
            comfy.page.wait_for_function(
                "(id) => /^a red fox.*(?<!focus)$/.test(app.graph.getNodeById(id).widgets[0].value)", arg=node
            )
            beside.get_by_role("button", name="Stop").wait_for()
            wait_text(comfy, node, ANSWER)
            beside.get_by_text("fox-gap60").wait_for()
        assert comfy.text_field(node).input_value() == ANSWER
        assert comfy.prompt()[node]["inputs"]["text"] == ANSWER
        asked = wire.calls()[-1].body.decode()
        assert "at dusk" in asked
        assert "a fox" in asked

    def test_markup_stays_text(self, comfy, node, wire):
        answer = "a fox <img src=x onerror=window.pwned=1> in the snow"
        wire.script("*", answer)
        beside = open_beside(comfy, node)
        press(beside, "Enhance")
        wait_text(comfy, node, answer)
        beside.get_by_text("History").click()
        assert comfy.page.locator(f"{BESIDE} img").count() == 0
        assert comfy.page.evaluate("() => window.pwned") is None

    def test_error_leaves_the_text_and_says_what_to_do(self, comfy, node, wire):
        wire.script("*", ANSWER)
        comfy.page.route("**/quillwork/enhance", lambda route: route.abort())
        try:
            beside = open_beside(comfy, node)
            press(beside, "Enhance")
            beside.get_by_text("ComfyUI is not responding.").wait_for()
        finally:
            comfy.page.unroute("**/quillwork/enhance")
            comfy.forgive("net::ERR_FAILED")
        assert comfy.widget(node, "text") == "a fox"
        press(beside, "Enhance")
        wait_text(comfy, node, ANSWER)

    def test_empty_field_is_told(self, comfy, node, wire):
        comfy.set(node, "text", "  ")
        beside = open_beside(comfy, node)
        press(beside, "Enhance")
        beside.get_by_text("Enter an idea first").wait_for()
        assert wire.calls() == []


class TestGoingBack:
    def test_escape_stops_and_brings_the_text_back(self, comfy, node, wire):
        wire.script("*", ANSWER)
        with model(comfy, "fox-babble-gap50"):
            beside = open_beside(comfy, node)
            press(beside, "Enhance")
            comfy.page.wait_for_function(
                "(id) => app.graph.getNodeById(id).widgets[0].value.startsWith('snow 0 snow 1')", arg=node
            )
            comfy.page.keyboard.press("Escape")
            beside.get_by_text("Your text is unchanged").wait_for()
            wire.wait_disconnects()
        assert comfy.widget(node, "text") == "a fox"
        assert comfy.text_field(node).input_value() == "a fox"
        comfy.page.keyboard.press("Escape")
        beside.wait_for(state="detached")

    def test_undo_redo_and_history(self, comfy, node, wire):
        wire.script("*", ["the first text", "the second text"])
        beside = open_beside(comfy, node)
        press(beside, "Enhance")
        wait_text(comfy, node, "the first text")
        beside.get_by_role("button", name="Undo").click()
        wait_text(comfy, node, "a fox")
        assert comfy.text_field(node).input_value() == "a fox"
        press(beside, "Redo")
        wait_text(comfy, node, "the first text")
        press(beside, "Enhance")
        wait_text(comfy, node, "the second text")
        finished(beside)
        # The text is there again for the same field, and only for that one.
        comfy.page.keyboard.press("Escape")
        beside = open_beside(comfy, node)
        beside.get_by_text("History").click()
        assert beside.locator(".quillwork-past button").all_inner_texts() == [
            "a fox",
            "the first text",
            "the second text",
        ]
        beside.locator(".quillwork-past button").first.click()
        wait_text(comfy, node, "a fox")
        other = comfy.add("TestpackLines", (700, 160), text="an owl")
        comfy.page.keyboard.press("Escape")
        beside = open_beside(comfy, other)
        assert beside.get_by_text("History").is_hidden()

    def test_another_workflow_ends_it(self, comfy, wire):
        node = comfy.add("TestpackLines", text="a fox")
        open_beside(comfy, node)
        comfy.new_workflow()
        comfy.page.locator(BESIDE).wait_for(state="detached")


class TestWays:
    def test_menu_of_the_node(self, comfy, node):
        items = comfy.of(node, "app.collectNodeMenuItems(node).filter(Boolean).map((one) => one.content)")
        assert items.count("Enhance “text”") == 1
        comfy.of(
            node,
            "app.collectNodeMenuItems(node).find((one) => one?.content === 'Enhance “text”').callback()",
        )
        comfy.page.locator(BESIDE).wait_for()

    def test_shortcut_in_the_field(self, comfy, node):
        comfy.text_field(node).focus()
        comfy.page.keyboard.press("Alt+q")
        comfy.page.locator(BESIDE).wait_for()
        assert comfy.widget(node, "text") == "a fox"

    def test_command_for_the_selected_node(self, comfy, node):
        comfy.of(node, "void app.canvas.selectNode(node)")
        comfy.command("Quillwork.Enhance")
        comfy.page.locator(BESIDE).wait_for()

    def test_linked_text_and_answers_have_none(self, comfy, node):
        quill = comfy.add("QuillworkEnhancePrompt", (120, 500), prompt="a fox")
        names = comfy.of(quill, "app.collectNodeMenuItems(node).filter(Boolean).map((one) => one.content)")
        assert [name for name in names if name.startswith("Enhance")] == [
            "Enhance “prompt”",
            "Enhance “instruction”",
        ]
        comfy.link(quill, 0, node, comfy.of(node, "node.inputs.findIndex(({name}) => name === 'text')"))
        names = comfy.of(node, "app.collectNodeMenuItems(node).filter(Boolean).map((one) => one.content)")
        assert [name for name in names if name.startswith("Enhance")] == []


def test_by_keyboard_alone(comfy, node, wire):
    wire.script("*", ANSWER)
    comfy.text_field(node).focus()
    comfy.page.keyboard.press("Alt+q")
    beside = comfy.page.locator(BESIDE)
    beside.wait_for()
    assert beside.get_attribute("role") == "dialog"
    assert comfy.page.locator(f"#{beside.get_attribute('aria-labelledby')}").inner_text() == "Enhance “text”"
    # The focus stays inside, whichever way it goes.
    for key in ["Tab"] * 8 + ["Shift+Tab"] * 8:
        comfy.page.keyboard.press(key)
        assert comfy.page.evaluate("() => !!document.activeElement.closest('.quillwork-beside')")
    beside.get_by_label("Instruction").focus()
    comfy.page.keyboard.press("Enter")
    wait_text(comfy, node, ANSWER)
    finished(beside)
    comfy.page.keyboard.press("Escape")
    beside.wait_for(state="detached")
    assert comfy.page.evaluate("() => document.activeElement.tagName") == "TEXTAREA"

"""The length of a text for its target: the meter in its field, and having the text shortened."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser

METER = ".quillwork-meter"
LONG = "a red fox in the snow, <lora:fox:0.8>, " + "long golden light over the quiet hills, " * 20


@pytest.fixture
def node(comfy):
    yield comfy.enhance("a red fox", target="illustrious")
    for _ in range(2):
        comfy.page.keyboard.press("Escape")
    comfy.page.locator(".quillwork-beside").wait_for(state="detached")


def shown(comfy, text):
    comfy.page.locator(METER, has_text=re.compile(text)).wait_for()


def test_it_counts_in_chunks_of_clip(comfy, node):
    comfy.text_field(node).click()
    shown(comfy, r"^~?3/75$")
    comfy.page.keyboard.press("End")
    comfy.page.keyboard.insert_text(" in the snow" + ", long golden light over the hills" * 12)
    shown(comfy, r"^~?\d{2}/150Shorten to fit$")
    comfy.set(node, "target", "flux1_dev")
    comfy.page.keyboard.type(".")
    shown(comfy, r"^~?\d{2,3}/512$")


def test_shortening_asks_the_model_and_keeps_what_is_the_users(comfy, node, wire):
    wire.script("*", "a red fox in the snow, golden light, quiet hills")
    comfy.set(node, "prompt", LONG)
    comfy.text_field(node).click()
    comfy.page.locator(METER).get_by_role("button", name="Shorten to fit").click()
    comfy.page.wait_for_function(
        "([id, text]) => app.graph.getNodeById(id).widgets[0].value.includes(text)",
        # What is the user's comes back at the end, behind all that is shown on the way.
        arg=[node, "<lora:fox:0.8>, golden light, quiet hills"],
    )
    assert "at most 75 tokens" in wire.calls()[0].body.decode()
    shown(comfy, r"^~?\d{2}/75$")


@pytest.mark.parametrize("renderer", ["canvas"], scope="session")
def test_without_a_model_the_text_stays(comfy, node):
    comfy.set(node, "prompt", LONG)
    comfy.set(node, "llm_mode", "phrasebook")
    comfy.text_field(node).click()
    comfy.page.locator(METER).get_by_role("button", name="Shorten to fit").click()
    comfy.page.get_by_text("Shortening needs a language model.").wait_for()
    assert comfy.widget(node, "prompt") == LONG

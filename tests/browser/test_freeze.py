"""The freeze switch: the last answer is kept, the seed holds still, and nothing is touched unasked."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.browser

CONTROL = "node.widgets.find((one) => one.name === 'seed').linkedWidgets[0].value"


def test_freezing_fills_the_answer_and_calls_nothing(comfy, wire):
    wire.script("*", "the first text")
    node = comfy.enhance()
    comfy.run()
    comfy.switch(node, "freeze", True)
    assert json.loads(comfy.widget(node, "frozen")) == {"prompt": ["the first text"], "negative": [""]}
    assert comfy.run()[0] == "execution_success"
    assert comfy.shown(node) == "the first text"
    assert len(wire.calls()) == 1


def test_edited_text_is_answered_and_stays(comfy, wire):
    wire.script("*", ["the first text", "the second text"])
    node = comfy.enhance()
    comfy.run()
    comfy.switch(node, "freeze", True)
    comfy.set(node, "frozen", "my own words")
    comfy.run()
    assert comfy.shown(node) == "my own words"
    comfy.switch(node, "freeze", False)
    comfy.run()
    comfy.switch(node, "freeze", True)
    assert comfy.widget(node, "frozen") == "my own words"


def test_our_own_text_is_replaced_by_the_newer_answer(comfy, wire):
    wire.script("*", ["the first text", "the second text"])
    node = comfy.enhance()
    comfy.run()
    comfy.switch(node, "freeze", True)
    comfy.switch(node, "freeze", False)
    before = comfy.widget(node, "frozen")
    comfy.set(node, "seed", 7)
    comfy.run()
    assert comfy.widget(node, "frozen") == before
    comfy.switch(node, "freeze", True)
    assert json.loads(comfy.widget(node, "frozen"))["prompt"] == ["the second text"]


def test_seed_holds_still_meanwhile(comfy, wire):
    wire.script("*", "a text")
    node = comfy.enhance()
    comfy.of(
        node, "void (node.widgets.find((one) => one.name === 'seed').linkedWidgets[0].value = 'increment')"
    )
    comfy.run()
    assert comfy.widget(node, "seed") == 1
    comfy.switch(node, "freeze", True)
    assert comfy.of(node, CONTROL) == "fixed"
    comfy.run()
    assert comfy.widget(node, "seed") == 1
    workflow = comfy.saved()
    comfy.new_workflow()
    comfy.load(workflow)
    comfy.switch(node, "freeze", False)
    assert comfy.of(node, CONTROL) == "increment"


def test_before_the_first_run_there_is_nothing_to_freeze(comfy):
    node = comfy.enhance()
    comfy.switch(node, "freeze", True)
    assert comfy.widget(node, "frozen") == ""
    assert comfy.note(node)[0] == "Run once before freezing."
    comfy.switch(node, "freeze", False)
    assert comfy.note(node)[0] == ""


def test_the_switch_itself(comfy, wire):
    """Click with the mouse, so that each renderer's own way to a widget's callback is in the test."""
    comfy.needs((1, 43), "its switches lie elsewhere than click_widget looks for them")
    wire.script("*", "the first text")
    node = comfy.enhance()
    comfy.run()
    comfy.click_widget(node, "freeze")
    assert comfy.widget(node, "freeze") is True
    assert json.loads(comfy.widget(node, "frozen"))["prompt"] == ["the first text"]

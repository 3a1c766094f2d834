"""LLM Chat in the page: its answer while it is written, lists, its workflow, and the yes to a tool."""

from __future__ import annotations

import json

import pytest
from host.process import REPOSITORY
from wire.answers import Answer

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("own_pages")]

ANSWER = "a red fox in fresh snow, low golden light, quiet woods, long shadows, soft focus"


def test_the_answer_grows_and_goes_into_the_next_chat(comfy, wire):
    wire.script("*", [ANSWER, "an owl"])
    first = comfy.add("QuillworkChat", prompt="name an animal", llm_model="fox-gap80")
    second = comfy.add("QuillworkChat", (620, 160), prompt="another")
    comfy.link(first, 1, second, comfy.of(second, "node.findInputSlot('history')"))
    assert comfy.panels().first.get_attribute("placeholder") == "The answer appears here as it is written."
    comfy.start()
    comfy.wait(
        "() => { const text = document.querySelector('.quillwork-text').value; "
        "return text.startsWith('a red fox') && !text.endsWith('focus'); }"
    )
    assert comfy.wait_end()[0] == "execution_success"
    assert (comfy.shown(first), comfy.shown(second)) == (ANSWER, "an owl")
    assert comfy.of(second, "node.properties.quillwork.texts") == ["an owl"]


def test_a_list_of_prompts_is_shown_as_one(comfy, wire):
    wire.script("*", lambda body: f"on {body['messages'][-1]['content']}")
    lines = comfy.add("TestpackLines", text="one\ntwo")
    node = comfy.add("QuillworkChat", (620, 160))
    comfy.link(lines, 0, node, comfy.of(node, "node.findInputSlot('prompt')"))
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    assert comfy.shown(node) == "1. on one\n\n2. on two"


def test_the_refining_loop_opens_and_runs(comfy, wire):
    said = [
        "a lighthouse keeper reads by the window",
        "the keeper reads by lamplight",
        "a wet night and a cat",
    ]
    wire.script("*", said)
    comfy.load(json.loads((REPOSITORY / "workflows" / "chat_refine_loop.json").read_text("utf-8")))
    unknown = "(one) => one.has_errors || !one.constructor.nodeData"
    found = comfy.page.evaluate(f"() => app.rootGraph.nodes.filter({unknown}).map((one) => one.type)")
    assert set(found) <= {"MarkdownNote"}
    assert comfy.page.get_by_text("Some Nodes Are Missing").count() == 0
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    assert [comfy.shown(node) for node in ("2", "3", "4")] == said


def test_a_tool_that_writes_asks_once(comfy, wire):
    call = Answer(
        calls=[("a", "variables-add", '{"name": "season", "values": ["frost"]}')], finish="tool_calls"
    )
    wire.script("*", [call, "added"])
    node = comfy.add("QuillworkChat", prompt="add one", tools="variables.add")
    assert comfy.run()[0] == "execution_error"
    dialog = comfy.page.get_by_role("dialog").filter(has_text="Allow this on this machine?")
    assert "add values to the files in your library" in dialog.inner_text()
    assert wire.calls() == []
    comfy.page.evaluate("() => { window.ends.length = 0; }")
    dialog.get_by_role("button", name="Confirm").click()
    comfy.page.get_by_role("dialog").filter(has_text="Run again?").get_by_role(
        "button", name="Confirm"
    ).click()
    assert comfy.wait_end()[0] == "execution_success"
    assert comfy.shown(node) == "added"
    assert "frost" in (comfy.host.quillwork_home / "library" / "season.txt").read_text("utf-8")

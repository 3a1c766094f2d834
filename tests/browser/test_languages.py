"""The nodes and their help pages in another language than English."""

from __future__ import annotations

import pytest
from locales.translations import read

pytestmark = pytest.mark.browser

KIND = "QuillworkResolveVariables"
# The frontend fetches a language while it opens, and does not wait for it.
TRANSLATED = f"() => LiteGraph.createNode('{KIND}').widgets[0].label !== 'template'"


@pytest.fixture(params=["zh", "ko"])
def page(request, _browser, host_factory):
    """(language, a page of a host of its own that is set to it)"""
    from browser.comfy_page import ComfyPage

    host = host_factory({"LLM_MODE": "phrasebook"}, fresh=True)
    assert host.post("/settings/Comfy.Locale", json=request.param).status == 200
    comfy = ComfyPage(_browser, host, "nodes2")
    comfy.page.wait_for_function(TRANSLATED, polling=200)
    comfy.new_workflow()
    yield request.param, comfy
    comfy.close()


def test_node_and_its_help(page):
    language, comfy = page
    said = read(language, "nodeDefs")[KIND]
    node = comfy.add(KIND)
    labels = comfy.of(node, "Object.fromEntries(node.widgets.map(({name, label}) => [name, label]))")
    labels |= comfy.of(node, "Object.fromEntries(node.inputs.map((one) => [one.name, one.localized_name]))")
    assert {name: labels[name] for name in said["inputs"]} == {
        name: one["name"] for name, one in said["inputs"].items()
    }
    outputs = comfy.of(node, "node.outputs.map((one) => one.localized_name)")
    assert outputs == [one["name"] for one in said["outputs"].values()]
    found = comfy.page.evaluate("async (kind) => (await app.getNodeDefs())[kind]", KIND)
    assert found["display_name"] == said["display_name"]
    assert "__season__, {dawn|dusk}" in found["description"]

    comfy.of(node, "void app.canvas.selectNode(node)")
    comfy.page.locator("[data-testid=info-button]").click()
    help_page = comfy.page.locator(".node-help-content")
    # Korean has no page of its own: the English one.
    title = said["display_name"] if language == "zh" else "Resolve Variables"
    help_page.locator("h1").get_by_text(title, exact=True).wait_for()
    comfy.wait("() => document.querySelector('.node-help-content img')?.naturalWidth > 100")
    assert [fault for fault in comfy.faults if f"{KIND}/{language}.md" not in fault] == []
    assert comfy.foreign == []


def test_what_is_not_on_a_node(_browser, host_factory):  # noqa: PT019
    from browser.comfy_page import ComfyPage

    host = host_factory({"LLM_MODE": "phrasebook"}, fresh=True)
    assert host.post("/settings/Comfy.Locale", json="zh").status == 200
    comfy = ComfyPage(_browser, host, "nodes2")
    said, rows = read("zh", "main")["quillwork"], read("zh", "settings")
    try:
        comfy.page.wait_for_function(TRANSLATED, polling=200)
        comfy.new_workflow()
        node = comfy.add(KIND, template="a fox")
        assert comfy.panels().get_attribute("placeholder") == said["node"]["prompts"]
        settings = comfy.open_settings()
        for row in rows.values():
            settings.get_by_text(row["name"], exact=True).first.wait_for(state="attached")
        settings.get_by_role("button", name=said["settings"]["choose"]).click()
        comfy.page.get_by_role("heading", name=said["setup"]["title"]).wait_for()
        comfy.page.get_by_text(said["setup"]["phrasebook"], exact=True).wait_for()
        comfy.page.keyboard.press("Escape")
        comfy.page.keyboard.press("Escape")
        menu = comfy.of(node, "app.collectNodeMenuItems(node).filter(Boolean).map((one) => one.content)")
        label = comfy.of(node, "node.widgets[0].label")
        assert said["enhance"]["menuOf"].replace("{name}", label) in menu
    finally:
        comfy.close()
    assert comfy.faults == []
    assert comfy.foreign == []

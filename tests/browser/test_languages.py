"""The nodes and their help pages in another language than English."""

from __future__ import annotations

from pathlib import Path

import pytest
from locales.translations import read

DOCS = Path(__file__).resolve().parents[2] / "web" / "docs"
pytestmark = pytest.mark.browser

KIND = "QuillworkResolveVariables"
# The frontend fetches a language while it opens, and does not wait for it.
TRANSLATED = f"(said) => LiteGraph.createNode('{KIND}').widgets[1].label === said"


def wait_for(comfy, language: str) -> None:
    said = read(language, "nodeDefs")[KIND]["inputs"]["selection"]["name"]
    comfy.page.wait_for_function(TRANSLATED, arg=said, polling=200)


@pytest.fixture(params=["zh", "ko", "zh-TW", "ru", "pt-BR"])
def page(request, _browser, host_factory):
    """Return (language, a page of a host of its own that is set to it)."""
    from browser.comfy_page import ComfyPage

    host = host_factory({"LLM_MODE": "phrasebook"}, fresh=True)
    assert host.post("/settings/Comfy.Locale", json=request.param).status == 200
    comfy = ComfyPage(_browser, host, "nodes2")
    wait_for(comfy, request.param)
    comfy.new_workflow()
    yield request.param, comfy
    comfy.close()


def test_node_and_its_help(page):
    language, comfy = page
    said = read(language, "nodeDefs")[KIND]
    node = comfy.add(KIND)
    labels = comfy.of(node, "Object.fromEntries(node.widgets.map(({name, label}) => [name, label]))")
    labels |= comfy.of(node, "Object.fromEntries(node.inputs.map((one) => [one.name, one.localized_name]))")
    # Of `values` the frontend makes sockets with numbers, and translates none of them.
    inputs = {name: one["name"] for name, one in said["inputs"].items() if name != "values"}
    assert {name: labels[name] for name in inputs} == inputs
    outputs = comfy.of(node, "node.outputs.map((one) => one.localized_name)")
    assert outputs == [one["name"] for one in said["outputs"].values()]
    comfy.page.locator(f"[data-node-id='{node}']").get_by_text(said["display_name"]).first.hover()
    comfy.page.get_by_text("__season__, {dawn|dusk}").first.wait_for()

    comfy.of(node, "void app.canvas.selectNode(node)")
    comfy.page.locator("[data-testid=info-button]").click()
    help_page = comfy.page.locator(".node-help-content")
    # A language without pages of its own, as Korean, gets the English ones.
    translated = (DOCS / KIND / f"{language}.md").exists()
    assert translated == (language != "ko")
    title = said["display_name"] if translated else "Resolve Variables"
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
        wait_for(comfy, "zh")
        comfy.new_workflow()
        node = comfy.add(KIND, template="a fox")
        assert comfy.panels().get_attribute("placeholder") == said["node"]["prompts"]
        settings = comfy.open_settings()
        for row in rows.values():
            settings.get_by_text(row["name"], exact=True).first.wait_for(state="attached")
        settings.get_by_role("button", name=said["settings"]["choose"]).click()
        comfy.page.get_by_role("heading", name=said["setup"]["title"]).wait_for()
        comfy.page.get_by_text(said["setup"]["withoutModel"], exact=True).wait_for()
        comfy.page.keyboard.press("Escape")
        comfy.page.keyboard.press("Escape")
        menu = comfy.of(node, "app.collectNodeMenuItems(node).filter(Boolean).map((one) => one.content)")
        label = comfy.of(node, "node.widgets[0].label")
        assert said["enhance"]["menuOf"].replace("{name}", label) in menu
    finally:
        comfy.close()
    assert comfy.faults == []
    assert comfy.foreign == []


@pytest.mark.parametrize(("locale", "language"), [("pt-BR", "pt-BR"), ("de-DE", "en")])
def test_who_chose_no_language_gets_the_browsers(_browser, host_factory, locale, language):  # noqa: PT019
    """The host has no German: a half-German page would claim that it had."""
    from browser.comfy_page import ComfyPage

    host = host_factory({"LLM_MODE": "phrasebook"}, fresh=True)
    comfy = ComfyPage(_browser, host, "nodes2", locale=locale)
    try:
        if language != "en":
            wait_for(comfy, language)
        comfy.new_workflow()
        node = comfy.add(KIND)
        said = read(language, "nodeDefs").get(KIND, {"display_name": "Resolve Variables"})
        assert comfy.of(node, "node.title") == said["display_name"]
        settings = comfy.open_settings()
        settings.get_by_text(
            read(language, "settings")["Quillwork_Model_Mode"]["name"], exact=True
        ).wait_for()
        settings.get_by_role(
            "button", name=read(language, "main")["quillwork"]["settings"]["choose"]
        ).wait_for()
    finally:
        comfy.close()
    assert comfy.faults == []

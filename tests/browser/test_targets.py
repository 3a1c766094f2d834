"""The list of targets: labels for the reader, ids in the workflow, and a search that finds both."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

LABELS = "node.constructor.nodeData.input.required.target[1].quillwork_labels"


@pytest.fixture
def node(comfy):
    return comfy.enhance()


def test_label_is_shown_and_the_id_is_sent(comfy, node):
    labels = comfy.of(node, LABELS)
    assert len(labels) > 10
    comfy.set(node, "target", "sdxl")
    assert comfy.of(node, "node.widgets.find((one) => one.name === 'target')._displayValue") == labels["sdxl"]
    if comfy.renderer == "nodes2":
        comfy.needs((1, 43), "Nodes 2.0 shows a choice by its value")
        assert comfy.page.get_by_text(labels["sdxl"]).first.is_visible()
    assert comfy.prompt()[node]["inputs"]["target"] == "sdxl"


def test_target_of_another_computer_shows_its_id(comfy, node):
    comfy.set(node, "target", "elsewhere")
    assert comfy.of(node, "node.widgets.find((one) => one.name === 'target')._displayValue") == "elsewhere"


def test_search_by_label(comfy, node):
    comfy.needs((1, 43), "its lists have a search of another kind")
    label = comfy.of(node, LABELS)["sdxl"]
    comfy.click_widget(node, "target")
    if comfy.renderer == "canvas":
        search = comfy.page.locator(".comfy-context-menu-filter")
        entries = comfy.page.locator(".litecontextmenu .litemenu-entry:visible")
    else:
        search = comfy.page.locator(
            "[role=dialog] input, [role=listbox] input, [data-reka-popper-content-wrapper] input"
        )
        entries = comfy.page.locator("[role=option]:visible")
    before = entries.count()
    search.first.fill(label.split(" › ")[1])
    comfy.page.wait_for_timeout(200)
    assert 0 < entries.count() < before
    entries.filter(has_text=label).first.click()
    assert comfy.widget(node, "target") == "sdxl"


def test_refreshed_lists_bring_new_labels(comfy, node):
    folder = comfy.host.quillwork_home / "targets"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("label: My own\ngroup: Mine\nguide: A short sentence.\n")
    comfy.page.evaluate("() => app.refreshComboInNodes()")
    comfy.set(node, "target", "mine")
    shown = comfy.of(node, "node.widgets.find((one) => one.name === 'target')._displayValue")
    assert shown == "Mine › My own"

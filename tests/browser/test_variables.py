"""The sidebar's variables: edit, more from the model, each kept or dropped, delete after asking."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

MARKUP = "<b onmouseover=window.pwned=1>bun</b>"


@pytest.fixture
def library(comfy):
    folder = comfy.host.quillwork_home / "library"
    (folder / "hair").mkdir(parents=True)
    (folder / "season.txt").write_text("spring\nsummer\n", "utf-8")
    (folder / "hair" / "style.txt").write_text(f"bob\n{MARKUP}\n", "utf-8")
    return folder


@pytest.fixture
def panel(comfy, library):
    comfy.command("Quillwork.Variables")
    panel = comfy.page.locator(".quillwork-panel")
    panel.locator(".quillwork-entry").first.wait_for()
    yield panel
    comfy.page.evaluate("() => { app.extensionManager.sidebarTab.activeSidebarTabId = null; }")
    panel.wait_for(state="detached")


def open_one(panel, name):
    panel.locator(f"[data-name='{name}']").click()
    values = panel.get_by_label("Values, one per line")
    panel.page.wait_for_function("() => document.querySelector('.quillwork-values').value")
    return values


def press(panel, name):
    panel.get_by_role("button", name=name, exact=True).click()


def answer(comfy, yes):
    """Answer the host's own question as the user would."""
    box = comfy.page.get_by_role("dialog")
    box.wait_for()
    (box.get_by_role("button", name="Delete") if yes else box.get_by_role("button", name="Cancel")).click()
    box.wait_for(state="detached")


def test_list_and_search(comfy, panel):
    assert panel.locator(".quillwork-entry-name").all_inner_texts() == ["__hair/style__", "__season__"]
    assert panel.locator("[data-name=season] .quillwork-count").inner_text() == "2"
    panel.get_by_label("Search variables").fill("hair")
    assert panel.locator(".quillwork-entry-name").all_inner_texts() == ["__hair/style__"]


def test_view_and_edit(comfy, panel, library):
    values = open_one(panel, "hair/style")
    assert values.input_value() == f"bob\n{MARKUP}"
    assert panel.get_by_role("button", name="Save").is_disabled()
    values.fill(f"bob\n\n  {MARKUP}\npixie cut")
    press(panel, "Save")
    panel.get_by_text("Saved.").wait_for()
    written = (library / "hair" / "style.txt").read_text("utf-8")
    assert written.splitlines()[-3:] == ["bob", MARKUP, "pixie cut"]
    assert comfy.page.evaluate("() => window.pwned") is None
    press(panel, "Back")
    panel.locator("[data-name='hair/style'] .quillwork-count").get_by_text("3").wait_for()


def test_more_from_the_model_kept_and_dropped(comfy, panel, library, wire):
    wire.script("*", '{"values": ["autumn", "<i>fog</i>", "polar night"]}')
    open_one(panel, "season")
    panel.get_by_label("Number of values").fill("3")
    panel.get_by_label("Guidance").fill("cold ones")
    press(panel, "Generate")
    offers = panel.locator(".quillwork-offers label")
    offers.first.wait_for()
    assert offers.all_inner_texts() == ["autumn", "<i>fog</i>", "polar night"]
    assert "cold ones" in wire.calls()[-1].body.decode()
    assert "spring" in wire.calls()[-1].body.decode()
    offers.nth(1).click()
    press(panel, "Keep 2")
    panel.get_by_text("Saved.").wait_for()
    assert (library / "season.txt").read_text("utf-8").split("\n")[:4] == [
        "spring",
        "summer",
        "autumn",
        "polar night",
    ]
    assert offers.count() == 0


def test_new_variable(comfy, panel, library):
    press(panel, "New")
    panel.get_by_label("Name", exact=True).fill("weather")
    panel.get_by_label("Values, one per line").fill("rain\nfog")
    press(panel, "Save")
    panel.get_by_text("Saved.").wait_for()
    assert (library / "weather.txt").read_text("utf-8").split() == ["rain", "fog"]


def test_wrong_name_is_told(comfy, panel, library):
    press(panel, "New")
    panel.get_by_label("Name", exact=True).fill("../outside")
    panel.get_by_label("Values, one per line").fill("rain")
    press(panel, "Save")
    panel.locator("[role=status][data-state=bad]").wait_for()
    assert panel.get_by_label("Values, one per line").input_value() == "rain"
    for status in ("400", "404", "405"):
        comfy.forgive(f"status of {status}")


def test_delete_after_asking(comfy, panel, library):
    open_one(panel, "season")
    press(panel, "Delete …")
    answer(comfy, yes=False)
    assert (library / "season.txt").exists()
    press(panel, "Delete …")
    answer(comfy, yes=True)
    panel.locator(".quillwork-entry").first.wait_for()
    assert panel.locator(".quillwork-entry-name").all_inner_texts() == ["__hair/style__"]
    assert not (library / "season.txt").exists()


def test_change_from_elsewhere_is_not_overwritten(comfy, panel, library):
    values = open_one(panel, "season")
    (library / "season.txt").write_text("monsoon\n", "utf-8")
    values.fill("spring")
    press(panel, "Save")
    panel.locator("[role=status][data-state=bad]").wait_for()
    assert (library / "season.txt").read_text("utf-8") == "monsoon\n"
    comfy.forgive("status of 400")


def test_unsaved_change_is_asked_about(comfy, panel):
    values = open_one(panel, "season")
    values.fill("spring")
    press(panel, "Back")
    box = comfy.page.get_by_role("dialog")
    box.get_by_text("have not been saved").wait_for()
    box.get_by_role("button", name="Cancel").click()
    box.wait_for(state="detached")
    assert values.input_value() == "spring"

"""Completion of tags in the text fields of the tab and the accordion."""

from __future__ import annotations

import pytest
from interfaces.sdwebui.tab.test_page import Tab

TABLE = """\
1girl,0,6008644,"1girls,sole_female"
long_hair,0,4350743,"/lh,longhair"
long_sleeves,0,1568684,long_sleeve
pantyhose,0,528923,"panty_hose,tights"
saber_(fate),4,17258,
wlop,1,5000,
"""
LIST = ".quillwork-suggestions"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    (folder / "tags").mkdir()
    (folder / "tags" / "danbooru.csv").write_text(TABLE, "utf-8")
    return folder


@pytest.fixture
def page(webui_factory, open_page, home):
    """Open the page of a web UI whose user has a tag table."""
    return open_page(webui_factory({"LLM_MODE": "phrasebook", "QUILLWORK_HOME": str(home)}))


def options(page):
    page.page.locator(LIST).wait_for()
    return page.page.locator(f"{LIST} [role=option]").all_inner_texts()


def closed(page):
    page.page.locator(LIST).wait_for(state="detached")


@pytest.fixture
def described(page):
    """Enter the text that is described for Illustrious."""
    tab = Tab(page, "Describe image")
    tab.pick("describe_target", "Illustrious")
    page.field("quillwork_description").click()
    return tab


def test_a_tag_is_found_by_name_and_alias_and_put_in_by_the_keyboard(page, described):
    keyboard = page.page.keyboard
    keyboard.type("long")
    assert options(page) == ["long hair\n4.4M", "long sleeves\n1.6M"]
    keyboard.press("Tab")
    described.holds("description", "long hair, ")
    closed(page)
    keyboard.type("tig")
    assert options(page) == ["tights → pantyhose\n529K"]
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    described.holds("description", "long hair, pantyhose, ")
    keyboard.type("(sab")
    options(page)
    keyboard.press("Escape")
    closed(page)
    described.holds("description", "long hair, pantyhose, (sab")
    described.press("send_txt2img")
    page.wait("() => document.querySelector('#txt2img_prompt textarea').value.endsWith('pantyhose, (sab')")


def test_a_bracket_of_a_name_is_written_as_the_target_reads_it(page, described):
    page.page.keyboard.type("(sab")
    assert options(page) == ["saber (fate)\n17K"]
    page.page.locator(f"{LIST} [role=option]").click()
    described.holds("description", r"(saber \(fate\)")


def test_nothing_while_an_input_method_composes(page, described):
    page.page.keyboard.type("lon")
    options(page)
    session = page.page.context.new_cdp_session(page.page)
    session.send("Input.imeSetComposition", {"text": "g", "selectionStart": 1, "selectionEnd": 1})
    closed(page)
    session.send("Input.insertText", {"text": "g"})
    assert options(page) == ["long hair\n4.4M", "long sleeves\n1.6M"]


def test_only_for_a_target_that_knows_tags(page, described):
    keyboard = page.page.keyboard
    for target in ("a description", "FLUX.2 dev", "auto"):
        described.pick("describe_target", target)
        page.field("quillwork_description").fill("")
        page.field("quillwork_description").click()
        keyboard.type("long")
        page.page.wait_for_timeout(600)
        closed(page)
    described.pick("describe_target", "NoobAI")
    page.field("quillwork_description").click()
    keyboard.type(" sl")
    assert options(page) == ["long sleeves\n1.6M"]


def test_auto_is_what_the_settings_page_and_the_checkpoint_say_now(page, described):
    set_option(page, quillwork_target="Illustrious XL")
    try:
        described.go_to("Variables")
        page.field("quillwork_library_values").click()
        page.page.keyboard.type("dusk\nwl")
        assert options(page) == ["wlop\n5K"]
        page.page.keyboard.press("Tab")
        described.holds("library_values", "dusk\nwlop")
        set_option(page, quillwork_target="FLUX.2 dev")
        page.field("quillwork_variable_context").click()
        page.page.wait_for_timeout(1000)
        page.page.keyboard.type("long")
        page.page.wait_for_timeout(600)
        closed(page)
    finally:
        set_option(page, quillwork_target="auto")


def set_option(page, **values):
    assert page.webui.request("POST", "/sdapi/v1/options", values).status == 200


def test_an_instruction_in_the_accordion_and_not_the_hosts_own_box(page):
    page.open_accordion()
    page.choose(page.script("target"), "Illustrious XL")
    field = page.script("instruction").locator("textarea")
    field.click()
    page.page.keyboard.type("she has pant")
    assert options(page) == ["pantyhose\n529K"]
    page.page.keyboard.press("Escape")
    page.prompt().click()
    page.page.keyboard.type("pant")
    page.page.wait_for_timeout(600)
    closed(page)


def test_not_where_tagcomplete_does_it(page, described):
    field = page.field("quillwork_description")
    field.evaluate("(field) => field.classList.add('autocomplete')")
    field.click()
    page.page.keyboard.type("long")
    page.page.wait_for_timeout(1500)
    closed(page)
    page.field("quillwork_describe_instruction").click()
    page.page.keyboard.type("long")
    options(page)


def test_switched_off_on_the_settings_page_it_is_silent(page):
    set_option(page, quillwork_tags=False)
    try:
        tab = Tab(page, "Describe image")
        tab.pick("describe_target", "Illustrious")
        page.field("quillwork_description").click()
        page.page.keyboard.type("long")
        page.page.wait_for_timeout(1500)
        closed(page)
    finally:
        set_option(page, quillwork_tags=True)


def test_nothing_is_loaded_before_one_of_our_fields_is_entered(page):
    asked = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.open()
    page.prompt().click()
    page.page.keyboard.type("long")
    page.page.wait_for_timeout(300)
    assert [url for url in asked if "/web/" in url] == []
    assert any("quillwork_tags.mjs" in url for url in asked)


def test_a_browsers_old_copies_are_looked_at_again(page, described):
    """A module's address is the same in the next version: what the browser has of it is not run unasked."""
    asked = []
    page.page.on("request", lambda request: asked.append(request))
    page.open()
    tab = Tab(page, "Describe image")
    page.field("quillwork_description").click()
    page.page.keyboard.type("l")
    page.wait(
        "() => document.querySelector('#quillwork_description textarea').getAttribute('role') === 'combobox'"
    )
    modules = [request for request in asked if "/web/" in request.url]
    names = {request.url.split("/web/")[1] for request in modules}
    again = {
        request.url.split("/web/")[1]
        for request in modules
        if request.all_headers().get("cache-control") == "max-age=0"
    }
    assert again == names
    assert tab.value("description") == "l"

"""Enhance now, as a user meets it on the page."""

from __future__ import annotations

import pytest

WRITTEN = "a red fox in fresh snow"
IDEA = "a fox in the snow"


class Buttons:
    """The three buttons and the status of one tab."""

    def __init__(self, page, tab="txt2img"):
        self.page, self.tab = page, tab
        page.open_accordion(tab=tab)
        find = page.page.locator
        self.begin, self.stop, self.undo = (
            find(f"#quillwork_{tab}_{name}") for name in ("enhance", "stop", "undo")
        )

    def prompt_is(self, text):
        self.page.wait(
            "([tab, text]) => document.querySelector(`#${tab}_prompt textarea`).value === text",
            [self.tab, text],
        )

    def status_has(self, words):
        self.page.wait(
            "([tab, words]) => document.querySelector(`#quillwork_${tab}_status`).innerText.includes(words)",
            [self.tab, words],
        )

    def undo_rests(self):
        self.page.wait("(tab) => document.querySelector(`#quillwork_${tab}_undo`).disabled", self.tab)

    def rest(self):
        self.begin.wait_for(state="visible")
        self.stop.wait_for(state="hidden")


@pytest.fixture
def buttons(webui_page):
    return Buttons(webui_page)


def choose_model(page, name, tab="txt2img"):
    field = page.script("model", tab).locator("input").first
    field.fill(name)
    field.press("Enter")
    field.blur()
    page.page.wait_for_timeout(300)


def counts(page, text):
    """Wait until the host has counted the tokens of `text`; a real one shows only their number."""
    if page.webui.is_real:
        page.wait(
            "() => !/^(0|\\?)\\//.test(document.querySelector('#txt2img_token_counter').innerText.trim())"
        )
    else:
        page.wait("(text) => window.counted.txt2img === text", text)


def test_the_host_counts_the_tokens_of_what_was_written(webui_page, buttons):
    webui_page.prompt().fill(IDEA)
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    counts(webui_page, WRITTEN)
    buttons.undo.click()
    buttons.prompt_is(IDEA)
    counts(webui_page, IDEA)


def test_the_prompt_is_written_into_the_box_and_undone_step_by_step(webui_page, buttons, wire):
    prompt = webui_page.prompt()
    prompt.fill(IDEA)
    buttons.undo_rests()
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    buttons.rest()
    buttons.status_has("Written by fox")
    assert IDEA in str(wire.calls()[-1].json)
    prompt.fill("an owl")
    wire.script("fox", "an owl on a branch at dusk")
    buttons.begin.click()
    buttons.prompt_is("an owl on a branch at dusk")
    buttons.rest()
    for before in ("an owl", IDEA):
        buttons.undo.click()
        buttons.prompt_is(before)
    buttons.undo_rests()


def test_words_stream_into_the_box(webui_page, buttons, wire):
    choose_model(webui_page, "fox-gap300")
    webui_page.page.evaluate(
        """() => { window.shown = []; const box = document.querySelector('#txt2img_prompt textarea');
        setInterval(() => { if (window.shown.at(-1) !== box.value) window.shown.push(box.value); }, 10); }"""
    )
    webui_page.prompt().fill(IDEA)
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    shown = webui_page.page.evaluate("window.shown")
    assert [text for text in shown if text and WRITTEN.startswith(text) and text != WRITTEN], shown


def test_what_is_the_users_own_stays(webui_page, buttons, wire):
    webui_page.prompt().fill("<lora:paint:0.8> a fox, (snow:1.3), __season__")
    buttons.begin.click()
    buttons.status_has("Written by fox")
    text = webui_page.prompt().input_value()
    assert text.startswith("<lora:paint:0.8>") and "__season__" in text and "snow:1.3" in text
    assert "lora" not in str(wire.calls()[-1].json["messages"][-1])


@pytest.mark.parametrize("way", ["button", "escape"])
def test_stop_gives_the_prompt_back(webui_page, buttons, wire, way):
    choose_model(webui_page, "fox-hang")
    webui_page.prompt().fill(IDEA)
    buttons.begin.click()
    buttons.stop.wait_for(state="visible")
    wire.wait_calls(1)
    if way == "button":
        buttons.stop.click()
    else:
        webui_page.page.keyboard.press("Escape")
    wire.wait_disconnects(1)
    buttons.rest()
    buttons.prompt_is(IDEA)
    buttons.status_has("Stopped")
    choose_model(webui_page, "fox")
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)


def test_esc_counts_before_there_is_a_stop_button(webui_page, buttons):
    choose_model(webui_page, "fox-hang")
    webui_page.prompt().fill(IDEA)
    webui_page.page.evaluate(
        """() => { document.querySelector('#quillwork_txt2img_enhance').click();
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })); }"""
    )
    buttons.status_has("Stopped")
    buttons.rest()
    buttons.prompt_is(IDEA)
    assert not buttons.stop.is_visible()


def test_an_error_is_told_beside_and_never_in_the_prompt(webui_page, buttons, wire):
    choose_model(webui_page, "fox-status401")
    webui_page.prompt().fill(IDEA)
    buttons.begin.click()
    buttons.status_has("key")
    buttons.rest()
    assert webui_page.prompt().input_value() == IDEA
    webui_page.choose(webui_page.script("target"), "Plain")
    webui_page.prompt().fill("")
    buttons.begin.click()
    buttons.status_has("The prompt is empty")
    assert webui_page.prompt().input_value() == ""


def test_markup_from_a_model_or_an_error_is_text(webui_page, buttons, wire):
    choose_model(webui_page, "<img src=x onerror=window.hit=1>")
    webui_page.prompt().fill(IDEA)
    buttons.begin.click()
    buttons.status_has("<img")
    assert webui_page.page.evaluate("window.hit") is None


def test_a_page_that_is_closed_ends_the_call(open_page, wired, wire):
    page = open_page(wired)
    buttons = Buttons(page)
    choose_model(page, "fox-hang")
    page.prompt().fill(IDEA)
    buttons.begin.click()
    wire.wait_calls(1)
    page.close()
    wire.wait_disconnects(1)


def test_two_browsers_do_not_meet(open_page, wired, wire):
    first, second = open_page(wired), open_page(wired)
    one, other = Buttons(first), Buttons(second)
    choose_model(first, "fox-hang")
    first.prompt().fill(IDEA)
    one.begin.click()
    wire.wait_calls(1)
    second.prompt().fill("an owl")
    assert not other.stop.is_visible() and other.undo.is_disabled()
    one.stop.click()
    one.rest()


def test_the_other_tab_has_its_own(webui_page, wire):
    webui_page.tab("img2img")
    buttons = Buttons(webui_page, "img2img")
    webui_page.prompt("img2img").fill(IDEA)
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    assert webui_page.prompt("txt2img").input_value() == ""


def test_the_negative_prompt_is_written_only_when_asked_for(webui_page, buttons, wire):
    wire.script("fox", f"{WRITTEN}\nNegative: blurry, low quality")
    webui_page.prompt().fill(IDEA)
    webui_page.negative().fill("hands, blurry")
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    buttons.rest()
    assert webui_page.negative().input_value() == "hands, blurry"


def test_who_also_enhances_when_generating_is_told(webui_page, buttons, wire):
    webui_page.script("enabled").locator("input").check()
    webui_page.prompt().fill(IDEA)
    buttons.begin.click()
    buttons.status_has("Generate will enhance this once more")


def test_a_page_without_a_queue_gets_it_whole(webui_factory, open_page, wire):
    host = webui_factory(
        {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, flags=("--no-gradio-queue",), fresh=True
    )
    page = open_page(host)
    buttons = Buttons(page)
    page.prompt().fill(IDEA)
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    buttons.rest()

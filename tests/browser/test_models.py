"""Suggestions in the field of a model's id: found while one types, shown as text, and never in the way."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=window.pwned=1>"
OPTIONS = ".quillwork-suggestions [role=option]:not(.quillwork-suggestion-refresh)"


@pytest.fixture
def node(comfy, wire):
    wire.models = ["fox-small", "fox-large", MARKUP]
    refresh(comfy)
    yield comfy.add("QuillworkEnhancePrompt", prompt="a fox")
    comfy.page.keyboard.press("Escape")
    comfy.page.keyboard.press("Escape")


def refresh(comfy):
    assert comfy.host.post("/quillwork/llm/models", json={}, headers={"X-Quillwork": "1"}).status == 200
    # The page asks again only after a while, or on request.
    comfy.page.evaluate(
        "async () => (await import('/extensions/quillwork/models/catalog.js')).forgetModels()"
    )


def options(comfy):
    comfy.page.locator(OPTIONS).first.wait_for()
    comfy.page.wait_for_function("() => !document.querySelector('.quillwork-suggestion-note').textContent")
    return comfy.page.locator(OPTIONS)


def test_grouped_with_badges(comfy, node):
    comfy.model_field(node)
    found = options(comfy)
    labels = found.locator(".quillwork-suggestion-label").all_inner_texts()
    assert {"fox-large", "fox-small", MARKUP} <= set(labels)
    assert found.first.locator(".quillwork-badge").inner_text() == "ready"
    group = comfy.page.locator(".quillwork-suggestions [role=group]").first
    assert group.get_attribute("aria-label")
    assert comfy.page.evaluate("() => window.pwned") is None
    assert comfy.page.locator(".quillwork-suggestions img").count() == 0


def test_typing_filters_and_enter_takes(comfy, node):
    field = comfy.model_field(node)
    options(comfy)
    assert field.get_attribute("role") == "combobox"
    assert field.get_attribute("aria-expanded") == "true"
    field.press_sequentially("LARGE f")
    found = options(comfy)
    assert found.locator(".quillwork-suggestion-label").all_inner_texts() == ["fox-large"]
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == found.first.get_attribute("id")
    assert found.first.get_attribute("aria-selected") == "true"
    field.press("Enter")
    assert comfy.page.locator(".quillwork-suggestions").count() == 0
    assert comfy.widget(node, "llm_model") == "fox-large"
    assert comfy.prompt()[node]["inputs"]["llm_model"] == "fox-large"


def test_click_takes(comfy, node):
    comfy.model_field(node)
    options(comfy).filter(has_text="fox-small").click()
    assert comfy.widget(node, "llm_model") == "fox-small"
    assert comfy.page.locator(".quillwork-suggestions, .graphdialog").count() == 0


def test_a_choice_tells_the_host_to_prepare_its_first_call(comfy, node):
    field = comfy.model_field(node)
    options(comfy)
    field.press_sequentially("fox-large")
    field.press("ArrowDown")
    with comfy.page.expect_response("**/quillwork/llm/warm-up") as told:
        field.press("Enter")
    assert told.value.request.post_data_json == {"llm_model": "fox-large"}
    # The model is an endpoint's, whose calls need no import.
    assert told.value.json() == {"begun": False}


def test_any_text_is_allowed(comfy, node):
    field = comfy.model_field(node)
    field.press_sequentially("my/own model")
    comfy.page.get_by_text("The name is used as entered").wait_for()
    field.press("Enter")
    assert comfy.widget(node, "llm_model") == "my/own model"


def test_escape_closes_only_the_list(comfy, node):
    field = comfy.model_field(node)
    options(comfy)
    field.press("Escape")
    assert comfy.page.locator(".quillwork-suggestions").count() == 0
    assert field.is_visible()
    field.press("ArrowDown")
    options(comfy)


def test_list_can_be_read_anew(comfy, node, wire):
    field = comfy.model_field(node)
    options(comfy)
    wire.models = ["owl"]
    field.press("ArrowUp")
    field.press("Enter")
    comfy.page.locator(OPTIONS).filter(has_text="owl").wait_for()


def test_silent_source_is_told_and_its_models_stay(comfy, node, wire):
    wire.models_status = 500
    refresh(comfy)
    comfy.model_field(node)
    comfy.page.locator(OPTIONS).filter(has_text="fox-large").wait_for()
    assert "500" in comfy.page.locator(".quillwork-suggestion-note").inner_text()


def test_host_that_is_gone_is_told(comfy, node):
    comfy.page.route("**/quillwork/llm/models*", lambda route: route.abort())
    try:
        field = comfy.model_field(node)
        comfy.page.get_by_text("ComfyUI is not responding.").wait_for()
        field.press_sequentially("fox")
        field.press("Enter")
        assert comfy.widget(node, "llm_model") == "fox"
    finally:
        comfy.page.unroute("**/quillwork/llm/models*")
        comfy.forgive("net::ERR_FAILED")


def test_mode_chooses_what_is_listed(comfy, node):
    comfy.set(node, "llm_mode", "gguf")
    comfy.model_field(node)
    comfy.page.locator(".quillwork-suggestion-refresh").wait_for()
    comfy.page.wait_for_timeout(300)
    assert comfy.page.locator(OPTIONS).filter(has_text="fox").count() == 0


def test_nothing_of_it_is_saved(comfy, node):
    comfy.set(node, "llm_model", "fox-small")
    typed = comfy.saved()["nodes"][0]
    comfy.set(node, "llm_model", "")
    comfy.model_field(node)
    options(comfy).filter(has_text="fox-small").click()
    chosen = comfy.saved()["nodes"][0]
    unfolding = ("size", "showAdvanced", "flags")
    assert {k: v for k, v in chosen.items() if k not in unfolding} == {
        k: v for k, v in typed.items() if k not in unfolding
    }


def test_very_long_list_is_cut_and_still_searched(comfy, node, wire):
    wire.models = [f"fox-{number}" for number in range(1500)]
    refresh(comfy)
    field = comfy.model_field(node)
    comfy.page.get_by_text("more: type to find them.").wait_for()
    assert comfy.page.locator(OPTIONS).count() == 200
    field.press_sequentially("fox-1487")
    comfy.page.wait_for_function(
        "() => document.querySelectorAll('.quillwork-suggestions [role=option]').length === 2"
    )
    assert comfy.page.locator(OPTIONS).inner_text().startswith("fox-1487")

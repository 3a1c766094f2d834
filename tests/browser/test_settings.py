"""Quillwork's page in the settings dialog: what is in force, what may be changed, and keys that stay away."""

from __future__ import annotations

import json

import pytest

# The dialog lies beside the graph: it is the same in both renderers.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("renderer", ["nodes2"], scope="session")]

KEY = "sk-typed-W8eR2nVq6HsJ4dTm9a"
HEADERS = {"X-Quillwork": "1"}
WRITABLE = ("LLM_MODE", "LLM_MODEL", "LLM_MODEL_PROMPT_GEN", "LLM_MODEL_CHAT", "LLM_TIMEOUT_MS")


@pytest.fixture
def page(comfy):
    """Open the page; afterwards remove all that a test chose."""
    dialog = comfy.open_settings()
    dialog.get_by_text("from the environment").first.wait_for()
    yield dialog
    # The first press may only close a list of suggestions.
    for _ in range(2):
        comfy.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    nothing = {"settings": dict.fromkeys(WRITABLE), "persist": True}
    assert comfy.host.post("/quillwork/config", json=nothing, headers=HEADERS).status == 200
    assert comfy.host.request("DELETE", "/quillwork/keys", headers=HEADERS).status == 200


def row(page, name):
    return page.locator(f"[data-setting-id='Quillwork.{name}']")


def in_force(comfy):
    return {one["name"]: one for one in comfy.host.get("/quillwork/config").json()["settings"]}


def wait_for(comfy, name, value):
    for _ in range(100):
        if in_force(comfy)[name]["value"] == value:
            return in_force(comfy)[name]
        comfy.page.wait_for_timeout(50)
    raise AssertionError(f"{name} is {in_force(comfy)[name]}")


class TestValues:
    def test_each_with_its_origin(self, comfy, page, wire):
        model = row(page, "Model.Any")
        # The page first shows what it knew when it was last open.
        comfy.page.wait_for_function(
            "(field) => field.value === 'fox'", arg=model.locator("input").element_handle()
        )
        model.get_by_text("from the environment").wait_for()
        assert "default" in row(page, "Model.Timeout").inner_text()
        assert row(page, "Model.Timeout").locator("input").input_value() == "60"
        assert "fox" in row(page, "Model.Status").inner_text()
        endpoint = row(page, "Places.Endpoint")
        assert wire.url in endpoint.inner_text()
        assert "(LLM_BASE_URL)" in endpoint.inner_text()
        assert page.locator("[data-setting-id^='Quillwork.Places'] :is(input, select, textarea)").count() == 0
        assert str(comfy.host.quillwork_home) in row(page, "Places.Library").inner_text()

    def test_model_is_chosen_and_taken_back(self, comfy, page):
        model = row(page, "Model.Any")
        model.locator("input").fill("fox-large")
        model.locator("input").press("Tab")
        assert wait_for(comfy, "LLM_MODEL", "fox-large")["origin"] == "panel"
        model.get_by_text("set here").wait_for()
        model.get_by_role("button", name="Reset").click()
        model.get_by_text("from the environment").wait_for()
        assert in_force(comfy)["LLM_MODEL"]["value"] == "fox"

    def test_model_is_told_as_people_call_it(self, comfy, page):
        model = row(page, "Model.Any")
        model.locator("input").fill("claude-haiku-4-5")
        model.locator("input").press("Tab")
        model.get_by_text("Claude Haiku 4.5 · set here").wait_for()
        assert model.locator("input").input_value() == "claude-haiku-4-5"
        status = row(page, "Model.Status").locator(".quillwork-fixed")
        assert status.inner_text().endswith(" · Claude Haiku 4.5")
        assert status.get_attribute("title") == "claude-haiku-4-5"

    def test_model_from_the_list(self, comfy, page, wire):
        wire.models = ["fox-small", "fox-large"]  # not what an earlier test left in the catalogue
        assert comfy.host.post("/quillwork/llm/models", json={}, headers=HEADERS).status == 200
        row(page, "Model.Chat").locator("input").click()
        comfy.page.locator(".quillwork-suggestions [role=option]").filter(has_text="fox-small").click()
        wait_for(comfy, "LLM_MODEL_CHAT", "fox-small")
        assert page.is_visible()

    def test_mode_and_timeout(self, comfy, page):
        select = row(page, "Model.Mode").locator("select")
        # The host has the text of ours; another pack's goes by its own name.
        for text in ("Provider or server", "test_installed"):
            select.get_by_text(text, exact=True).wait_for(state="attached")
        select.select_option("phrasebook")
        assert wait_for(comfy, "LLM_MODE", "phrasebook")["persisted"]
        page.get_by_text("Phrasebook", exact=True).wait_for()
        row(page, "Model.Timeout").locator("input").fill("2.5")
        row(page, "Model.Timeout").locator("input").press("Tab")
        wait_for(comfy, "LLM_TIMEOUT_MS", "2500")

    def test_refused_value_is_told(self, comfy, page):
        row(page, "Model.Timeout").locator("input").fill("-1")
        row(page, "Model.Timeout").locator("input").press("Tab")
        row(page, "Model.Timeout").locator("[role=alert]:not(:empty)").wait_for()
        assert in_force(comfy)["LLM_TIMEOUT_MS"]["value"] == "60000"
        comfy.forgive("status of 400")

    def test_nothing_of_it_is_in_the_settings_of_comfyui(self, comfy, page):
        row(page, "Model.Any").locator("input").fill("fox-large")
        row(page, "Model.Any").locator("input").press("Tab")
        wait_for(comfy, "LLM_MODEL", "fox-large")
        kept = comfy.host.get("/settings").json()
        assert [
            name for name in kept if name.startswith("Quillwork") and name != "Quillwork.FirstRun.Seen"
        ] == []


class TestKeys:
    def endpoint(self, page):
        key = page.locator(".quillwork-key[data-provider=endpoint]")
        key.wait_for()
        return key

    def test_typed_tested_and_cleared(self, comfy, page, wire):
        key = self.endpoint(page)
        field = key.locator("input")
        assert field.get_attribute("type") == "password"
        assert field.get_attribute("autocomplete") == "off"
        field.fill(KEY)
        key.get_by_role("button", name="Save").click()
        key.get_by_text("ends in").wait_for()
        assert KEY[-4:] in key.locator(".quillwork-key-status").inner_text()
        assert field.input_value() == ""
        key.get_by_role("button", name="Test").click()
        key.locator(".quillwork-said[data-state=good]").wait_for()
        assert wire.log[-1].headers["authorization"] == f"Bearer {KEY}"
        key.get_by_role("button", name="Clear").click()
        key.get_by_text("from the environment").wait_for()
        assert key.get_by_role("button", name="Clear").is_disabled()

    def test_only_who_wants_a_key_says_where_to_get_one(self, comfy, page):
        self.endpoint(page)
        rows = {one["provider"]: one for one in comfy.host.get("/quillwork/keys").json()["keys"]}
        offered = page.locator(".quillwork-key").evaluate_all(
            "(rows) => rows.filter((row) => /Get a key/.test(row.textContent))"
            ".map((row) => row.dataset.provider)"
        )
        shown = page.locator(".quillwork-key").evaluate_all(
            "(rows) => rows.map((row) => row.dataset.provider)"
        )
        assert {name for name in shown if rows[name]["needs_key"]} == set(offered)
        assert {"openai", "anthropic"} <= set(offered)
        assert "endpoint" in shown
        assert "endpoint" not in offered

    def test_a_provider_is_found_by_typing(self, comfy, page):
        self.endpoint(page)
        find = page.get_by_role("searchbox", name="Find a provider")
        names = {"google": "gemini", "grok": "xai", "Kimi": "moonshot", "qwen": "dashscope"}
        names |= {"doubao": "volcengine", "zhipu": "zai", "hf": "huggingface", "aws": "bedrock"}
        names |= {"claude": "anthropic", "deepseek v4.1": "together_ai"}  # by a model
        for typed, id in {**names, "cerebras_api": "cerebras", "scaleway": "scaleway"}.items():
            find.fill(typed)
            assert page.locator(".quillwork-key").first.get_attribute("data-provider") == id
        find.press("Enter")
        focused = "() => document.activeElement.closest('.quillwork-key')?.dataset.provider"
        assert comfy.page.evaluate(focused) == "scaleway"
        find.fill("no such provider")
        page.get_by_text("No provider matches.").wait_for()
        find.press("Escape")
        assert find.input_value() == ""
        assert find.is_visible(), "only the text goes, and not the dialog"
        self.endpoint(page)

    def test_what_is_typed_before_the_list_is_there_is_found_later(self, comfy):
        asked = []
        comfy.page.route("**/quillwork/keys", lambda route: asked.append(route))
        dialog = comfy.open_settings()
        find = dialog.get_by_role("searchbox", name="Find a provider")
        find.fill("grok")
        comfy.page.wait_for_timeout(300)
        assert dialog.get_by_text("No provider matches.").count() == 0
        (route,) = asked
        answer = route.fetch().json()
        said = "XAI_API_BASE holds a name or a password."
        for row in answer["keys"]:
            if row["provider"] == "xai":
                row |= {"configured": False, "source": "environment", "missing": said}
        route.fulfill(json=answer)
        key = dialog.locator(".quillwork-key[data-provider=xai]")
        # Its key is there, so that is not what it lacks.
        assert key.locator(".quillwork-key-status").inner_text() == said
        comfy.page.unroute("**/quillwork/keys")
        for _ in range(2):
            comfy.page.keyboard.press("Escape")
        dialog.wait_for(state="detached")

    def test_table_has_the_width_of_the_page(self, comfy, page):
        self.endpoint(page)
        row = page.locator("[data-setting-id='Quillwork.Keys.Table']")
        assert row.locator(".quillwork-wide").bounding_box()["width"] > 0.95 * row.bounding_box()["width"]

    def test_refused_key_is_told(self, comfy, page, wire):
        wire.models_status = 401
        key = self.endpoint(page)
        key.locator("input").fill(KEY)
        key.locator("input").press("Enter")
        said = key.locator(".quillwork-said[data-state=bad]")
        said.wait_for()
        assert "401" in said.inner_text()
        assert KEY not in said.inner_text()

    def test_what_is_no_key_is_refused(self, comfy, page):
        key = self.endpoint(page)
        key.locator("input").fill("two words")
        key.get_by_role("button", name="Save").click()
        key.locator(".quillwork-said[data-state=bad]").wait_for()
        assert key.locator("input").input_value() == "two words"
        comfy.forgive("status of 400")

    def test_key_is_nowhere_in_the_page_or_its_stores(self, comfy, page):
        node = comfy.enhance()
        key = self.endpoint(page)
        key.locator("input").fill(KEY)
        key.get_by_role("button", name="Save").click()
        key.get_by_text("ends in").wait_for()
        stores = comfy.page.evaluate(
            """() => {
                const fields = [...document.querySelectorAll('input')].map((one) => one.value);
                const page = document.documentElement.outerHTML;
                const stores = [{...localStorage}, {...sessionStorage}, document.cookie];
                return JSON.stringify([stores, page, fields]);
            }"""
        )
        assert KEY not in stores
        assert KEY not in json.dumps([comfy.saved(), comfy.prompt(), comfy.host.get("/settings").json()])
        assert node in comfy.prompt()
        assert KEY not in comfy.host.log()


def test_every_control_has_a_name(comfy, page):
    page.locator(".quillwork-key").first.wait_for()
    unnamed = comfy.page.evaluate(
        """() => [...document.querySelectorAll('.quillwork-ui :is(input, select, textarea, button)')]
            .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
            .map((one) => one.outerHTML)"""
    )
    assert unnamed == []

"""A server of one's own and keys that outlast a restart: in the settings page and the first-run dialog."""

from __future__ import annotations

import json

import pytest

# Dialogs and settings lie beside the graph: they are the same in both renderers.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("renderer", ["nodes2"], scope="session")]

KEY = "sk-typed-W8eR2nVq6HsJ4dTm9a"


def setting(comfy, name):
    return next(one for one in comfy.host.get("/quillwork/config").json()["settings"] if one["name"] == name)


def first_run(unset):
    unset.command("Quillwork.Setup")
    box = unset.page.locator(".quillwork-dialog")
    box.locator("input[value=server]").check()
    choice = box.locator(".quillwork-choice").filter(has=unset.page.locator("input[value=server]"))
    return box, choice


def use(box):
    box.get_by_role("button", name="Use this").click()


class TestFirstRun:
    def test_address_model_and_a_run(self, unset, wire):
        wire.script("*", "a red fox in fresh snow")
        box, choice = first_run(unset)
        assert box.get_by_role("button", name="Use this").is_disabled()
        choice.get_by_label("Address of the server").fill(f"{wire.url}/v1")
        use(box)
        box.get_by_text("Choose one of its models").wait_for()
        assert setting(unset, "LLM_BASE_URL")["value"] == ""
        choice.get_by_label("Model").select_option("fox-large")
        use(box)
        box.wait_for(state="detached")
        shown = setting(unset, "LLM_BASE_URL")
        assert (shown["value"], shown["origin"]) == (f"{wire.url}/v1", "server.json")
        node = unset.enhance()
        assert unset.run()[0] == "execution_success"
        assert unset.of(node, "node.properties.quillwork.texts") == ["a red fox in fresh snow"]
        assert json.loads(wire.calls()[-1].body)["model"] == "fox-large"

    def test_one_that_fails_is_told_and_not_kept(self, unset, wire):
        wire.models_status = 401
        box, choice = first_run(unset)
        choice.get_by_label("Address of the server").fill(wire.url)
        choice.get_by_label("Key, if required").fill(KEY)
        choice.get_by_role("checkbox").check()
        use(box)
        box.locator("[role=alert]").filter(has_text="rejected the key").wait_for()
        box.get_by_role("button", name="Not now").click()
        box.wait_for(state="detached")
        assert setting(unset, "LLM_BASE_URL")["value"] == ""
        rows = unset.host.get("/quillwork/keys").json()["keys"]
        assert [one for one in rows if one["source"] in ("session", "kept")] == []
        assert not (unset.host.quillwork_home / "keys.json").exists()

    def test_key_of_a_provider_that_fails_is_gone_after_not_now(self, unset, wire):
        # No way leads to the provider: this is no proxy.
        unset.restart({"HTTPS_PROXY": wire.url})
        unset.command("Quillwork.Setup")
        box = unset.page.locator(".quillwork-dialog")
        box.locator("input[value=cloud]").check()
        box.get_by_label("Provider", exact=True).fill("openai")
        unset.page.keyboard.press("Enter")
        box.get_by_label("Key", exact=True).fill(KEY)
        use(box)
        box.locator("[role=alert]:not(:empty)").wait_for()
        box.get_by_role("button", name="Not now").click()
        box.wait_for(state="detached")
        (row,) = [
            one for one in unset.host.get("/quillwork/keys").json()["keys"] if one["provider"] == "openai"
        ]
        assert not row["configured"]


class TestSettings:
    def test_used_kept_over_a_restart_and_removed(self, unset, wire):
        page = unset.open_settings()
        row = page.locator("[data-setting-id='Quillwork.Model.Server']")
        row.get_by_label("Address of the server").fill(f"{wire.url}/v1")
        row.get_by_label("Key, if required").fill(KEY)
        keep = row.get_by_role("checkbox")
        place = str(unset.host.quillwork_home / "keys.json")
        row.get_by_text(place).wait_for()
        field = row.get_by_label("Key, if required").bounding_box()
        assert 0 <= keep.bounding_box()["x"] - field["x"] < 8, "the tick is not in the fields' column"
        keep.check()
        row.get_by_role("button", name="Test and use").click()
        row.get_by_text("Connected. 2 models available.").wait_for()
        assert row.get_by_label("Key, if required").input_value() == ""
        endpoint = page.locator("[data-setting-id='Quillwork.Places.Endpoint']")
        endpoint.get_by_text(wire.url).wait_for()
        assert "set here" in endpoint.inner_text()
        unset.restart()
        kept = next(
            one for one in unset.host.get("/quillwork/keys").json()["keys"] if one["provider"] == "endpoint"
        )
        assert kept["source"] == "kept"
        page = unset.open_settings()
        row = page.locator("[data-setting-id='Quillwork.Model.Server']")
        unset.page.wait_for_function(
            "([field, url]) => field.value === url",
            arg=[row.get_by_label("Address of the server").element_handle(), f"{wire.url}/v1"],
        )
        row.get_by_role("button", name="Remove").click()
        row.get_by_text("Cleared.").wait_for()
        assert setting(unset, "LLM_BASE_URL")["value"] == ""
        assert KEY not in (unset.host.quillwork_home / "keys.json").read_text()
        assert KEY not in unset.host.log()

    def test_address_of_the_environment_comes_first_and_is_told(self, comfy, wire):
        page = comfy.open_settings()
        row = page.locator("[data-setting-id='Quillwork.Model.Server']")
        row.get_by_text("LLM_BASE_URL is set in the environment").wait_for()
        comfy.page.keyboard.press("Escape")
        page.wait_for(state="detached")

    def test_key_of_a_provider_is_kept(self, unset, wire):
        unset.restart({"LM_STUDIO_API_BASE": f"{wire.url}/v1"})
        page = unset.open_settings()
        page.locator("[data-setting-id='Quillwork.Keys.Table']").get_by_role("checkbox").check()
        key = page.locator(".quillwork-key[data-provider=lm_studio]")
        status = key.locator(".quillwork-key-status")
        key.locator("input").fill(KEY)
        key.get_by_role("button", name="Save").click()
        key.locator(".quillwork-said[data-state=good]").wait_for()
        assert status.inner_text() == f"kept after a restart (… {KEY[-4:]})"
        assert f"Bearer {KEY}" in [request.headers.get("authorization") for request in wire.log]
        unset.restart()
        page = unset.open_settings()
        status.filter(has_text="kept after a restart").wait_for()
        key.get_by_role("button", name="Clear").click()
        status.filter(has_text="needs no key").wait_for()
        assert KEY not in (unset.host.quillwork_home / "keys.json").read_text()
        assert KEY not in unset.host.log()

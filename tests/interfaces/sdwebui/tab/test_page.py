"""Quillwork tab, as a user meets it on the page."""

from __future__ import annotations

import base64
import json
import stat
import threading
from pathlib import Path

import pytest

KEY = "sk-planted-Hq8wLm2RvT5xNc7BzK4"
# A red pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)


class Tab:
    """Quillwork tab with one of its own tabs open."""

    def __init__(self, page, title):
        self.page = page
        page.tab("Quillwork")
        self.go_to(title)

    def go_to(self, title):
        place = ":is(#tab_quillwork, #tab_quillwork_tabitem)"
        tabs = self.page.page.locator(f"{place} .tab-nav button, {place} [role=tab]")
        tabs.filter(has_text=title).first.click()
        self.page.page.wait_for_timeout(300)

    def find(self, name):
        return self.page.page.locator(f"#quillwork_{name}").first

    def press(self, name):
        self.find(name).click()

    def fill(self, name, text):
        self.page.field(f"quillwork_{name}").fill(text)

    def pick(self, name, text):
        """Type into a drop-down and take what was typed."""
        field = self.page.field(f"quillwork_{name}")
        field.fill(text)
        field.press("Enter")
        field.blur()
        self.page.page.wait_for_timeout(300)

    def value(self, name):
        return self.page.field(f"quillwork_{name}").input_value()

    def text(self, name):
        return self.find(name).inner_text().strip()

    def has(self, name, words):
        self.page.wait(
            "([name, words]) => [...document.querySelectorAll(`#quillwork_${name}`)]"
            ".some((part) => part.innerText.includes(words))",
            [name, words],
        )

    def holds(self, name, text):
        self.page.wait(
            "([name, text]) => document.querySelector("
            "`#quillwork_${name} textarea, #quillwork_${name} input`).value === text",
            [name, text],
        )


def library_of(webui):
    return {
        row["name"]: webui.get(f"/quillwork/variables/{row['name']}").json()["values"]
        for row in webui.get("/quillwork/variables").json()["variables"]
    }


OURS = {"X-Quillwork": "1"}


@pytest.fixture
def wired(wired):
    """Remove what a test leaves behind in the web UI, so that it does not reach the others."""
    yield wired
    for name in library_of(wired):
        wired.request("DELETE", f"/quillwork/variables/{name}", {}, OURS)
    wired.request("DELETE", "/quillwork/keys", {}, OURS)
    names = ("LLM_MODE", "LLM_MODEL", "LLM_MODEL_PROMPT_GEN", "LLM_MODEL_CHAT", "LLM_TIMEOUT_MS")
    settings = {"settings": dict.fromkeys(names), "persist": True}
    assert wired.request("POST", "/quillwork/config", settings, OURS).status == 200


def test_values_are_invented_looked_through_and_kept(webui_page, wired, wire):
    tab = Tab(webui_page, "Variables")
    wire.script("fox", ['{"values": ["dawn", "dusk", "noon"]}', '{"values": ["night", "eve", "dusk"]}'])
    tab.fill("variable", "light")
    tab.fill("variable_context", "a meadow at __light__")
    tab.fill("count", "3")
    tab.find("count").locator("input").first.blur()
    tab.press("invent")
    tab.has("invent_status", "3 values from fox")
    assert "a meadow at __light__" in str(wire.calls()[-1].json)
    boxes = tab.find("found").locator("label").filter(has=webui_page.page.locator("input"))
    boxes.nth(2).wait_for()
    assert [box.inner_text().strip() for box in boxes.all()] == ["dawn", "dusk", "noon"]
    tab.find("found").get_by_label("dusk").uncheck()
    tab.press("invent")
    tab.has("invent_status", "values from fox")
    tab.has("found", "night")
    names = tab.text("found")
    assert "dawn" in names and "eve" in names and "dusk" not in names, "what was dropped does not come back"
    tab.press("add")
    tab.has("invent_status", "values are new in the library as __light__")
    assert set(library_of(wired)["light"]) >= {"dawn", "noon", "night", "eve"}
    assert "dusk" not in library_of(wired)["light"]


def test_values_are_saved_at_once_when_asked(webui_page, wired, wire):
    tab = Tab(webui_page, "Variables")
    wire.script("fox", '{"values": ["oak", "elm"]}')
    tab.fill("variable", "tree")
    tab.find("save").locator("input").check()
    tab.press("invent")
    tab.has("invent_status", "2 of 2 values are new")
    assert library_of(wired) == {"tree": ["oak", "elm"]}


def test_an_error_is_told_and_a_call_is_stopped(webui_page, wired, wire):
    tab = Tab(webui_page, "Variables")
    tab.press("invent")
    tab.has("invent_status", "no name")
    tab.fill("variable", "tree")
    tab.pick("variable_model", "fox-hang")
    tab.press("invent")
    wire.wait_calls(1)
    tab.press("invent_stop")
    wire.wait_disconnects(1)
    tab.has("invent_status", "Stopped")
    assert library_of(wired) == {}


def test_a_variables_life(webui_page, wired):
    tab = Tab(webui_page, "Variables")
    tab.pick("library", "hair/style")
    tab.fill("library_values", "bob\nbun\n\n<b>braid</b>")
    tab.fill("library_description", "How it is worn")
    tab.press("library_save")
    tab.has("library_status", "Saved 3 values of __hair/style__")
    assert library_of(wired) == {"hair/style": ["bob", "bun", "<b>braid</b>"]}
    webui_page.open()
    tab = Tab(webui_page, "Variables")
    tab.has("library_place", "library")
    webui_page.choose(tab.find("library"), "hair/style")
    tab.holds("library_values", "bob\nbun\n<b>braid</b>")
    tab.holds("library_description", "How it is worn")
    wired.request("PUT", "/quillwork/variables/hair/style", {"values": ["pixie"]}, OURS)
    tab.fill("library_values", "mullet")
    tab.press("library_save")
    tab.has("library_status", "changed by someone else")
    assert library_of(wired) == {"hair/style": ["pixie"]}
    tab.press("library_more")
    tab.holds("variable", "hair/style")
    tab.press("library_delete")
    tab.has("library_status", "Delete __hair/style__")
    tab.press("library_spare")
    tab.find("library_really").wait_for(state="hidden")
    assert library_of(wired) == {"hair/style": ["pixie"]}
    tab.press("library_delete")
    tab.press("library_really")
    tab.has("library_status", "hair/style was deleted")
    assert library_of(wired) == {}


def test_a_picture_becomes_a_prompt_in_the_prompt_box(webui_page, wired, wire):
    tab = Tab(webui_page, "Describe image")
    tab.press("describe")
    tab.has("describe_status", "There is no image")
    wire.script("fox", "a single red pixel, minimal")
    picture = {"name": "pixel.png", "mimeType": "image/png", "buffer": PIXEL}
    tab.find("picture").locator("input[type=file]").set_input_files(picture)
    tab.find("picture").locator("img").first.wait_for()
    tab.press("describe")
    tab.holds("description", "a single red pixel, minimal")
    tab.has("describe_status", "Written by fox")
    assert "image" in json.dumps(wire.calls()[-1].json)
    tab.press("send_txt2img")
    webui_page.wait(
        "() => document.querySelector('#txt2img_prompt textarea').value === 'a single red pixel, minimal'"
    )
    webui_page.prompt().wait_for(state="visible")


def training_set(folder, count):
    folder.mkdir(parents=True)
    for number in range(count):
        # Other bytes in each, behind the end of the picture.
        (folder / f"img{number}.png").write_bytes(PIXEL + bytes([number]))
    return folder


def captions(folder):
    return {file.stem: file.read_text("utf-8").strip() for file in folder.glob("*.txt")}


def folder_part(webui_page):
    tab = Tab(webui_page, "Describe image")
    if not tab.find("folder").is_visible():
        tab.find("folder_part").get_by_text("Caption a folder").first.click()
        tab.find("folder").wait_for()
    return tab


def test_a_folder_is_captioned_after_a_preview(webui_page, wired, wire):
    folder = training_set(wired.data_directory / "outputs" / "set", 6)
    (folder / "img1.txt").write_text("mine", "utf-8")
    wire.script("fox", "a red pixel")
    tab = folder_part(webui_page)
    tab.press("folder_preview")
    tab.has("folder_status", "No folder is named.")
    tab.fill("folder", "nothing")
    tab.press("folder_preview")
    tab.has("folder_status", "There is no folder")
    tab.fill("folder", "set")
    tab.fill("folder_trigger", "ohwx")
    tab.press("folder_preview")
    tab.has("folder_status", "Images that get a caption: 5 of 6. Already captioned: 1. At most about 0:00:0")
    tab.has("folder_samples", "ohwx, a red pixel")
    assert captions(folder) == {"img1": "mine"}, "nothing is written yet"
    tab.fill("folder_instruction", "name the light")
    tab.find("folder_start").wait_for(state="hidden")
    tab.press("folder_preview")
    tab.find("folder_start").wait_for()
    tab.press("folder_start")
    tab.has("folder_status", "5 of 6 images have their caption; 1 had one and was left alone.")
    assert captions(folder) == {f"img{n}": "ohwx, a red pixel" for n in range(6)} | {"img1": "mine"}
    tab.find("folder_preview").wait_for()
    assert "name the light" in json.dumps(wire.calls()[-1].json)


def test_a_job_is_stopped_and_followed_by_a_page_that_is_loaded_anew(webui_page, wired, wire):
    folder = training_set(wired.data_directory / "outputs" / "long", 8)
    goes_on = threading.Event()

    def answer(_):
        if len(wire.calls()) > 3:
            goes_on.wait(60)
        return "a red pixel"

    wire.script("fox", answer)
    tab = folder_part(webui_page)
    tab.fill("folder", "long")
    tab.press("folder_preview")
    tab.find("folder_start").wait_for()
    tab.press("folder_start")
    tab.has("folder_status", "long: running · 3 of 8")
    webui_page.open()
    tab = folder_part(webui_page)
    tab.has("folder_status", "long: running · 3 of 8")
    tab.press("folder_stop")
    tab.has("folder_status", "long: stopping")
    goes_on.set()
    tab.has("folder_status", "Stopped.")
    assert len(captions(folder)) < 8
    tab.find("folder_preview").wait_for()
    tab.fill("folder", "long")
    tab.press("folder_preview")
    tab.find("folder_start").wait_for()
    tab.press("folder_start")
    tab.has("folder_status", "8 of 8 images have their caption.")
    assert len(wire.calls()) == 8, "what was written is not asked for again"


def test_a_folder_elsewhere_is_allowed_first(webui_page, wired, wire, tmp_path):
    folder = training_set(tmp_path / "own photos", 1)
    wire.script("fox", "a red pixel")
    tab = folder_part(webui_page)
    tab.fill("folder", str(folder))
    tab.press("folder_preview")
    tab.has("folder_status", f"This job writes captions in {folder}, outside the own folders of ")
    tab.has("folder_status", "Press “Allow this folder” to allow it once.")
    assert wire.calls() == []
    tab.press("folder_allow")
    tab.has("folder_status", "Press Preview again.")
    tab.press("folder_preview")
    tab.find("folder_start").wait_for()
    tab.press("folder_start")
    tab.has("folder_status", "1 of 1 images have their caption.")
    assert captions(folder) == {"img0": "a red pixel"}


def test_settings_are_shown_with_their_origin_and_changed(webui_page, wired, wire):
    tab = Tab(webui_page, "Settings")
    tab.has("effect", "fox")
    tab.has("settings", "LLM_BASE_URL")
    row = webui_page.page.locator("#quillwork_settings tr").filter(has_text="LLM_MODEL").first
    assert "environment" in row.inner_text()
    tab.pick("set_llm_model", "owl")
    tab.fill("set_timeout", "90")
    tab.press("set_apply")
    tab.has("set_status", "Applied")
    tab.has("effect", "owl")
    config = {entry["name"]: entry for entry in wired.get("/quillwork/config").json()["settings"]}
    assert (config["LLM_MODEL"]["value"], config["LLM_MODEL"]["persisted"]) == ("owl", True)
    assert config["LLM_TIMEOUT_MS"]["value"] == "90000"
    tab.press("set_test")
    tab.has("set_status", "works")
    assert [call.model for call in wire.calls()] == ["owl"]
    tab.pick("set_llm_model", "https://evil.example/v1")
    tab.press("set_apply")
    tab.has("set_status", "cannot contain an address")
    tab.pick("set_llm_model", "")
    tab.press("set_apply")
    tab.has("effect", "fox")


def test_what_comes_with_images_is_allowed_here(webui_page, wired):
    tab = Tab(webui_page, "Settings")
    webui_page.choose(tab.find("consent"), "OpenAI")
    tab.press("allow")
    tab.has("set_status", "openai is now allowed")
    assert "openai" in wired.get("/quillwork/config").json()["allowed"]


def test_a_provider_is_found_by_another_name(webui_page, wired):
    tab = Tab(webui_page, "Keys")
    found = webui_page.page.locator("ul.options:visible li, [role=listbox]:visible [role=option]")
    for typed, label in (("kimi", "Moonshot"), ("grok", "xAI"), ("qwen", "DashScope")):
        field = tab.find("provider").locator("input").first
        field.click()
        field.fill(typed)
        found.filter(has_text=label).first.wait_for()
        assert all(typed in text.lower() for text in found.all_inner_texts())
    found.filter(has_text="DashScope").first.click()
    tab.press("key_test")
    tab.has("key_status", "DASHSCOPE_API_KEY")


def test_a_key_is_used_and_shows_nowhere(webui_page, wired, wire):
    tab = Tab(webui_page, "Keys")
    wire.require_key = KEY
    tab.press("key_test")
    tab.has("key_status", "Choose a provider")
    webui_page.choose(tab.find("provider"), "endpoint")
    tab.fill("key", KEY)
    tab.press("key_keep")
    tab.has("key_status", "is now in use")
    tab.has("keys", KEY[-4:])
    assert tab.value("key") == ""
    tab.press("key_test")
    tab.has("key_status", "lists 2 models")
    webui_page.tab("txt2img")
    webui_page.prompt().fill("a fox in the snow")
    webui_page.open_accordion()
    webui_page.page.locator("#quillwork_txt2img_enhance").click()
    webui_page.wait("() => document.querySelector('#txt2img_prompt textarea').value.includes('red fox')")
    webui_page.script("enabled").locator("input").check()
    infotext = webui_page.generate()
    assert "red fox" in infotext
    # The fields of a page that the hosts keep when the user asks for it.
    tab = Tab(webui_page, "Keys")
    tab.fill("key", KEY)
    before = (wired.data_directory / "ui-config.json").stat().st_mtime_ns
    webui_page.page.locator("#ui_defaults_apply").first.evaluate("(button) => button.click()")
    for _ in range(100):
        if (wired.data_directory / "ui-config.json").stat().st_mtime_ns != before:
            break
        webui_page.page.wait_for_timeout(100)
    else:
        pytest.fail("the host does not keep what stands on its page")
    tab.press("key_clear")
    tab.has("key_status", "Forgotten")
    seen = [infotext, webui_page.page.content(), wired.log()]
    seen += [wired.get(path).text for path in ("/config", "/quillwork/keys", "/quillwork/config", "/info")]
    files = [path for path in wired.data_directory.rglob("*") if path.is_file() and not path.is_symlink()]
    files = [path for path in files if "extensions" not in path.relative_to(wired.data_directory).parts]
    assert "ui-config.json" in {path.name for path in files}
    seen += [path.read_bytes().decode("utf-8", "replace") for path in files]
    assert not any(KEY in text for text in seen)
    webui_page.page.locator("#quillwork_key input").wait_for(state="attached")
    assert wired.get("/quillwork/keys").json()["keys"][0]["source"] != "session"


def test_a_key_is_kept_after_a_restart_if_asked_and_never_one_that_failed(webui_page, wired, wire):
    tab = Tab(webui_page, "Keys")
    file = Path(wired.get("/quillwork/config").json()["home"]) / "keys.json"
    tab.has("key_place", str(file))
    webui_page.choose(tab.find("provider"), "endpoint")
    tab.find("key_for_good").locator("input").check()
    wire.models_status = 401
    tab.fill("key", "sk-another-one")
    tab.press("key_keep")
    tab.has("key_status", "The key was not saved")
    assert tab.find("key_status").locator(".quillwork-error").count() == 1
    assert not file.exists()
    assert wired.get("/quillwork/keys").json()["keys"][0]["source"] != "session"
    wire.models_status = 0
    tab.fill("key", KEY)
    tab.press("key_keep")
    tab.has("key_status", f"It is kept in the file {file} (not encrypted")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert wired.get("/quillwork/keys").json()["keys"][0]["source"] == "kept"
    tab.press("key_clear")
    tab.has("key_status", "Forgotten")
    assert KEY not in file.read_text() + wired.log()


def test_keys_and_folders_are_refused_where_others_could_use_them(webui_factory, open_page, wire, tmp_path):
    host = webui_factory(
        {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, flags=("--listen",), fresh=True
    )
    page = open_page(host)
    tab = Tab(page, "Keys")
    page.choose(tab.find("provider"), "OpenAI")
    tab.fill("key", KEY)
    tab.press("key_keep")
    tab.has("key_status", "anyone who can reach it could use your key")
    tab.has("keys", "No keys are set")
    folder = training_set(tmp_path / "private", 1)
    tab = folder_part(page)
    tab.fill("folder", str(folder))
    tab.press("folder_preview")
    tab.find("folder_allow").wait_for()
    tab.press("folder_allow")
    tab.has("folder_status", f"Set LLM_ALLOW=folder:{folder} and restart")
    tab.press("folder_preview")
    tab.has("folder_status", "which you have not allowed on this machine")
    assert wire.calls() == [] and captions(folder) == {}


def calls_in(page):
    rows = page.page.locator("#quillwork_usage tr").filter(has_text="endpoint/fox")
    return int(rows.first.locator("td").nth(1).inner_text()) if rows.count() else 0


def test_usage_is_added_up(webui_page, wired, wire):
    tab = Tab(webui_page, "Usage")
    tab.has("usage", "Since start")
    before = calls_in(webui_page)
    webui_page.tab("txt2img")
    webui_page.prompt().fill("a fox in the snow")
    webui_page.open_accordion()
    webui_page.page.locator("#quillwork_txt2img_enhance").click()
    webui_page.wait("() => document.querySelector('#txt2img_prompt textarea').value.includes('red fox')")
    tab = Tab(webui_page, "Usage")
    tab.press("usage_refresh")
    tab.has("usage", "endpoint/fox")
    webui_page.page.wait_for_timeout(500)
    assert calls_in(webui_page) == before + 1


def test_nothing_of_the_tab_is_kept_as_a_default(webui_page, wired):
    kept = json.loads((wired.data_directory / "ui-config.json").read_text("utf-8"))
    assert kept
    assert not [name for name in kept if name.startswith("quillwork/")]


def test_the_tab_survives_reload_ui(webui_factory, open_page, wire):
    # A web UI of its own: Gradio 3 waits for ever for sockets of pages closed in the middle of an event.
    host = webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    webui_page = open_page(host)
    webui_page.reload_ui()
    tab = Tab(webui_page, "Settings")
    tab.has("effect", "fox")
    webui_page.tab("txt2img")
    webui_page.open_accordion()
    webui_page.prompt().fill("a fox in the snow")
    webui_page.page.locator("#quillwork_txt2img_enhance").click()
    webui_page.wait("() => document.querySelector('#txt2img_prompt textarea').value.includes('red fox')")

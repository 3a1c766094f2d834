"""Values of our controls that users have the host keep, on the page that begins with them."""

from __future__ import annotations

import json

import pytest

from quillwork.llm_backends import modes

# Under the labels of an earlier build, with its name of the mode.
KEPT = {
    "Mode": "phrasebook",
    "Model (empty: as set)": "fox-of-mine",
    "When the model cannot be had": "passthrough",
    "Model's seed (-1: the image's)": 41,
    "A prompt of its own for each image": True,
    "Values of variables": "cycle",
    "How many images (0: batch count × size; of combinations at most all)": "many",
}


def shown(page):
    """Return what stands in the controls, by their names."""
    field = {name: page.script(name).locator("input").first for name in ("model", "on_error", "selection")}
    return {
        **{name: place.input_value() for name, place in field.items()},
        "mode": page.script("mode").locator("label:has(input:checked)").inner_text().strip(),
        "seed": page.script("seed").locator("input").first.input_value(),
        "count": page.script("count").locator("input").first.input_value(),
        "per_image": page.script("per_image").locator("input").is_checked(),
    }


def test_they_outlive_our_labels_and_modes_keep_their_names(webui_factory, open_page, wire):
    host = webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    page = open_page(host)
    file = host.data_directory / "ui-config.json"
    labels = [row.choice_text for row in modes.offered() if not row.needs_wire]
    page.open_accordion()
    assert page.script("mode").locator("label:has(input)").all_inner_texts() == labels
    assert shown(page)["mode"] == labels[0]

    former = {f"customscript/quillwork.py/txt2img/{label}/value": value for label, value in KEPT.items()}
    others = json.loads(file.read_text("utf-8"))
    file.write_text(
        json.dumps({path: value for path, value in others.items() if "quill" not in path} | former)
    )
    page.reload_ui()
    page.open_accordion()
    assert shown(page) == {
        "model": "fox-of-mine",
        "on_error": "passthrough",
        "selection": "cycle",
        "mode": modes.of("phrasebook").choice_text,
        "seed": "41",
        "count": "0",
        "per_image": True,
    }

    before = file.stat().st_mtime_ns
    page.script("mode").get_by_text(modes.of("gguf").choice_text).click()
    page.page.locator("#ui_defaults_apply").first.evaluate("(button) => button.click()")
    for _ in range(100):
        if file.stat().st_mtime_ns != before:
            break
        page.page.wait_for_timeout(100)
    kept = json.loads(file.read_text("utf-8"))
    assert kept["customscript/quillwork.py/txt2img/Mode/value"] == "gguf"
    assert kept["customscript/quillwork.py/txt2img/If the model fails/value"] == "passthrough"


@pytest.mark.parametrize("path", ["setting_quillwork_mode", "quillwork_set_mode"])
def test_a_set_mode_is_kept_by_its_name(webui_factory, open_page, wire, path):
    host = webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    page = open_page(host)
    text = modes.of("phrasebook").choice_text
    place = page.page.locator(f"#{path}").first
    choose = place.get_by_text(text, exact=True)
    if path.startswith("setting"):
        page.tab("Settings")
        choose.click()
        page.page.locator("#settings_submit").first.click()
    else:
        page.tab("Quillwork")
        page.page.get_by_role("tab", name="Settings").or_(
            page.page.locator(".tab-nav button").filter(has_text="Settings")
        ).last.click()
        choose.click()
        page.page.locator("#quillwork_set_apply").click()
    mode = "async () => (await (await fetch('/quillwork/config')).json()).effective.mode"
    file = host.data_directory / "config.json"
    for _ in range(100):
        is_saved = not path.startswith("setting") or file.exists()
        if is_saved and page.page.evaluate(mode) == "phrasebook":
            break
        page.page.wait_for_timeout(100)
    if path.startswith("setting"):
        assert json.loads(file.read_text("utf-8"))["quillwork_mode"] == "phrasebook"
    page.reload_ui()
    page.wait(
        "([path, text]) => "
        "document.querySelector(`#${path} label:has(input:checked)`)?.innerText.trim() === text",
        [path, text],
    )

"""The Script in a host: requests of programs and users, and the images' texts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from wire.server import WireServer

from webui.fixtures import KEY, WebUIs
from webui.process import WebUI, real_forge

if TYPE_CHECKING:
    from webui.page import WebUIPage

WRITTEN = "a red fox in fresh snow"
# Far above the usual 150 ms; only a hang is caught here.
AT_ONCE_S = 20.0


_foxes = itertools.count(1)


@pytest.fixture
def fox() -> str:
    """An idea that no test has had before: a written answer is not asked for again."""
    return f"a fox number {next(_foxes)}"


def idea_in(body: dict) -> str:
    return body["messages"][-1]["content"].removeprefix("Idea:\n").split("\n")[0]


def numbered(wire: WireServer) -> None:
    """Have the model answer with the idea and the seed that it was asked with."""
    wire.script("fox*", lambda body: f"{idea_in(body)}; seed {body['seed']}")


def prompts(infotexts: list[str]) -> list[str]:
    return [text.split("\n", 1)[0] for text in infotexts]


def test_it_is_there_in_both_tabs(wired: WebUI) -> None:
    for tab in ("txt2img", "img2img"):
        assert [argument["value"] for argument in wired.script_args(tab)[:2]] == [False, "auto"]
        assert len(wired.script_args(tab)) == 16
    assert "*** Error" not in wired.log()


def test_disabled_it_changes_nothing(wire: WireServer, webui_factory: WebUIs) -> None:
    """The result is byte for byte that of the host without us."""
    if real_forge():
        webui_factory.close()  # two of them are too much for many machines
    alone = webui_factory(extensions={})
    fields = {"negative_prompt": "bad", "batch_size": 2, "n_iter": 2}
    without = alone.txt2img("a {fox|owl} __x__", **fields).infotexts
    alone.close()
    webui = webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_API_KEY": KEY})
    assert webui.txt2img("a {fox|owl} __x__", **fields).infotexts == without
    assert webui.txt2img("a {fox|owl} __x__", [False, "litellm", "fox"], **fields).infotexts == without
    assert len(without) == 4
    assert wire.log == []


def test_by_position_by_name_and_with_defaults(fox: str, wired: WebUI, wire: WireServer) -> None:
    numbered(wire)
    assert prompts(wired.txt2img(fox, [True]).infotexts) == [f"{fox}; seed 5"]
    named = {"model": "fox-b", "seed": 9, "target": "SDXL"}
    done = wired.txt2img(fox, [named])
    assert prompts(done.infotexts) == [f"{fox}; seed 9"]
    assert "Quillwork model: fox-b" in done.infotext
    by_position = [True, "auto", "fox-b", "sdxl", "", 1, 9]
    assert wired.txt2img(fox, by_position).infotext == done.infotext
    assert len(wire.calls()) == 2, "the same was asked twice"


def test_img2img_too(fox: str, wired: WebUI) -> None:
    assert prompts(wired.img2img(fox, [True]).infotexts) == [WRITTEN]


@pytest.mark.parametrize(("batch_size", "n_iter"), [(1, 1), (2, 2), (1, 3), (3, 1)])
def test_each_image_tells_its_own(wired: WebUI, wire: WireServer, batch_size: int, n_iter: int) -> None:
    numbered(wire)
    count = batch_size * n_iter
    done = wired.txt2img("{a|b|c} fox", [{"per_image": True}], batch_size=batch_size, n_iter=n_iter)
    texts = prompts(done.infotexts)
    assert [text.split("; ")[1] for text in texts] == [f"seed {5 + place}" for place in range(count)]
    for place, text in enumerate(done.infotexts):
        assert "Quillwork prompt: {a|b|c} fox," in text
        assert f"Quillwork seed: {5 + place}" in text


@pytest.mark.parametrize("style", ["a1111", "sdnext"])
def test_in_the_other_hosts_too(fox: str, webui_factory: WebUIs, wire: WireServer, style: str) -> None:
    """The fixture `wired` is Forge on Gradio 4 and A1111 on Gradio 3."""
    webui = webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, style=style)
    numbered(wire)
    done = webui.txt2img(fox, [{"per_image": True}], batch_size=2)
    assert prompts(done.infotexts) == [f"{fox}; seed 5", f"{fox}; seed 6"]
    # SD.Next writes a value as it is, the same for all images.
    assert f"Quillwork seed: {5 if style == 'sdnext' else 6}" in done.infotexts[1]
    assert webui.txt2img(fox, [{"model": "fox-status503"}]).status == 502
    assert (
        "Quillwork error"
        in webui.txt2img(fox, [{"model": "fox-status503", "on_error": "passthrough"}]).infotext
    )


def test_negative_and_hires_prompts(fox: str, wired: WebUI, wire: WireServer) -> None:
    numbered(wire)
    more = {"hr_additional_modules": ["Use same choices"]} if wired.is_real else {}
    fields = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "None", "denoising_strength": 0.5, **more}
    named = {"parts": ["positive", "negative", "hires"], "target": "sdxl"}
    done = wired.txt2img(fox, [named], negative_prompt="ugly", **fields)
    assert done.status == 200, done.error
    assert "\nNegative prompt: ugly, low quality" in done.infotext
    assert "Hires prompt" not in done.infotext, "it follows"
    done = wired.txt2img(fox, [named], hr_prompt="details", **fields)
    assert "Hires prompt: details; seed 5" in done.infotext
    assert "Quillwork hires prompt: details" in done.infotext


def test_variables_of_the_library(webui_factory: WebUIs, wire: WireServer, tmp_path: Path) -> None:
    (tmp_path / "animal.txt").write_text("owl\nbear\n")
    webui = webui_factory(
        {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LOCAL_LIBRARY_DIR": str(tmp_path)}, fresh=True
    )
    texts = prompts(webui.txt2img("__animal__", [{"parts": []}], batch_size=8).infotexts)
    assert set(texts) == {"owl", "bear"}
    wire.script("fox", '{"values": ["drizzle"]}')
    done = webui.txt2img("__weather__", [{"parts": [], "generate_missing": True}])
    assert prompts(done.infotexts) == ["drizzle"]
    assert "drizzle" in (tmp_path / "weather.txt").read_text()


def test_an_error_is_no_image_and_one_sentence(fox: str, wired: WebUI, wire: WireServer) -> None:
    done = wired.txt2img(fox, [{"model": "fox-status503"}])
    assert done.status == 502
    assert "QuillworkError" in done.error
    assert "failed (503)" in done.error
    assert done.images == []
    assert "Traceback" not in done.error
    assert wired.txt2img(fox, [True]).status == 200


def test_where_it_goes_on_the_image_tells(fox: str, wired: WebUI) -> None:
    done = wired.txt2img(fox, [{"model": "fox-status503", "on_error": "passthrough"}])
    assert prompts(done.infotexts) == [fox]
    assert 'Quillwork error: "The endpoint (fox-status503) failed (503)' in done.infotext
    assert "127.0.0.1" not in done.infotext


def test_no_key_anywhere(fox: str, wired: WebUI) -> None:
    done = wired.txt2img(fox, [{"model": "fox-status401", "on_error": "passthrough"}])
    failed = wired.txt2img(fox, [{"model": "fox-status401"}])
    assert failed.status == 502, "401 is the host's own, for its login"
    assert KEY not in done.infotext + failed.error + str(done.info) + wired.log()


def test_a_host_that_cannot_have_a_local_model_says_what_it_takes(
    fox: str, wired: WebUI, tmp_path: Path
) -> None:
    """The stand-in has no torch, Forge's transformers is too old; every other mode works there.

    Forge Neo's is new enough, and reads the file.
    """
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    done = wired.txt2img(fox, [{"mode": "hf_local", "model": str(tmp_path)}])
    assert done.status == 503, done.error
    if not (real_forge() and "is damaged" in done.error):
        assert "transformers" in done.error
        assert "or newer" in done.error or "Update it" in done.error
    assert prompts(wired.txt2img(fox, [True]).infotexts) == [WRITTEN]


@pytest.mark.parametrize("model", ["fox-hang", "fox-silent", "fox-babble-gap20"])
def test_interrupt_ends_call_and_generation(fox: str, wired: WebUI, wire: WireServer, model: str) -> None:
    running = wired.start(fox, [{"model": model}])
    wire.wait_calls()
    time.sleep(0.2)
    pressed = time.monotonic()
    wired.interrupt()
    (gone,) = wire.wait_disconnects()
    assert gone.at - pressed < AT_ONCE_S
    assert running.result(60).images == []
    assert prompts(wired.txt2img(fox, [True]).infotexts) == [WRITTEN]


@pytest.mark.parametrize("model", ["fox-hang", "fox-babble-gap20"])
def test_skip_ends_the_call_and_the_image_is_made(
    fox: str, wired: WebUI, wire: WireServer, model: str
) -> None:
    running = wired.start(fox, [{"model": model}], n_iter=2)
    wire.wait_calls()
    time.sleep(0.2)
    pressed = time.monotonic()
    wired.skip()
    (gone,) = wire.wait_disconnects()
    assert gone.at - pressed < AT_ONCE_S
    done = running.result(60)
    assert prompts(done.infotexts) == [fox, fox]
    assert 'Quillwork error: "Skipped: your prompt was used as it is."' in done.infotext
    assert prompts(wired.txt2img(fox, [True]).infotexts) == [WRITTEN]


def test_what_is_written_is_shown_meanwhile(fox: str, wired: WebUI, wire: WireServer) -> None:
    running = wired.start(fox, [{"model": "fox-gap100-chunks40"}])
    wire.wait_calls()
    seen = ""
    for _ in range(100):
        seen = wired.get("/sdapi/v1/progress?skip_current_image=true").json().get("textinfo") or ""
        if "a red" in seen:
            break
        time.sleep(0.05)
    wired.interrupt()
    running.result(60)
    assert seen.startswith("Quillwork: a red")
    wired.txt2img(fox)
    assert not wired.get("/sdapi/v1/progress?skip_current_image=true").json().get("textinfo")


def plot(webui: WebUI, axis: str, values: list[str]) -> dict:
    """The request for the host's X/Y/Z plot over one axis; its arguments are by position."""
    scripts = webui.get("/sdapi/v1/script-info").json()
    controls = next(one for one in scripts if one["name"] == "x/y/z plot" and not one["is_img2img"])["args"]
    labels = [control["label"] for control in controls]
    args = [
        0 if label.endswith(" type") else control["value"]
        for label, control in zip(labels, controls, strict=True)
    ]
    args[labels.index("X type")] = controls[labels.index("X type")]["choices"].index(axis)
    # A text for axes without choices, and where the host has it, a list for those with.
    text, *lists = [place for place, label in enumerate(labels) if label == "X values"]
    args[text] = ", ".join(values)
    for place in lists:
        args[place] = values
    return {"script_name": "x/y/z plot", "script_args": args}


def test_an_xyz_plot_over_targets(wired: WebUI, wire: WireServer, fox: str) -> None:
    """The axis switches us on, and a cell is not what the one before it was."""
    request = plot(wired, "[Quillwork] For model", ["SDXL", "Flux.1 dev"])
    done = wired.txt2img(fox, [False, "auto", "fox"], **request)
    assert done.status == 200, done.error
    infotexts = done.info["infotexts"]
    for target in ("sdxl", "flux1_dev"):
        assert [
            text
            for text in infotexts
            if f"Quillwork target: {target}," in text or f"target: {target}\n" in text
        ]
    assert len(wire.calls()) == 2


def test_an_xyz_plot_over_variations(wired: WebUI, wire: WireServer, fox: str) -> None:
    numbered(wire)
    wired.txt2img(fox, [True], **plot(wired, "[Quillwork] Variation", ["1", "2", "3"]))
    assert sorted(call.json["seed"] for call in wire.calls()) == [5, 6, 7]


def test_a_plot_over_another_axis_asks_once(wired: WebUI, wire: WireServer, fox: str) -> None:
    wired.txt2img(fox, [True], **plot(wired, "CFG Scale", ["1", "2", "3"]))
    assert len(wire.calls()) == 1


# -- settings


def test_the_settings_page_stands_above_the_environment(
    fox: str, webui_factory: WebUIs, wire: WireServer
) -> None:
    webui = webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    options = {"quillwork_model": "fox-page", "quillwork_target": "SDXL", "quillwork_timeout": 1}
    assert webui.post("/sdapi/v1/options", options).status == 200
    done = webui.txt2img(fox, [True])
    assert "Quillwork model: fox-page, Quillwork target: sdxl" in done.infotext
    assert "sent nothing for 1 s" in webui.txt2img("an owl", [{"model": "fox-silent"}]).error
    assert "key" not in {name.lower() for name in _options_of_ours(webui)}


def _options_of_ours(webui: WebUI) -> list[str]:
    import json

    config = json.loads((webui.data_directory / "config.json").read_text())
    return [name for name in config if name.startswith("quillwork")]


# -- the page


def test_a_user_enhances_generates_and_reads_it_back(
    fox: str, wired: WebUI, wire: WireServer, open_page: Callable[[WebUI], WebUIPage]
) -> None:
    numbered(wire)
    page = open_page(wired)
    page.prompt().fill(fox)
    page.field("txt2img_seed").fill("42")
    page.open_accordion()
    page.script("enabled").locator("input").check()
    page.script("instruction").locator("textarea, input").fill("at night, dark")
    page.script("seed").locator("input").first.fill("7")
    infotext = page.generate()
    assert infotext.startswith(f"{fox}; seed 7"), page.remarks()
    assert f"Quillwork prompt: {fox}" in infotext
    page.script("enabled").locator("input").uncheck()
    page.script("instruction").locator("textarea, input").fill("")
    page.script("seed").locator("input").first.fill("-1")
    wire.reset()
    page.prompt().fill(infotext)
    page.page.locator("#tab_txt2img #paste, #txt2img_tools #paste").first.click()
    page.wait("() => document.querySelector('#txt2img_prompt textarea').value === '" + fox + "'")
    page.page.wait_for_timeout(500)
    assert page.script("enabled").locator("input").is_checked()
    assert page.script("instruction").locator("textarea, input").input_value() == "at night, dark"
    assert page.script("seed").locator("input").first.input_value() == "7"
    assert page.generate().startswith(f"{fox}; seed 7")
    assert wire.log == [], "what stands in the image was asked for again"


def test_a_user_sees_an_error_and_no_image(
    fox: str, wired: WebUI, open_page: Callable[[WebUI], WebUIPage]
) -> None:
    page = open_page(wired)
    page.prompt().fill(fox)
    page.open_accordion()
    page.script("enabled").locator("input").check()
    model = page.script("model").locator("input").first
    model.fill("fox-status503")
    model.press("Enter")
    page.generate()
    assert "failed (503)" in page.remarks()
    assert page.infotext() == ""
    assert_looks_like_an_error(page)
    page.page.locator(".quillwork-toast").click()
    assert page.page.locator(".quillwork-toast").count() == 0
    model.fill("fox")
    model.press("Enter")
    assert page.generate().startswith(WRITTEN)
    page.wait("() => !document.querySelector('.quillwork-error, .quillwork-fault')")


def assert_looks_like_an_error(page: WebUIPage) -> None:
    """Check for the error below the images, in the accordion's status and at the window's edge."""
    page.page.locator(".quillwork-toast").wait_for()
    assert "failed (503)" in page.page.locator(".quillwork-toast").inner_text()
    assert "failed (503)" in page.page.locator("#quillwork_txt2img_fault").inner_text()
    below = page.page.locator("#html_log_txt2img .quillwork-error").first
    assert "failed (503)" in below.inner_text()
    colours = [
        place.evaluate("(element) => getComputedStyle(element).color")
        for place in (below, page.page.locator("#quillwork_txt2img_fault"))
    ]
    assert colours == ["rgb(252, 165, 165)"] * 2, "not the page's own red on dark"


def test_a_user_has_all_combinations_made_without_a_model(
    wired: WebUI, wire: WireServer, open_page: Callable[[WebUI], WebUIPage]
) -> None:
    page = open_page(wired)
    page.prompt().fill("a {red|blue} fox in {snow|rain|fog}")
    page.open_accordion()
    page.script("variables_alone").locator("input").check()
    page.choose(page.script("selection"), "combinations")
    page.script("count").locator("input").first.fill("100")
    page.script("count").locator("input").first.blur()
    infotext = page.generate()
    assert " fox in " in infotext.split("\n")[0] and "{" not in infotext.split("\n")[0]
    assert "Quillwork selection: combinations, Quillwork variables alone: only" in infotext
    thumbnails = page.page.locator("#txt2img_gallery .thumbnail-item, #txt2img_gallery .thumbnails button")
    thumbnails.nth(5).wait_for(state="attached")
    assert wire.log == []


def test_combinations_in_batches_are_as_many_images_as_there_are(wired: WebUI) -> None:
    asked = {"enabled": False, "variables_alone": True, "selection": "combinations", "count": 100}
    done = wired.txt2img("a {red|blue} fox in {snow|rain|fog}", [asked], batch_size=4)
    assert done.status == 200, done.error
    texts = [text.split("\n", 1)[0] for text in done.infotexts]
    assert len(texts) == len(set(texts)) == 6
    assert [text.split("Seed: ")[1].split(",")[0] for text in done.infotexts] == [
        "5",
        "6",
        "7",
        "8",
        "9",
        "10",
    ]


def test_what_nobody_here_knows_is_left_for_others_and_told(
    fox: str, wired: WebUI, open_page: Callable[[WebUI], WebUIPage]
) -> None:
    page = open_page(wired)
    page.prompt().fill(f"{fox} in __nosuch__, {{2$$__nor_this__}}, ${{hat}}")
    page.open_accordion()
    page.script("enabled").locator("input").check()
    infotext = page.generate()
    assert infotext.startswith("a red fox __nosuch__ in fresh snow, ")
    for piece in ("__nosuch__", "{2$$__nor_this__}", "${hat}"):
        assert piece in infotext.split("\n")[0], "what others would resolve is not there any more"
    assert "Quillwork left: __nosuch__; __nor_this__" in infotext
    assert "Quillwork error" not in infotext
    assert "__nosuch__ stays as it is: the library has no values for it." in page.remarks()


def test_a_user_sees_what_went_wrong_beside_the_image(
    fox: str, wired: WebUI, open_page: Callable[[WebUI], WebUIPage]
) -> None:
    page = open_page(wired)
    page.prompt().fill(fox)
    page.open_accordion()
    page.script("enabled").locator("input").check()
    model = page.script("model").locator("input").first
    model.fill("fox-status503")
    model.press("Enter")
    page.choose(page.script("on_error"), "passthrough")
    assert page.generate().startswith(fox)
    assert "failed (503)" in page.remarks()
    assert_looks_like_an_error(page)
    assert "Quillwork error" in page.infotext()


def test_the_models_can_be_refreshed(
    wired: WebUI, wire: WireServer, open_page: Callable[[WebUI], WebUIPage]
) -> None:
    page = open_page(wired)
    page.open_accordion()
    page.script("refresh").click()
    deadline = time.monotonic() + 20
    while not [call for call in wire.log if call.path.endswith("/models")] and time.monotonic() < deadline:
        page.page.wait_for_timeout(100)
    assert [call for call in wire.log if call.path.endswith("/models")]


def test_a_host_without_aiohttp_is_told_what_to_install(tmp_path: Path, webui_factory: WebUIs) -> None:
    """As a Forge Neo that was started with --skip-install: the image is not made from something else."""
    (tmp_path / "aiohttp.py").write_text(
        "raise ModuleNotFoundError('No aiohttp.', name='aiohttp')\n", "utf-8"
    )
    env = {"PYTHONPATH": str(tmp_path), "LLM_BASE_URL": "http://127.0.0.1:9/v1", "LLM_MODEL": "fox"}
    webui = webui_factory(env, fresh=True)
    done = webui.txt2img("a fox", [True])
    assert (done.status, done.images) == (503, [])
    assert "package aiohttp" in done.error and "install.py" in done.error
    passed = webui.txt2img("a fox", [{"on_error": "passthrough"}])
    assert passed.infotext.startswith("a fox\n") and "package aiohttp" in passed.infotext
    assert "ModuleNotFoundError" not in webui.log()

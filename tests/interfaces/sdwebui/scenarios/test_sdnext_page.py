"""SD.Next, whose page, prompts and jobs go their own way: on its stand-in, in its Modern UI."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from interfaces.sdwebui.tab.test_page import PIXEL, Tab
from interfaces.sdwebui.test_enhance_now import Buttons, choose_model
from webui.fixtures import WebUIs
from webui.process import WebUI, real_forge
from wire.server import WireServer

if TYPE_CHECKING:
    from webui.page import WebUIPage

pytestmark = pytest.mark.skipif(real_forge() is not None, reason="a real Forge is no SD.Next")

WRITTEN = "a red fox in fresh snow"
_foxes = itertools.count(1)


@pytest.fixture
def fox() -> str:
    """Return an idea that no test has had before: what was written once is not asked for again."""
    return f"a fox of SD.Next number {next(_foxes)}"


@pytest.fixture
def sdnext(webui_factory: WebUIs, wire: WireServer) -> WebUI:
    return webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, style="sdnext")


@pytest.fixture
def page(sdnext: WebUI, open_page: Callable[[WebUI], WebUIPage]) -> WebUIPage:
    return open_page(sdnext)


def wildcard(webui: WebUI, name: str, *values: str) -> None:
    """Write a file in the host's own folder of wildcards."""
    folder = webui.data_directory / "models" / "wildcards"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text("\n".join(values), "utf-8")


def prompts(infotexts: list[str]) -> list[str]:
    return [text.split("\n", 1)[0] for text in infotexts]


# -- the page


@pytest.mark.parametrize("tab", ["control", "video"])
def test_enhance_now_writes_into_the_tab_that_is_seen(page: WebUIPage, tab: str) -> None:
    page.tab(tab)
    buttons = Buttons(page, tab)
    prompt = page.prompt(tab)
    prompt.fill("a fox in the snow")
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    buttons.rest()
    buttons.status_has("Written by fox")
    buttons.undo.click()
    buttons.prompt_is("a fox in the snow")
    assert page.prompt("txt2img").input_value() == ""


@pytest.mark.parametrize("tab", ["control", "video"])
@pytest.mark.parametrize("way", ["the button", "Esc"])
def test_stop_gives_the_prompt_back(page: WebUIPage, wire: WireServer, tab: str, way: str) -> None:
    page.tab(tab)
    buttons = Buttons(page, tab)
    choose_model(page, "fox-hang", tab)
    page.prompt(tab).fill("a fox")
    buttons.begin.click()
    wire.wait_calls()
    if way == "Esc":
        page.prompt(tab).press("Escape")
    else:
        buttons.stop.click()
    wire.wait_disconnects()
    buttons.rest()
    assert page.prompt(tab).input_value() == "a fox"


def test_a_video_is_written_for_the_model_that_makes_it(page: WebUIPage, wire: WireServer) -> None:
    page.tab("video")
    buttons = Buttons(page, "video")
    page.choose(page.page.locator("#video_model"), "WAN 2.2 A14B T2V")
    page.prompt("video").fill("a fox runs")
    buttons.begin.click()
    buttons.prompt_is(WRITTEN)
    assert "Wan 2.2" in str(wire.calls()[-1].json)


def test_no_id_of_ours_stands_twice_in_the_page(page: WebUIPage) -> None:
    buttons = "[...document.querySelectorAll('button[id*=quillwork], .block[id*=quillwork]')]"
    ids = page.page.evaluate(f"() => {buttons}.map((part) => part.id)")
    assert [name for name, times in Counter(ids).items() if times > 1] == []


@pytest.mark.parametrize("tab", ["control", "video"])
def test_a_description_is_sent_to_a_box_that_is_seen(page: WebUIPage, tab: str) -> None:
    page.page.locator("#control_extras").click()
    assert not page.prompt("control").is_visible()
    described = Tab(page, "Describe image")
    for hidden in ("txt2img", "img2img"):
        assert "only-legacy" in (described.find(f"send_{hidden}").get_attribute("class") or "").split()
    described.find("picture").locator("input[type=file]").set_input_files(
        {"name": "red.png", "mimeType": "image/png", "buffer": PIXEL}
    )
    page.page.wait_for_timeout(500)
    described.press("describe")
    described.holds("description", WRITTEN)
    described.has("describe_status", "Written by")
    described.press(f"send_{tab}")
    page.wait("(tab) => document.querySelector(`#${tab}_prompt textarea`).value !== ''", tab)
    assert page.prompt(tab).input_value() == WRITTEN
    assert page.prompt(tab).is_visible()
    page.tab("Quillwork")
    described.press(f"send_{tab}")
    page.prompt(tab).wait_for(state="visible")


# -- a generation in the Control tab


TOLD = """['control-result', 'html_log_control'].map((id) =>
    [...document.querySelectorAll(`#${id}`)].at(-1).innerText.trim()).join(' ')"""


def generate(page: WebUIPage, prompt: str, told: str) -> str:
    """Generate in the Control tab until it reports `told`; return everything that it reports then."""
    page.prompt("control").fill(prompt)
    page.page.locator("#control_generate").click()
    page.wait(f"(told) => {TOLD}.includes(told)", told)
    return shown_on(page)


def shown_on(page: WebUIPage) -> str:
    """Return the Control tab's report on the latest generation."""
    return page.page.evaluate(f"() => {TOLD}")


def switch_on(page: WebUIPage) -> None:
    page.tab("control")
    page.open_accordion(tab="control")
    page.script("enabled", "control").locator("input").check()


def test_it_writes_in_the_control_tab(page: WebUIPage, fox: str) -> None:
    switch_on(page)
    assert WRITTEN in generate(page, fox, f"Quillwork prompt: {fox}")


def test_an_error_is_told_where_the_control_tab_shows_one(page: WebUIPage, fox: str) -> None:
    switch_on(page)
    choose_model(page, "fox-status503", "control")
    assert "Traceback" not in generate(page, fox, "failed (503)")
    assert not page.page.locator(".info-results-container").is_visible(), "that panel is folded"
    for seen in (".quillwork-toast", "#quillwork_control_fault"):
        page.page.locator(seen).wait_for(state="visible")
        assert "failed (503)" in page.page.locator(seen).inner_text()
    choose_model(page, "fox", "control")
    generate(page, fox, WRITTEN)


def test_an_interrupt_ends_a_job_of_the_control_tab(page: WebUIPage, fox: str, wire: WireServer) -> None:
    switch_on(page)
    choose_model(page, "fox-hang", "control")
    page.page.locator("#control_batch_count input").first.fill("3")
    page.prompt("control").fill(fox)
    page.page.locator("#control_generate").click()
    wire.wait_calls()
    page.page.locator("#control_interrupt").click()
    page.wait(f"() => {TOLD}.includes('Ready')")
    assert "Images None" in shown_on(page)


# -- jobs of programs


def test_an_interrupt_ends_the_job_too(sdnext: WebUI, fox: str, wire: WireServer) -> None:
    """SD.Next begins anew between our turn and the sampling, and forgets what was pressed."""
    running = sdnext.start(fox, [{"model": "fox-hang"}], n_iter=3)
    wire.wait_calls()
    time.sleep(0.2)
    sdnext.interrupt()
    wire.wait_disconnects()
    assert running.result(60).images == []
    assert prompts(sdnext.txt2img(fox, [True]).infotexts) == [WRITTEN]


def test_a_job_that_ends_in_an_error_is_told_as_ended(sdnext: WebUI, fox: str) -> None:
    done = sdnext.txt2img(fox, [{"model": "fox-status401"}])
    assert done.status == 502
    assert "rejected the key (401)" in done.error
    assert sdnext.get("/sdapi/v1/progress").json()["state"]["job"] == ""


def test_what_the_host_resolves_reaches_the_sampler_resolved(sdnext: WebUI, wire: WireServer) -> None:
    """With our own resolving off, the answer holds the host's syntax, which the host has resolved before."""
    wildcard(sdnext, "sdnext_animal", "cat", "dog")
    wire.script("fox", "a regal __sdnext_animal__ in {snow|rain} at dawn")
    typed = "a __sdnext_animal__ in {snow|rain}"
    done = sdnext.txt2img(typed, [{"variables": False}], batch_size=6, negative_prompt="no {a|b}")
    assert done.status == 200, done.error
    wanted = {f"a regal {animal} in {sky} at dawn" for animal in ("cat", "dog") for sky in ("snow", "rain")}
    assert set(prompts(done.infotexts)) <= wanted
    assert len(set(prompts(done.infotexts))) > 1, "each image has its own seed"
    for text in done.infotexts:
        assert f"Template: {typed}" in text
        assert "Negative prompt: no {" not in text
        assert "Wildcards: sdnext_animal" in text or "Wildcards: " in text


def test_styles_are_put_around_it_once(sdnext: WebUI, fox: str, wire: WireServer) -> None:
    wire.script("fox", "{a fox|a fox} in oil")
    done = sdnext.txt2img(fox, [{"variables": False}], styles=["Painted"])
    assert prompts(done.infotexts) == ["a fox in oil, oil on canvas"]

"""The host itself, the stand-in or a real Forge, as the adapter's tests rely on it. No extension of ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from webui.fixtures import WebUIs
from webui.process import WebUI

if TYPE_CHECKING:
    from webui.page import WebUIPage

PROBE = Path(__file__).resolve().parent / "probe"
NAME = "a probe - renamed (2)"


@pytest.fixture
def probed(webui_factory: WebUIs) -> WebUI:
    """A web UI with nothing in it but the probe."""
    return webui_factory(extensions={NAME: PROBE})


def test_a_script_is_executed_outside_of_the_modules(probed: WebUI) -> None:
    """Under its file's name, not in sys.modules, and `basedir` is the folder only meanwhile."""
    report = probed.get("/probe").json()
    assert report["name"] == "probe.py"
    assert report["in_modules"] is False
    assert Path(report["basedir_at_import"]).name == NAME
    assert Path(report["basedir_later"]).name != NAME


def test_the_root_stays_in_the_path_only_with_forge(probed: WebUI) -> None:
    report = probed.get("/probe").json()
    assert report["root_in_path_later"] is (probed.style == "forge")


def test_a_generation_gives_images_with_their_infotext(probed: WebUI) -> None:
    done = probed.txt2img("a fox, red", [True, "seen"], batch_size=2, negative_prompt="bad")
    assert done.status == 200, done.error
    assert len(done.images) == 2
    first, second = done.infotexts
    assert first.startswith("a fox, red [process 0]\nNegative prompt: bad\nSteps: 1, ")
    assert second.startswith("a fox, red [process 1]\n")
    assert 'Probe: "a fox, red: seen"' in first
    assert "Seed: 5," in first and "Seed: 6," in second


def test_missing_arguments_have_their_defaults(probed: WebUI) -> None:
    assert 'Probe: "a fox: word"' in probed.txt2img("a fox", [True]).infotext
    assert "Probe" not in probed.txt2img("a fox").infotext


def test_a_fault_in_a_script_is_swallowed_and_logged(probed: WebUI) -> None:
    done = probed.txt2img("please fail", [True])
    assert done.infotext.startswith("please fail\n")
    assert "*** Error running before_process" in probed.log()
    assert "RuntimeError: as asked" in probed.log()


def test_before_process_comes_before_the_checkpoint(webui_factory: WebUIs) -> None:
    fresh = webui_factory(fresh=True, extensions={NAME: PROBE})
    assert fresh.txt2img("a fox", [True]).status == 200
    log = fresh.log()
    loading = "Loading Model" if fresh.is_real else "Loading weights"
    assert log.index("probe: before_process") < log.index(loading) < log.index("probe: process")


def test_an_interrupted_script_ends_the_job_and_the_next_one_runs(probed: WebUI) -> None:
    """An interrupt before the first image: no image, and no error."""
    running = probed.start("wait for the interrupt", [True])
    deadline = time.monotonic() + 30
    while "probe: waiting" not in probed.log() and time.monotonic() < deadline:
        time.sleep(0.02)
    probed.interrupt()
    ended = running.result(60)
    assert ended.status == 200, ended.error
    assert ended.images == []
    assert "probe: interrupted" in probed.log()
    assert probed.txt2img("a fox").status == 200


def test_options_are_kept_in_the_config_file(probed: WebUI) -> None:
    assert probed.post("/sdapi/v1/options", {"probe_word": "kept"}).status == 200
    assert '"probe_word": "kept"' in (probed.data_directory / "config.json").read_text("utf-8")


def test_the_page_has_script_tab_and_settings(probed: WebUI, open_page: Callable[[WebUI], WebUIPage]) -> None:
    page = open_page(probed)
    page.wait("() => window.probeLoaded === true")
    page.prompt().fill("a fox")
    page.open_accordion("Probe")
    page.page.locator("#script_txt2img_quillwork_enabled input").check()
    page.field("script_txt2img_quillwork_word").fill("typed")
    assert 'Probe: "a fox: typed"' in page.generate()
    assert "probe was here" in page.remarks()
    page.read_parameters('a wolf\nSteps: 1, Sampler: Euler, Seed: 7, Probe: "a wolf: read back"')
    assert page.field("script_txt2img_quillwork_word").input_value() == "a wolf: read back"
    page.tab("Probe tab")
    page.field("probe_in").fill("abc")
    page.page.locator("#probe_button").click()
    page.wait("() => document.querySelector('#probe_out textarea').value === 'cba'")


def test_reload_ui_executes_the_scripts_again(probed: WebUI, open_page: Callable[[WebUI], WebUIPage]) -> None:
    page = open_page(probed)
    page.reload_ui()
    assert probed.get("/probe").json()["executions"] == 2


@pytest.mark.parametrize("style", ["a1111", "forge", "sdnext"])
def test_each_style_starts_and_generates(webui_factory: WebUIs, style: str) -> None:
    webui = webui_factory(style=style, extensions={NAME: PROBE})
    report = webui.get("/probe").json()
    assert report["has_comment"] is (style != "sdnext")
    assert webui.txt2img("a fox", [True]).status == 200
    with_metaclass = [script["name"] for script in webui.get("/sdapi/v1/script-info").json()]
    assert ("probe with a metaclass" in with_metaclass) is (style != "sdnext")


def test_api_and_page_ask_for_a_password(webui_factory: WebUIs) -> None:
    webui = webui_factory(extensions={}, flags=("--api-auth", "a:b", "--gradio-auth", "c:d"))
    assert webui.get("/sdapi/v1/options").status == 401
    assert webui.get("/sdapi/v1/options", {"Authorization": "Basic YTpi"}).status == 200
    assert webui.get("/config").status == 401


def test_without_a_page_there_are_still_the_routes(webui_factory: WebUIs) -> None:
    webui = webui_factory(extensions={NAME: PROBE}, flags=("--nowebui",))
    assert webui.get("/probe").json()["demo"] is False
    assert "Probe" in webui.txt2img("a fox", [True]).infotext

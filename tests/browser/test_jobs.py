"""The sidebar's jobs: a run of Caption Folder with its progress, paused, resumed and stopped there."""

from __future__ import annotations

import threading

import pytest
from host.process import Host
from wire.server import WireServer

Picture = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("renderer", ["nodes2"], scope="session")]

OPEN = "() => { app.extensionManager.sidebarTab.toggleSidebarTab('quillwork-jobs'); }"


@pytest.fixture(autouse=True)
def _closed(comfy):
    yield
    # It lies over the nodes of the tests that follow on this page.
    comfy.page.evaluate("() => { app.extensionManager.sidebarTab.activeSidebarTabId = null; }")


def state(word: str) -> str:
    return f".quillwork-job[data-state='{word}']"


def test_a_job_is_shown_and_obeys(comfy, wire: WireServer) -> None:
    host: Host = comfy.host
    folder = host.base_directory / "input" / "set"
    folder.mkdir()
    for number in range(40):
        Picture.new("RGB", (32, 32), (5 * number, 20, 20)).save(folder / f"img{number}.png")
    goes_on = threading.Event()

    def answer(_: object) -> str:
        goes_on.wait(120)
        return "a fox"

    wire.script("*", answer)
    comfy.add("QuillworkCaptionFolder", folder="set")
    comfy.page.evaluate(OPEN)
    page = comfy.page
    page.wait_for_selector(".quillwork-jobs")
    comfy.start()
    wire.wait_calls(1)
    page.wait_for_selector(state("running"))
    assert "of 40" in page.inner_text(".quillwork-job")
    assert page.inner_text(".quillwork-job .quillwork-entry-name") == "set"
    page.click(".quillwork-job button:text('Pause')")
    page.wait_for_selector(state("paused"))
    page.click(".quillwork-job button:text('Resume')")
    page.wait_for_selector(state("running"))
    page.click(".quillwork-job button:text('Stop')")
    page.wait_for_selector(state("stopping"))
    goes_on.set()
    assert comfy.wait_end()[0] == "execution_interrupted"
    page.wait_for_selector(state("open"))
    assert comfy.run()[0] == "execution_success"
    page.wait_for_selector(state("done"))
    assert len(list(folder.glob("*.txt"))) == 40

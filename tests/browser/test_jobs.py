"""The sidebar's jobs: a run of Caption Folder with its progress, paused, resumed and stopped there."""

from __future__ import annotations

import re
import threading
from pathlib import Path

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
    there = len(list(folder.glob("*.txt")))
    goes_on.clear()
    comfy.start()
    page.wait_for_selector(state("running"))
    assert f"{there} of 40 · {there} from before" in page.inner_text(".quillwork-job")
    goes_on.set()
    assert comfy.wait_end()[0] == "execution_success"
    page.wait_for_selector(state("done"))
    assert len(list(folder.glob("*.txt"))) == 40


FOX = "a red fox in fresh snow"


def pictures(folder: Path, count: int = 20) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Picture.new("RGB", (32, 32), (5 * number, 90, 20)).save(folder / f"img{number}.png")
    return folder


class Panel:
    """The sidebar's jobs with the form for a new one open."""

    def __init__(self, page, kind: str = "captions") -> None:
        self.page, self.form = page, f".quillwork-new-{kind}"
        page.evaluate(OPEN)
        page.wait_for_selector(".quillwork-jobs")
        if page.locator(f"{self.form}:not([open])").count():
            page.click(f"{self.form} summary")

    def field(self, label: str):
        # The words of a list's label go on with its choices.
        return self.page.locator(self.form).get_by_label(re.compile(f"^{label}"))

    def press(self, name: str) -> None:
        self.page.locator(self.form).get_by_role("button", name=name, exact=True).click()

    def says(self, words: str) -> None:
        self.page.wait_for_function(
            "([form, words]) => document.querySelector(`${form} [role=status]`).textContent.includes(words)",
            arg=[self.form, words],
        )

    @property
    def samples(self) -> list[str]:
        return self.page.locator(f"{self.form} .quillwork-samples dd").all_inner_texts()


def test_captions_are_written_for_no_music_model(comfy) -> None:
    targets = Panel(comfy.page).field("For model")
    targets.locator("option[value=sdxl]").wait_for(state="attached")
    assert targets.locator("option[value=ace_step_1_5]").count() == 0


def test_a_folder_is_captioned_from_the_sidebar(comfy, wire: WireServer) -> None:
    host: Host = comfy.host
    folder = pictures(host.base_directory / "input" / "from the sidebar")
    (folder / "img3.txt").write_text("mine", "utf-8")
    wire.script("*", FOX)
    panel = Panel(comfy.page)
    panel.field("Folder").fill("from the sidebar")
    panel.field("Trigger word").fill("ohwx")
    panel.field("Instruction").fill("name the light")
    panel.press("Preview")
    panel.says("Images that get a caption: 19 of 20. Already captioned: 1. At most about 0:00:")
    assert panel.samples == [f"ohwx, {FOX}"] * 3
    names = comfy.page.locator(".quillwork-new-captions dt").all_inner_texts()
    assert names == ["img0.png", "img1.png", "img2.png"]
    assert list(folder.glob("*.txt")) == [folder / "img3.txt"], "nothing is written yet"
    assert "name the light" in str(wire.calls()[0].json)
    # What was shown is not what would begin now.
    panel.field("Captions that are already there").select_option("replace")
    assert panel.samples == []
    assert not comfy.page.locator(".quillwork-new-captions button:text-is('Start')").is_visible()
    panel.press("Preview")
    panel.says("caption: 20 of 20.")
    panel.press("Start")
    comfy.page.wait_for_selector(state("done"))
    assert comfy.page.locator(".quillwork-new-job[open]").count() == 0
    assert comfy.page.inner_text(".quillwork-job .quillwork-entry-name") == "from the sidebar"
    texts = {file.read_text("utf-8").strip() for file in folder.glob("*.txt")}
    assert len(list(folder.glob("*.txt"))) == 20 and texts == {f"ohwx, {FOX}"}


def test_it_goes_on_while_the_page_is_loaded_anew(comfy, wire: WireServer) -> None:
    host: Host = comfy.host
    folder = pictures(host.base_directory / "input" / "long")
    goes_on = threading.Event()

    def answer(_: object) -> str:
        if len(wire.calls()) > 3:
            goes_on.wait(120)
        return FOX

    wire.script("*", answer)
    page = comfy.page
    panel = Panel(page)
    panel.field("Folder").fill("long")
    panel.press("Preview")
    panel.says("20 of 20")
    panel.press("Start")
    page.wait_for_selector(state("running"))
    comfy.open()
    panel = Panel(page)
    page.wait_for_selector(state("running"))
    panel.field("Folder").fill("long")
    panel.press("Preview")
    panel.says("Another job is writing to")
    page.click(".quillwork-job button:text('Stop')")
    page.wait_for_selector(state("stopping"))
    goes_on.set()
    page.wait_for_selector(state("open"))
    assert page.inner_text(".quillwork-job .quillwork-count") == "not finished"
    page.click(".quillwork-job button:text('Resume')")
    page.wait_for_selector(state("done"))
    assert len(list(folder.glob("*.txt"))) == len(wire.calls()) == 20
    comfy.forgive("status of 400")


def test_what_is_wrong_is_told_and_a_folder_elsewhere_is_asked_for(
    comfy, wire: WireServer, tmp_path: Path
) -> None:
    folder = pictures(tmp_path / "elsewhere", 1)
    wire.script("*", FOX)
    page = comfy.page
    panel = Panel(page)
    panel.field("Folder").fill("nothing there")
    panel.press("Preview")
    panel.says("There is no folder")
    panel.field("Folder").fill(str(folder))
    panel.press("Preview")
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    panel.says("caption: 1 of 1.")
    panel.press("Start")
    page.wait_for_selector(state("done"))
    assert (folder / "img0.txt").read_text("utf-8").strip() == FOX
    comfy.forgive("status of 400")
    comfy.forgive("status of 403")


def test_a_preview_is_stopped(comfy, wire: WireServer) -> None:
    pictures(comfy.host.base_directory / "input" / "slow", 4)
    panel = Panel(comfy.page)
    panel.field("Folder").fill("slow")
    panel.field("Vision model").fill("fox-hang")
    # The list of models lies over the buttons.
    comfy.page.keyboard.press("Escape")
    panel.press("Preview")
    wire.wait_calls(3)
    panel.press("Stop")
    wire.wait_disconnects(3)
    assert comfy.page.locator(".quillwork-new-captions button:text-is('Preview')").is_visible()


DROP = """([form, name, text]) => {
  const files = new DataTransfer();
  files.items.add(new File([text], name));
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: files });
    document.querySelector(form).dispatchEvent(event);
  }
}"""


def test_prompts_for_a_file_are_begun_stopped_resumed_and_fetched(
    comfy, wire: WireServer, tmp_path: Path
) -> None:
    goes_on = threading.Event()

    def answer(_: object) -> str:
        if len(wire.calls()) > 5:
            goes_on.wait(120)
        return FOX

    wire.script("*", answer)
    page = comfy.page
    panel = Panel(page, "prompts")
    ideas = tmp_path / "meine Ideen.csv"
    ideas.write_bytes(
        b"idea;target\n" + "".join(f"ein Füchslein {n};plain\n" for n in range(20)).encode("cp1252")
    )
    page.set_input_files(f"{panel.form} input[type=file]", ideas)
    page.wait_for_selector(f"{panel.form} .quillwork-file-name:text-is('meine Ideen.csv')")
    assert not panel.field("Ideas, one a line").is_visible()
    panel.field("Instruction").fill("at night")
    panel.field("Results as").select_option("csv")
    panel.press("Preview")
    panel.says("Lines that get a prompt: 20 of 20. They go to the folder quillwork")
    assert panel.samples == [FOX] * 3
    assert page.locator(f"{panel.form} dt").all_inner_texts() == [f"ein Füchslein {n}" for n in range(3)]
    assert "at night" in str(wire.calls()[0].json)
    panel.press("Start")
    page.wait_for_selector(state("running"))
    page.click(".quillwork-job button:text('Pause')")
    page.wait_for_selector(state("paused"))
    page.click(".quillwork-job button:text('Resume')")
    page.wait_for_selector(state("running"))
    page.click(".quillwork-job button:text('Stop')")
    page.wait_for_selector(state("stopping"))
    goes_on.set()
    page.wait_for_selector(state("open"))
    goes_on.clear()
    page.click(".quillwork-job button:text('Resume')")
    page.wait_for_selector(state("running"))
    page.wait_for_function("document.querySelector('.quillwork-job').innerText.includes('from before')")
    goes_on.set()
    page.wait_for_selector(state("done"))
    with page.expect_download() as download:
        page.click(".quillwork-job button:text('Download results')")
    (out,) = (comfy.host.base_directory / "output" / "quillwork").iterdir()
    assert out.name.startswith("meine_Ideen-") and out.suffix == ".csv"
    assert download.value.suggested_filename == out.name
    fetched = Path(download.value.path()).read_text("utf-8-sig")
    assert fetched.count(FOX) == 20 and "ein Füchslein 19" in fetched
    assert len(wire.calls()) == 20


def test_a_file_is_dropped_or_lines_are_entered(comfy, wire: WireServer) -> None:
    wire.script("*", FOX)
    page = comfy.page
    # What was entered before is forgotten with the page.
    comfy.open()
    panel = Panel(page, "prompts")
    panel.field("Ideas, one a line").fill("a fox\nan owl")
    panel.press("Preview")
    panel.says("prompt: 2 of 2.")
    page.evaluate(DROP, [panel.form, "more.jsonl", '{"idea": "a cat"}\n{"idea": "a hen", "target": ["x"]}'])
    page.wait_for_selector(f"{panel.form} .quillwork-file-name:text-is('more.jsonl')")
    assert panel.samples == []
    panel.press("Preview")
    panel.says("more.jsonl, line 2: target is ['x']. Write one text.")
    panel.press("Remove the file")
    assert panel.field("Ideas, one a line").input_value() == "a fox\nan owl"
    panel.press("Preview")
    panel.says("prompt: 2 of 2.")
    panel.press("Start")
    page.wait_for_selector(state("done"))
    assert len(wire.calls()) == 2
    comfy.forgive("status of 400")

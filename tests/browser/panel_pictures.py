"""Pictures of everything outside the nodes: the settings page, the choice of a model, variables, Enhance."""

from __future__ import annotations

from pathlib import Path

from browser.comfy_page import ComfyPage
from host.process import Host
from playwright.sync_api import Browser, Locator
from wire.server import WireServer

SETTINGS = {
    "LLM_MODEL": "ollama/llama3.2",
    "LOCAL_LIBRARY_DIR": "~/wildcards",
    "AZURE_API_VERSION": "2025-04-01",
}
MODELS = ["llama3.2", "qwen3:4b", "gemma3:4b"]
LIBRARY = {
    "animal": 24,
    "fabric": 12,
    "hair/colour": 18,
    "hair/style": 31,
    "light": 40,
    "place/city": 55,
    "place/landscape": 38,
    "season": 8,
    "weather": 16,
}
SEASONS = ["early spring", "late spring", "high summer", "Indian summer", "first frost", "midwinter"]
NEW_SEASONS = ["monsoon", "the days between the years", "harvest time", "polar night", "dry season"]
ENHANCED = (
    "A red fox pauses in deep, untouched snow at the edge of a silent pine forest, one paw raised, its thick "
    "winter coat catching the last light."
)


def prepare(base: Path) -> None:
    """Make a library in the folder that `SETTINGS` names; `base` is the host's home."""
    for name, count in LIBRARY.items():
        file = base / "wildcards" / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = SEASONS if name == "season" else [f"{name} {number}" for number in range(count)]
        file.write_text("\n".join(values) + "\n", "utf-8")


def shoot_panels(browser: Browser, host: Host, wire: WireServer, folder: Path) -> None:
    """Take all of them, on a host with `SETTINGS` and with `wire` as its Ollama and its Azure."""
    headers = {"X-Quillwork": "1"}
    key = {"provider": "azure", "key": "not-a-key-7Zq3", "check": False}
    assert host.post("/quillwork/keys", json=key, headers=headers).status == 200
    comfy = ComfyPage(browser, host, "nodes2", width=1180, height=860, scale=1.25)
    try:
        comfy.new_workflow()
        _settings(comfy, folder)
        _first_run(comfy, folder)
        _variables(comfy, wire, folder)
        _enhance(comfy, wire, folder)
    finally:
        comfy.close()
        host.request("DELETE", "/quillwork/keys", headers=headers)


def _save(part: Locator, file: Path) -> None:
    part.screenshot(path=file, animations="disabled")
    print(f"{file} {file.stat().st_size // 1024} kB")


def _settings(comfy: ComfyPage, folder: Path) -> None:
    dialog = comfy.open_settings()
    dialog.get_by_text("from the environment").first.wait_for()
    dialog.locator(".quillwork-key").first.wait_for()
    # The folder of this run means nothing to a reader, whose own has another name.
    dialog.get_by_text("keys.json").first.evaluate(
        "(text, folder) => { text.textContent = text.textContent.replace(folder, 'ComfyUI'); }",
        str(comfy.host.base_directory),
    )
    _save(dialog, folder / "settings.png")
    comfy.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def _first_run(comfy: ComfyPage, folder: Path) -> None:
    comfy.command("Quillwork.Setup")
    dialog = comfy.page.locator("dialog.quillwork-dialog")
    dialog.locator("input[value=ollama]").check()
    _save(dialog, folder / "first_run.png")
    comfy.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def _variables(comfy: ComfyPage, wire: WireServer, folder: Path) -> None:
    comfy.page.set_viewport_size({"width": 1180, "height": 760})
    comfy.command("Quillwork.Variables")
    panel = comfy.page.locator(".quillwork-panel")
    panel.locator("[data-name=season]").click()
    wire.script("*", '{"values": ["' + '", "'.join(NEW_SEASONS) + '"]}')
    panel.get_by_label("Number of values").fill(str(len(NEW_SEASONS)))
    panel.get_by_role("button", name="Generate").click()
    panel.locator(".quillwork-offers label").nth(3).click()
    comfy.page.mouse.move(900, 600)
    _save(panel, folder / "variables.png")
    comfy.command("Workspace.ToggleSidebarTab.quillwork-variables")


def _enhance(comfy: ComfyPage, wire: WireServer, folder: Path) -> None:
    wire.script("*", ENHANCED)
    node = comfy.add("QuillworkResolveVariables", (120, 200), template="a fox in the snow")
    comfy.page.evaluate("() => { app.canvas.ds.scale = 1; app.canvas.ds.offset = [0, 0]; }")
    comfy.page.evaluate("() => app.canvas.setDirty(true, true)")
    comfy.page.wait_for_timeout(300)
    comfy.text_field(node).hover()
    comfy.page.locator(".quillwork-hover").click()
    beside = comfy.page.locator(".quillwork-beside")
    beside.get_by_label("For model").select_option("flux1_dev")
    beside.get_by_label("Instruction").fill("at dusk")
    beside.get_by_role("button", name="Enhance", exact=True).click()
    beside.locator("[role=status][data-state=good]").wait_for()
    at = beside.bounding_box()
    drawn = comfy.page.locator(f"[data-node-id='{node}']").bounding_box()
    assert at is not None
    assert drawn is not None
    left, top = drawn["x"] - 28, min(drawn["y"], at["y"]) - 28
    right = at["x"] + at["width"] + 28
    bottom = max(drawn["y"] + drawn["height"], at["y"] + at["height"]) + 28
    file = folder / "enhance_text.png"
    comfy.page.screenshot(
        path=file, clip={"x": left, "y": top, "width": right - left, "height": bottom - top}
    )
    print(f"{file} {file.stat().st_size // 1024} kB")
    comfy.page.keyboard.press("Escape")

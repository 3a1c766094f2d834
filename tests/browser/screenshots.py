"""Take the pictures for the README and the help page, on an imitated model.

    python tests/browser/screenshots.py [FOLDER [RENDERER ...]]        default: web/docs/images nodes2

With COMFYUI_PATH set the host is that ComfyUI, else the stand-in with the real frontend.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS))

from browser import panel_pictures  # noqa: E402
from browser.comfy_page import RENDERERS, ComfyPage, launch  # noqa: E402
from host.process import REPOSITORY, Host  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402
from wire.answers import Answer  # noqa: E402
from wire.server import WireServer  # noqa: E402

ANSWER = (
    "A red fox pauses in deep, untouched snow at the edge of a silent pine forest, one paw raised, its "
    "thick winter coat catching the last amber light of the afternoon. Fine powder drifts from the branches "
    "and glitters in the low sun; long blue shadows stretch across the clearing. Photographed at eye level "
    "with an 85mm lens at f/2, the fox tack sharp against a soft, hazy background, calm and quietly wild."
)
MARGIN = 28
# Only the graph: no side bar, no minimap, no menus.
QUIET = """() => {
    const style = document.createElement('style');
    style.textContent = `.side-tool-bar-container, .workflow-tabs-container, .comfyui-body-top,
        .actionbar-container, .graph-canvas-panel > *:not(canvas), [data-testid=minimap-container],
        .p-toast, .subgraph-breadcrumb
        { visibility: hidden !important }`;
    document.head.append(style);
    app.canvas.show_info = false;
    app.canvas.deselectAll?.();
    app.canvas.setDirty(true, true);
}"""


def shoot(browser: Browser, host: Host, wire: WireServer, renderer: str, folder: Path) -> None:
    suffix = "" if renderer == "nodes2" else f"_{renderer}"
    comfy = ComfyPage(browser, host, renderer, width=1500, height=1100, scale=1.5)
    comfy.new_workflow()
    node = comfy.add("QuillworkEnhancePrompt", (80, 100), prompt="a fox in the snow")
    preview = comfy.add("PreviewAny", (540, 100))
    comfy.link(node, 0, preview, 0)
    comfy.set(node, "target", "flux1_dev")
    # Another answer than the cached one of the picture before.
    comfy.set(node, "seed", 1 + RENDERERS.index(renderer))
    comfy.page.evaluate("(id) => app.graph.getNodeById(id).setSize([330, 330])", preview)
    comfy.page.evaluate(
        "() => { app.canvas.ds.scale = 1; app.canvas.ds.offset = [40, 70]; app.canvas.setDirty(true, true); }"
    )
    comfy.page.evaluate(QUIET)
    wire.script("*", Answer(pieces=[f"{word} " for word in ANSWER.split()], usage=(118, 96)))
    comfy.start()
    comfy.wait("() => document.querySelector('.quillwork-text').value.includes('winter coat')")
    picture(comfy, folder / f"enhance_prompt_live{suffix}.png")
    kind, detail = comfy.wait_end()
    assert kind == "execution_success", detail
    comfy.page.wait_for_timeout(4000)
    picture(comfy, folder / f"enhance_prompt{suffix}.png")
    comfy.close()


def picture(comfy: ComfyPage, file: Path) -> None:
    bounds = comfy.page.evaluate(
        """() => {
            const boxes = app.graph.nodes.map((node) => {
                const [x, y, width, height] = node.boundingRect;
                const drawn = document.querySelector(`[data-node-id='${node.id}']`)?.getBoundingClientRect();
                const to = app.canvasPosToClientPos([x + width, y + height]);
                return [...app.canvasPosToClientPos([x, y]), drawn?.right ?? to[0], drawn?.bottom ?? to[1]];
            });
            const least = (place) => Math.min(...boxes.map((box) => box[place]));
            const most = (place) => Math.max(...boxes.map((box) => box[place]));
            return [least(0), least(1), most(2), most(3)];
        }"""
    )
    left, top = bounds[0] - MARGIN, bounds[1] - MARGIN
    clip = {"x": left, "y": top, "width": bounds[2] + MARGIN - left, "height": bounds[3] + MARGIN - top}
    comfy.page.screenshot(path=file, clip=clip)
    print(f"{file} {file.stat().st_size // 1024} kB")


def main(folder: Path, renderers: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with WireServer.in_thread() as wire, sync_playwright() as playwright, launch(playwright) as browser:
        with running({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "llama3.2-gap40"}) as host:
            for renderer in renderers:
                shoot(browser, host, wire, renderer, folder)
        wire.models = panel_pictures.MODELS
        with running(
            panel_pictures.SETTINGS | {"OLLAMA_BASE_URL": wire.url, "AZURE_API_BASE": wire.url}
        ) as host:
            panel_pictures.prepare(host.base_directory)
            panel_pictures.shoot_panels(browser, host, wire, folder)


@contextmanager
def running(env: dict[str, str]) -> Iterator[Host]:
    packs = {"quillwork": REPOSITORY, "testpack": TESTS / "host" / "testpack"}
    with tempfile.TemporaryDirectory() as base:
        host = Host(Path(base), env, packs)
        try:
            yield host
        finally:
            host.close()


if __name__ == "__main__":
    images = REPOSITORY / "web" / "docs" / "images"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else images, sys.argv[2:] or ["nodes2"])

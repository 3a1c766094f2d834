"""Take the pictures for the help pages of the nodes around Enhance Prompt, from runs on an imitated model.

    python tests/browser/node_pictures.py [FOLDER]        default: web/docs/images

With COMFYUI_PATH set the host is that ComfyUI, else the stand-in with the real frontend.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS))

from browser.comfy_page import ComfyPage, launch  # noqa: E402
from browser.screenshots import ANSWER, QUIET, picture  # noqa: E402
from host.process import REPOSITORY, Host  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from wire.answers import Answer  # noqa: E402
from wire.server import WireServer  # noqa: E402

SEASONS = (
    "first frost",
    "apple blossom",
    "high summer",
    "late harvest",
    "deep midwinter",
    "spring thaw",
    "golden October",
    "rainy November",
)
REFINED = (
    "A lone fox sits in fresh snow beside an empty burrow, its head low, grey winter light, muted blues",
    "A lone fox sits in moonlit snow beside an empty burrow, its head low, cold starlight, deep shadows",
)
SEEN = (
    "A low, pale sun hangs over three rows of round hills. The farthest row is a hazy mauve, the middle one "
    "slate blue, the nearest almost black. The sky fades from dusty blue at the top to a warm apricot at the "
    "horizon. A flat, simple illustration in few colours, seen from a little above, with soft evening light."
)
SONG = """caption: Warm acoustic folk about a lonely lighthouse, fingerpicked guitar and fiddle, a low voice

lyrics:
[Verse]
The lamp goes round above the foam
No ship has passed since early May

[Chorus - soft]
Turn, little light, turn once for me
I keep the stairs, I keep the sea

bpm: 84

keyscale: D major

timesignature: 3"""
LIBRARY = {
    "season.txt": "# when the picture is set\n" + "\n".join(SEASONS),
    "time.txt": "dawn\nnoon\ndusk\nmidnight",
}


def generate_variables(comfy: ComfyPage, wire: WireServer) -> None:
    node = comfy.add(
        "QuillworkGenerateVariables",
        (80, 100),
        name="season",
        context="a cottage in __season__, oil painting",
        count=len(SEASONS),
        guidance="with weather in it",
    )
    preview(comfy, node, 1)
    wire.script("*", Answer(pieces=[json.dumps({"values": SEASONS})], usage=(164, 61)))
    run(comfy)


def resolve_variables(comfy: ComfyPage, wire: WireServer) -> None:
    library = comfy.host.quillwork_home / "library"
    library.mkdir(parents=True, exist_ok=True)
    for name, text in LIBRARY.items():
        (library / name).write_text(text + "\n", "utf-8")
    node = comfy.add(
        "QuillworkResolveVariables",
        (80, 100),
        template="a cottage in __season__ at __time__, {oil painting|watercolour}",
        count=4,
        seed=7,
    )
    preview(comfy, node, 0)
    run(comfy)


def llm_settings(comfy: ComfyPage, wire: WireServer) -> None:
    node = comfy.add(
        "QuillworkLLMSettings",
        (80, 100),
        llm_model="ollama/llama3.2",
        temperature=0.8,
        fallback_models="ollama/qwen3:4b, ollama/gemma3",
        reasoning="low",
    )
    enhance = comfy.add("QuillworkEnhancePrompt", (560, 100), prompt="a fox in the snow")
    comfy.link(node, 0, enhance, comfy.of(enhance, "node.findInputSlot('llm')"))
    comfy.page.wait_for_timeout(1000)


def chat(comfy: ComfyPage, wire: WireServer) -> None:
    wire.script("*", [Answer(pieces=[text], usage=(96, 41)) for text in REFINED])
    system = "Answer with one prompt for an image model and nothing else."
    first = comfy.add("QuillworkChat", (60, 100), prompt="a fox in the snow, make it sad", system=system)
    second = comfy.add("QuillworkChat", (520, 100), prompt="now at night", system=system)
    comfy.link(first, 1, second, comfy.of(second, "node.findInputSlot('history')"))
    run(comfy)


def describe_image(comfy: ComfyPage, wire: WireServer) -> None:
    hills(comfy.host.base_directory / "input" / "hills.png")
    comfy.page.evaluate("() => window.app.refreshComboInNodes()")
    loaded = comfy.add("LoadImage", (60, 100), image="hills.png")
    comfy.of(loaded, "void node.setSize([280, 330])")
    node = comfy.add("QuillworkDescribeImage", (390, 100))
    comfy.link(loaded, 0, node, 0)
    preview(comfy, node, 0, (800, 100))
    wire.script("*", Answer(pieces=[SEEN], usage=(1391, 58)))
    run(comfy)


def caption_folder(comfy: ComfyPage, wire: WireServer) -> None:
    folder = comfy.host.base_directory / "input" / "my_set"
    folder.mkdir()
    for number in range(12):
        hills(folder / f"hills{number}.png", (250, 190 - 8 * number, 120))
    (folder / "hills3.txt").write_text("three rows of hills", "utf-8")
    (folder / "scan.png").write_bytes(b"")
    node = comfy.add("QuillworkCaptionFolder", (80, 100), folder="my_set", trigger="ohwx hills")
    preview(comfy, node, 3)
    wire.script("*", Answer(pieces=[SEEN], usage=(1391, 58)))
    run(comfy)


def hills(file: Path, sky: tuple[int, int, int] = (250, 190, 120)) -> None:
    """Draw a picture to describe: a low sun over three rows of hills."""
    from PIL import Image, ImageDraw, ImageOps

    picture = Image.linear_gradient("L").resize((768, 512)).rotate(180)
    picture = ImageOps.colorize(picture, sky, (90, 110, 170))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((470, 190, 570, 290), fill=(255, 236, 190))
    for row, colour in enumerate([(120, 110, 140), (84, 84, 112), (46, 54, 74)]):
        for place in range(-1, 4):
            left, top = place * 260 + row * 90 - 120, 270 + row * 70
            draw.ellipse((left, top, left + 420, top + 400), fill=colour)
    picture.save(file)


def unload_llm(comfy: ComfyPage, wire: WireServer) -> None:
    node = comfy.add("QuillworkEnhancePrompt", (80, 130), prompt="a fox in the snow")
    unload = comfy.add("QuillworkUnloadLLM", (370, 100))
    comfy.link(node, 0, unload, 0)
    preview(comfy, unload, 0, (640, 100))
    comfy.of(node, "void node.collapse(true)")
    wire.script("*", Answer(pieces=[ANSWER], usage=(118, 96)))
    run(comfy)


def preview(comfy: ComfyPage, node: str, output: int, at: tuple[int, int] = (540, 100)) -> None:
    """Return the text of an output beside the node."""
    shown = comfy.add("PreviewAny", at)
    comfy.link(node, output, shown, 0)
    comfy.of(shown, "void node.setSize([330, 330])")


def split_prompt(comfy: ComfyPage, wire: WireServer) -> None:
    node = comfy.add(
        "QuillworkEnhancePrompt", (80, 100), prompt="a song about a lonely lighthouse", target="ace_step_1_5"
    )
    split = comfy.add("QuillworkSplitPrompt", (580, 100))
    comfy.link(node, 0, split, 0)
    preview(comfy, split, 1, (910, 100))
    wire.script("*", Answer(pieces=[SONG], usage=(912, 148)))
    run(comfy)


def run(comfy: ComfyPage) -> None:
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    comfy.page.wait_for_timeout(4000)


PICTURES = (
    generate_variables,
    resolve_variables,
    describe_image,
    caption_folder,
    llm_settings,
    chat,
    unload_llm,
    split_prompt,
)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    packs = {"quillwork": REPOSITORY, "testpack": TESTS / "host" / "testpack"}
    with (
        tempfile.TemporaryDirectory() as base,
        WireServer.in_thread() as wire,
        sync_playwright() as playwright,
    ):
        host = Host(Path(base), {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "llama3.2"}, packs)
        try:
            with launch(playwright) as browser:
                comfy = ComfyPage(browser, host, "nodes2", width=1500, height=1100, scale=1.5)
                for build in PICTURES:
                    comfy.new_workflow()
                    place = "app.canvas.ds.scale = 1; app.canvas.ds.offset = [40, 70]"
                    comfy.page.evaluate(f"() => {{ {place}; app.canvas.setDirty(true, true); }}")
                    comfy.page.evaluate(QUIET)
                    build(comfy, wire)
                    picture(comfy, folder / f"{build.__name__}.png")
        finally:
            host.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "web" / "docs" / "images")

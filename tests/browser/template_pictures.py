"""Draw the tiles that ComfyUI's template browser shows for the workflows: workflows/<name>.jpg.

    python tests/browser/template_pictures.py [NAME ...]

The browser shows a workflow of a pack by its file's name and the picture beside it, and has no place for a
description: so the picture says in one sentence what the workflow does, with an example of it.
"""

from __future__ import annotations

import html
import sys
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS))

from browser.comfy_page import launch  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

WORKFLOWS = TESTS.parent / "workflows"
SIDE = 560
QUALITY = 82


@dataclass(frozen=True)
class Tile:
    """Tile of a workflow: `given` becomes `made`, through the nodes in `by`; `hue` is its colour."""

    says: str
    given: str
    by: str
    made: tuple[str, ...]
    hue: int


TILES = {
    "enhance_prompt": Tile(
        "Turn an idea into a prompt for your image model",
        "a fox in the snow",
        "Enhance Prompt",
        ("A red fox stands alert in fresh powder snow, low winter sun, breath in the cold air, soft bokeh",),
        18,
    ),
    "variations_grid": Tile(
        "Six prompts from one idea, written in parallel",
        "a lighthouse at night",
        "Enhance Prompt · 6 variations",
        ("storm, long exposure", "moonlit fog", "ink drawing", "seen from a boat", "aurora", "last ferry"),
        224,
    ),
    "generate_variables": Tile(
        "Generate a list, save it to your library, fill a template",
        "a coat of __fabric__ in __season__",
        "Generate Variables › Resolve Variables",
        ("a coat of tweed in late autumn", "a coat of felt in deep winter", "a coat of linen in spring"),
        148,
    ),
    "wildcard_factory": Tile(
        "One template, many images: one for each value",
        "a long coat of __fabric__, {front|side} view",
        "Generate › Resolve › sampler",
        ("tweed, front", "tweed, side", "silk, front", "silk, side", "velvet, front", "velvet, side"),
        168,
    ),
    "describe_and_enhance": Tile(
        "Describe an image, and turn it into a new prompt",
        "your image + “the same on a rainy night”",
        "Describe Image › Enhance Prompt",
        ("Wet cobblestones under a street lamp, rain in its light, dark blue shop fronts",),
        262,
    ),
    "chat_refine_loop": Tile(
        "Improve a prompt in a conversation",
        "“make it a rainy night, with a cat”",
        "LLM Chat › LLM Chat",
        ("A keeper reads by lamplight, rain on the panes; a grey cat sleeps on the log book",),
        300,
    ),
    "proxy_ollama": Tile(
        "Write with Ollama or a proxy, and free its memory for the image",
        "ollama/llama3.2",
        "LLM Settings › Enhance Prompt › Unload LLM",
        ("A red fox crosses a frozen stream at dawn, frost on reeds, pale rose sky",),
        200,
    ),
    "local_4bit": Tile(
        "A 4-bit model in ComfyUI’s own memory: private, no server",
        "Qwen3 4B, 2.7 GB",
        "LLM Settings › Enhance Prompt",
        ("four prompts in one go", "frees memory for the sampler"),
        96,
    ),
    "gguf": Tile(
        "Write with a GGUF file, through llama.cpp",
        "model.Q4_K_M.gguf",
        "LLM Settings › Enhance Prompt",
        ("A quiet harbour in the first light, nets hung to dry, gulls on the mast tops, thin mist",),
        46,
    ),
    "host_encoder_zimage": Tile(
        "Write with Z-Image’s own text encoder: no extra memory",
        "Load CLIP › clip",
        "Enhance Prompt",
        ("A tea house above the clouds, lacquered wood, paper lanterns, morning mist between the pines",),
        340,
    ),
}

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; width: {side}px; height: {side}px; display: flex; flex-direction: column;
  gap: 15px; box-sizing: border-box; padding: 66px 30px 30px;
  color: #fff; font: 500 23px/1.32 "DejaVu Sans", sans-serif;
  background: radial-gradient(120% 90% at 90% 0,
    hsl({hue} 62% 36%), hsl({hue} 48% 17%) 58%, hsl({hue} 40% 11%)); }}
.given, .made span {{ border-radius: 14px; padding: 11px 16px; }}
.given {{ align-self: flex-start; background: #ffffff26; font-style: italic; }}
.by {{ font-size: 18px; opacity: .8; }}
.by::before {{ content: "↓  "; }}
.made {{ display: flex; flex-wrap: wrap; gap: 9px; font-size: 20px; }}
.made span {{ background: #fff; color: hsl({hue} 60% 18%); }}
h1 {{ margin: auto 0 0; font: 700 34px/1.2 "DejaVu Sans", sans-serif; text-wrap: balance; }}
</style>
<div class="given">{given}</div><div class="by">{by}</div><div class="made">{made}</div><h1>{says}</h1>"""


def page(tile: Tile) -> str:
    made = "".join(f"<span>{html.escape(text)}</span>" for text in tile.made)
    texts = {name: html.escape(getattr(tile, name)) for name in ("given", "by", "says")}
    return PAGE.format(side=SIDE, hue=tile.hue, made=made, **texts)


def main(names: list[str]) -> None:
    with sync_playwright() as playwright, launch(playwright) as browser:
        paper = browser.new_page(viewport={"width": SIDE, "height": SIDE})
        for name in names or list(TILES):
            paper.set_content(page(TILES[name]))
            file = WORKFLOWS / f"{name}.jpg"
            paper.screenshot(path=file, type="jpeg", quality=QUALITY)
            print(f"{file.name} {file.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

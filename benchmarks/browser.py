"""Cost of the pack in ComfyUI's page: its opening, and a keystroke in a long list of models and of tags.

    COMFYUI_PATH=… python benchmarks/browser.py [--rounds 5]

Chromium's own sampling profiler runs from before the first script until the page has come to rest, with a
node of ours on it. The baseline is the frontend's own scripts in the same profile.

A keystroke is measured from its event to the end of our handlers, with all the layout that they ask for, and
to the end of the next frame. The baseline of the frame is a field of the page without a list.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
from setting import machine, table  # noqa: E402

# This file would hide the folder of the same name.
sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != ROOT / "benchmarks"]
sys.path.insert(0, str(ROOT / "tests"))

try:
    import playwright  # noqa: F401
except ImportError:
    print("playwright is not installed: pip install playwright")
    raise SystemExit(0) from None

from browser.comfy_page import ComfyPage, launch  # noqa: E402
from host.process import Host, real_host  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

SAMPLE_US = 200
OURS = "/extensions/quillwork/"


def self_times(profile: dict[str, Any]) -> dict[str, float]:
    """The self time in milliseconds by the script's address."""
    addresses = {node["id"]: node["callFrame"]["url"] for node in profile["nodes"]}
    times: dict[str, float] = defaultdict(float)
    for node, microseconds in zip(profile["samples"], profile["timeDeltas"], strict=True):
        times[addresses[node]] += microseconds / 1000
    return times


def opening(browser: Browser, host: Host, renderer: str) -> tuple[float, float, int, int, int]:
    """Open the page once: (our self time, the frontend's, our scripts, our routes, foreign addresses)."""
    comfy = ComfyPage(browser, host, renderer)
    asked: list[str] = []
    try:
        session = comfy.page.context.new_cdp_session(comfy.page)
        session.send("Profiler.enable")
        session.send("Profiler.setSamplingInterval", {"interval": SAMPLE_US})
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        comfy.page.on("request", lambda request: asked.append(request.url))
        session.send("Profiler.start")
        comfy.open()
        comfy.new_workflow()
        comfy.add("QuillworkEnhancePrompt", prompt="a fox in the snow")
        comfy.page.wait_for_timeout(1000)
        times = self_times(session.send("Profiler.stop")["profile"])
    finally:
        comfy.close()
    own = sum(time for address, time in times.items() if OURS in address)
    frontend = sum(time for address, time in times.items() if "/assets/" in address)
    scripts = sum(OURS in address and address.endswith(".js") for address in asked)
    routes = sum("/quillwork/" in address and OURS not in address for address in asked)
    return own, frontend, scripts, routes, len(comfy.foreign)


def measured(browser: Browser, host: Host, renderer: str, rounds: int) -> tuple[str, ...]:
    found = [opening(browser, host, renderer) for _ in range(rounds)]
    own, frontend = (statistics.median(one[place] for one in found) for place in (0, 1))
    worst = max(one[0] for one in found)
    times = (f"{own:.1f}", f"{worst:.1f}", f"{frontend:.0f}", f"{own / frontend:.2%}")
    return (renderer, *times, *map(str, found[-1][2:]))


FACTS = ROOT / "config" / "models" / "model_facts.json"
# What people type to find one of three thousand.
TYPED = ("claude", "gpt-5 mini", "qwen/qwen3", "fox", "llama 3.3 70b", "a")
# The longest list: every model of the packaged facts, and as many more as are missing.
MODELS = 3000
KEYSTROKES = """async ([field, queries]) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
  const times = [];
  for (const query of queries)
    for (let end = 1; end <= query.length; end += 1) {
      await frame();
      const began = performance.now();
      field.value = query.slice(0, end);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      const handled = performance.now();
      await frame();
      times.push([handled - began, performance.now() - began]);
    }
  return times;
}"""


def listed() -> list[dict[str, Any]]:
    """So many models as the host lists them."""
    names = list(json.loads(FACTS.read_text("utf-8"))["models"])
    ids = [
        f"provider-{place % 60}/{names[place % len(names)].partition('/')[2]}-{place}"
        for place in range(MODELS)
    ]
    return [
        {
            "id": id,
            "label": id.partition("/")[2],
            "provider": id.partition("/")[0],
            "provider_label": id.partition("/")[0].title(),
            "configured": place % 3 > 0,
            "context_window": 128_000,
            "price": {"input": 0.15, "output": 0.6},
        }
        for place, id in enumerate(sorted(ids))
    ]


def searching(browser: Browser, host: Host, rounds: int) -> list[tuple[str, ...]]:
    """Type into the field of a model's id, with the longest list below it, and into one with none."""
    comfy = ComfyPage(browser, host, "canvas")
    try:
        answer = json.dumps({"models": listed(), "sources": []})
        comfy.page.route("**/quillwork/llm/models*", lambda route: route.fulfill(body=answer))
        comfy.open()
        comfy.new_workflow()
        field = comfy.model_field(comfy.add("QuillworkEnhancePrompt", prompt="a fox")).element_handle()
        comfy.page.locator(".quillwork-suggestions [role=option]").nth(50).wait_for()
        none = comfy.page.evaluate_handle("() => document.body.appendChild(document.createElement('input'))")
        rows = []
        for name, typed in ((f"{MODELS} models", field), ("no list (baseline)", none)):
            times = comfy.page.evaluate(KEYSTROKES, [typed, TYPED * rounds])
            handled, drawn = (sorted(one[place] for one in times) for place in (0, 1))
            shown = (f"{at:.1f}" for sort in (handled, drawn) for at in (statistics.median(sort), sort[-1]))
            rows.append((name, str(len(times)), *shown))
        return rows
    finally:
        comfy.close()


TAGS = 150_000
# Names, the beginnings of many, middles, aliases, and what no tag holds.
TAGS_TYPED = (
    "long hair",
    "blue eyes",
    "twintail",
    "sword, shield",
    "other name 77",
    "st",
    "a quiet red fox",
    "zzyzx",
    "xylophone player",
)
PARTS = """\
long blue hair eyes red twin tails sword shield cat bird smile hat ribbon dress boots gloves open mouth closed
hands sitting standing lake forest night day snow rain star moon flower tree fox wolf old young"""


def tags() -> str:
    """The rows of a table of so many tags, of the words of real ones, every fifth with an alias."""
    rows, parts = [], PARTS.split()
    for place in range(TAGS):
        words = [parts[place * step // 7 % len(parts)] for step in (1, 3, 11)][: 1 + place % 3]
        alias = f"other_name_{place}" if place % 5 == 0 else ""
        rows.append(f"{'_'.join(words)}_{place},0,{4_000_000 - 26 * place},{alias}")
    return "\n".join(rows)


def completing(browser: Browser, host: Host, rounds: int) -> list[tuple[str, ...]]:
    """Type into a prompt whose target knows tags, by a long table of them, and into a field without one."""
    folder = host.quillwork_home / "tags"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "danbooru.csv").write_text(tags(), "utf-8")
    comfy = ComfyPage(browser, host, "canvas")
    try:
        comfy.open()
        comfy.new_workflow()
        field = comfy.text_field(comfy.enhance("", target="illustrious"))
        field.click()
        comfy.page.keyboard.type("lo")
        comfy.page.locator(".quillwork-suggestions [role=option]").nth(5).wait_for()
        none = comfy.page.evaluate_handle(
            "() => document.body.appendChild(document.createElement('textarea'))"
        )
        rows = []
        for name, typed in ((f"{TAGS:,} tags", field.element_handle()), ("no list (baseline)", none)):
            times = comfy.page.evaluate(KEYSTROKES, [typed, TAGS_TYPED * rounds])
            handled, drawn = (sorted(one[place] for one in times) for place in (0, 1))
            late = int(len(times) * 0.99)
            shown = [
                f"{at:.1f}"
                for sort in (handled, drawn)
                for at in (statistics.median(sort), sort[late], sort[-1])
            ]
            # Other programs hold up one round, and hardly all of them.
            count = len(times) // rounds
            fastest = [min(one[0] for one in times[place::count]) for place in range(count)]
            rows.append((name, str(len(times)), *shown, f"{max(fastest):.1f}"))
        return rows
    finally:
        comfy.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as base, sync_playwright() as playwright:
        host = Host(Path(base), {"LLM_MODE": "phrasebook"}, {"quillwork": ROOT})
        try:
            with launch(playwright) as browser:
                rows = [measured(browser, host, name, rounds) for name in ("canvas", "nodes2")]
                keystrokes = searching(browser, host, rounds)
                completions = completing(browser, host, rounds)
        finally:
            host.close()
    where = "ComfyUI" if real_host() else "stand-in with the real frontend"
    print(f"{where}, {machine()}, {rounds} openings each")
    head = (
        "",
        "ours ms",
        "worst",
        "frontend ms",
        "ratio",
        "scripts",
        "our routes asked",
        "foreign addresses",
    )
    table("Opening the page", head, rows)
    head = ("", "keystrokes", "handled ms", "worst", "drawn ms", "worst")
    table("A keystroke in the field of a model's id", head, keystrokes)
    head = (
        "",
        "keystrokes",
        "handled ms",
        "99th",
        "worst",
        "drawn ms",
        "99th",
        "worst",
        "each at its fastest, worst ms",
    )
    table("A keystroke while tags are completed", head, completions)


if __name__ == "__main__":
    main()

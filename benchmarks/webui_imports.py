"""Cost of the extension to a web UI at its start, beside an empty extension's script.

    python benchmarks/webui_imports.py [--python PATH] [--runs 5] [--check]

Each script is executed in fresh processes as the hosts do it: under its file's name, after Gradio and the
host's own modules (the tests' stand-in) are there. PATH is a Python with Gradio; without it those of the
lanes gradio3 and gradio4 are taken, as far as they are made. --check ends with 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from imports import FORBIDDEN, ROOT, resident_mb

STANDIN = ROOT / "tests" / "webui" / "standin"
LIMIT_MS, LIMIT_MB = 150.0, 10.0
LANES = [ROOT / f".venv-gradio{version}" / "bin" / "python" for version in (3, 4)]

EMPTY_SCRIPT = """
import gradio as gr
import modules.scripts as scripts
from modules import script_callbacks


class Empty(scripts.Script):
    def title(self):
        return "Empty"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.Checkbox(label="Nothing")]


# The hosts look through the whole stack for whom each of these is.
for kind in ("ui_settings", "before_ui", "after_component", "app_started", "ui_tabs", "infotext_pasted"):
    getattr(script_callbacks, f"on_{kind}")(lambda *given, **named: None)
"""


def execute(extension: Path) -> dict[str, Any]:
    """Measure once, in this process: it must be a fresh one, with a Gradio."""
    with tempfile.TemporaryDirectory() as data:
        Path(data, "extensions").mkdir()
        sys.argv = ["launch.py", "--data-dir", data]
        sys.path.insert(0, str(STANDIN))
        from modules import script_loading, scripts, server  # noqa: F401

        [script] = (extension / "scripts").glob("*.py")
        # As the host's loader does around each file.
        sys.path.insert(0, str(extension))
        scripts._current_basedir = str(extension)
        before, memory = set(sys.modules), resident_mb()
        begin = time.perf_counter()
        script_loading.load_module(str(script))
        seconds = time.perf_counter() - begin
    brought = set(sys.modules) - before
    return {
        "ms": seconds * 1000,
        "mb": resident_mb() - memory,
        "modules": len(brought),
        "brought": sorted(FORBIDDEN & brought | {"torch", "aiohttp", "yaml"} & brought),
    }


def in_fresh_process(python: Path, extension: Path) -> dict[str, Any]:
    command = [str(python), str(Path(__file__).resolve()), "--extension", str(extension)]
    with tempfile.TemporaryDirectory() as home:
        # Nothing that the user has configured may take part.
        environment = {**os.environ, "QUILLWORK_HOME": home}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"The extension could not be loaded:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def gradio_of(python: Path) -> str:
    """The version of `python`'s Gradio; empty when there is none."""
    code = "from importlib.metadata import version; print(version('gradio'))"
    try:
        return subprocess.run([str(python), "-c", code], capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def measure(python: Path, runs: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty")
        (empty / "scripts").mkdir(parents=True)
        (empty / "scripts" / "empty.py").write_text(EMPTY_SCRIPT, "utf-8")
        extensions = {"an empty script (baseline)": empty, "Quillwork": ROOT}
        for extension in extensions.values():  # writes the bytecode, as a host's first start does
            in_fresh_process(python, extension)
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in extensions}
        for _ in range(runs):
            for name, extension in extensions.items():
                rows[name].append(in_fresh_process(python, extension))

    print(f"Script of the extension in {runs} fresh processes each, interleaved; Gradio {gradio_of(python)}")
    print(f"{'':28}{'median ms':>10}{'min':>8}{'max':>8}{'RSS MB':>8}{'modules':>9}  heavy ones")
    for name, found in rows.items():
        times = [row["ms"] for row in found]
        memory = statistics.median(row["mb"] for row in found)
        print(
            f"{name:28}{statistics.median(times):10.1f}{min(times):8.1f}{max(times):8.1f}{memory:8.1f}"
            f"{found[0]['modules']:9}  {', '.join(found[0]['brought']) or 'none'}"
        )
    baseline, ours = rows.values()
    of = statistics.median
    print(f"ratio to the baseline: {of(row['ms'] for row in ours) / of(row['ms'] for row in baseline):.1f}")
    good = statistics.median(row["ms"] for row in ours) <= LIMIT_MS
    good &= statistics.median(row["mb"] for row in ours) <= LIMIT_MB
    good &= not any(FORBIDDEN.intersection(row["brought"]) for row in ours)
    limits = f"limits: {LIMIT_MS:.0f} ms, {LIMIT_MB:.0f} MB, no {', '.join(sorted(FORBIDDEN))}"
    print(f"{limits}: {'kept' if good else 'MISSED'}\n")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, metavar="PATH", help="a Python that has Gradio")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--extension", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.extension:
        print(json.dumps(execute(arguments.extension)))
        return 0
    pythons = [python for python in [arguments.python or Path(sys.executable), *LANES] if gradio_of(python)]
    if not pythons:
        print("No Gradio here: make test LANES='gradio3 gradio4', or --python PATH.")
        return 0
    good = all([measure(python, arguments.runs) for python in pythons])
    return 0 if good or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())

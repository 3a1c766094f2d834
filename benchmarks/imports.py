"""Cost of the pack to a host: its import, beside an empty pack's, and install.py with nothing to do.

    python benchmarks/imports.py [--comfyui PATH] [--runs 5] [--check]

Each pack is loaded in fresh processes as ComfyUI's nodes.py does it: by path, under a name made of the
path, then its entry point, on_load and get_node_list. With --comfyui the process has imported that
ComfyUI's node API and server first, as a running host has; without it, the tests' stand-in for them.
--check ends with 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STANDIN = ROOT / "tests" / "host" / "standin"
HEAVY = ("litellm", "openai", "transformers", "bitsandbytes", "torch", "aiohttp", "yaml")
FORBIDDEN = {"litellm", "openai", "transformers", "bitsandbytes"}
LIMIT_MS, LIMIT_MB, LIMIT_INSTALL_S = 100.0, 5.0, 0.3

EMPTY_PACK = """
from comfy_api.latest import ComfyExtension, io


class Nothing(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Nothing", inputs=[io.String.Input("text")], outputs=[io.String.Output()])

    @classmethod
    def execute(cls, text):
        return io.NodeOutput(text)


class Empty(ComfyExtension):
    async def get_node_list(self):
        return [Nothing]


async def comfy_entrypoint():
    return Empty()
"""


def resident_mb() -> float:
    """The resident memory of this process in MB; its peak where /proc is missing."""
    if Path("/proc/self/statm").exists():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def load_as_comfyui(pack: Path, comfyui: Path | None) -> dict[str, Any]:
    """Measure once, in this process: it must be a fresh one."""
    import asyncio
    import importlib
    import importlib.util
    import logging
    import types

    sys.argv = ["main.py", "--cpu", "--base-directory", os.environ["QUILLWORK_HOME"]]
    sys.path[0] = str(comfyui or STANDIN)
    if comfyui:
        importlib.import_module("comfy.options").enable_args_parsing()
    importlib.import_module("comfy_api.latest")
    importlib.import_module("folder_paths")
    server = importlib.import_module("server")
    if getattr(server.PromptServer, "instance", None) is None:
        from aiohttp import web

        instance = types.SimpleNamespace(
            routes=web.RouteTableDef(), add_on_prompt_handler=lambda handler: None
        )
        server.PromptServer.instance = instance
    logging.disable(logging.WARNING)

    async def load() -> int:
        name = str(pack).replace(".", "_x_")
        spec = importlib.util.spec_from_file_location(name, pack / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        extension = module.comfy_entrypoint()
        extension = await extension if asyncio.iscoroutine(extension) else extension
        await extension.on_load()
        return len(await extension.get_node_list())

    before, memory = set(sys.modules), resident_mb()
    begin = time.perf_counter()
    nodes = asyncio.run(load())
    seconds = time.perf_counter() - begin
    return {
        "ms": seconds * 1000,
        "mb": resident_mb() - memory,
        "nodes": nodes,
        "modules": len(set(sys.modules) - before),
        "heavy": sorted(name for name in HEAVY if name in sys.modules),
        "brought": sorted(name for name in HEAVY if name in set(sys.modules) - before),
    }


def in_fresh_process(pack: Path, comfyui: Path | None) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).resolve()), "--pack", str(pack)]
    command += ["--comfyui", str(comfyui)] if comfyui else []
    with tempfile.TemporaryDirectory() as home:
        # Nothing that the user has configured may take part.
        environment = {**os.environ, "QUILLWORK_HOME": home}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"The pack could not be loaded:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure_imports(comfyui: Path | None, runs: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty_pack")
        empty.mkdir()
        (empty / "__init__.py").write_text(EMPTY_PACK, "utf-8")
        packs = {"an empty pack (baseline)": empty, "Quillwork": ROOT}
        for pack in packs.values():  # writes the bytecode, as a host's first start does
            in_fresh_process(pack, comfyui)
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in packs}
        for _ in range(runs):
            for name, pack in packs.items():
                results[name].append(in_fresh_process(pack, comfyui))

    host = f"ComfyUI at {comfyui}" if comfyui else "the tests' stand-in for ComfyUI"
    print(f"Import in {runs} fresh processes each, interleaved; host: {host}; {platform.python_version()}")
    print(f"{'':26}{'median ms':>10}{'min':>8}{'max':>8}{'RSS MB':>8}{'modules':>9}{'nodes':>7}  heavy ones")
    for name, rows in results.items():
        times = [row["ms"] for row in rows]
        print(
            f"{name:26}{statistics.median(times):10.1f}{min(times):8.1f}{max(times):8.1f}"
            f"{_median(rows, 'mb'):8.1f}{rows[0]['modules']:9}{rows[0]['nodes']:7}"
            f"  {', '.join(rows[0]['brought']) or 'none'}"
        )
    empty_rows, ours = results.values()
    print(f"ratio to the baseline: {_median(ours, 'ms') / _median(empty_rows, 'ms'):.1f}")
    print(f"in sys.modules, the host's own among them: {', '.join(ours[0]['heavy']) or 'none'}")
    brought = FORBIDDEN.intersection(*(row["brought"] for row in ours))
    good = _median(ours, "ms") <= LIMIT_MS and _median(ours, "mb") <= LIMIT_MB and not brought
    print(
        f"limits: {LIMIT_MS:.0f} ms, {LIMIT_MB:.0f} MB, no {', '.join(sorted(FORBIDDEN))}: {_verdict(good)}"
    )
    return good


def measure_install(runs: int) -> bool:
    """Measure install.py where everything is there: the four distributions stand in as bare metadata."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("PyYAML", "aiohttp", "json_repair", "litellm"):
            info = Path(folder, "site", f"{name}-1.102.4.dist-info")
            info.mkdir(parents=True)
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.102.4\n", "utf-8"
            )
        environment = {**os.environ, "PYTHONPATH": str(Path(folder, "site")), "XDG_CACHE_HOME": folder}
        commands = {
            "python -c pass (baseline)": [sys.executable, "-c", "pass"],
            "install.py, nothing to do": [sys.executable, str(ROOT / "install.py")],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                begin = time.perf_counter()
                done = subprocess.run(command, env=environment, capture_output=True, text=True)
                times[name].append(time.perf_counter() - begin)
                if done.returncode or done.stdout:
                    raise SystemExit(f"install.py had something to do:\n{done.stdout}{done.stderr}")
    print(f"\nWall time of {runs} runs each, interleaved; this environment's own distributions are in sight")
    for name, seconds in times.items():
        print(f"{name:26}{statistics.median(seconds):8.3f} s{min(seconds):9.3f}{max(seconds):9.3f}")
    median = statistics.median(times["install.py, nothing to do"])
    print(f"limit: {LIMIT_INSTALL_S} s: {_verdict(median <= LIMIT_INSTALL_S)}")
    return median <= LIMIT_INSTALL_S


def _median(rows: list[dict[str, Any]], name: str) -> float:
    return statistics.median(row[name] for row in rows)


def _verdict(good: bool) -> str:
    return "kept" if good else "MISSED"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--comfyui", type=Path, metavar="PATH", help="a ComfyUI checkout; run with its Python"
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--pack", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pack:
        print(json.dumps(load_as_comfyui(arguments.pack, arguments.comfyui)))
        return 0
    good = measure_imports(arguments.comfyui and arguments.comfyui.resolve(), arguments.runs)
    good &= measure_install(arguments.runs)
    return 0 if good or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())

"""Cost of a node in its host, and the time until it stops.

    COMFYUI_PATH=… python benchmarks/host.py [--rounds 60]
    COMFYUI_PATH=… python benchmarks/host.py --fresh 12     only the first interrupt, of so many fresh hosts

Runs on ComfyUI where COMFYUI_PATH names one, else on the test suite's stand-in (and says so). The
baseline is an async node of the same schema that does nothing, posted in turn with ours.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.insert(0, str(ROOT / "tests"))

from setting import load_pack, table, upstream  # noqa: E402

load_pack()

from host.fixtures import PACKS  # noqa: E402
from host.graphs import node  # noqa: E402
from host.process import Host, real_host  # noqa: E402
from wire.server import WireServer  # noqa: E402

ENHANCE, NOTHING = "QuillworkEnhancePrompt", "TestpackNoopEnhance"


def graph(class_type: str, seed: int, model: str, variations: int = 1) -> dict[str, Any]:
    return {
        "1": node(
            class_type,
            prompt="a fox in the snow",
            instruction="",
            target="plain",
            variations=variations,
            seed=seed,
            llm_mode="auto",
            llm_model=model,
        )
    }


def node_calls(host: Host, rounds: int) -> list[tuple[str, ...]]:
    """Time the way from the POST to `execution_success` in milliseconds, ours and the baseline's, in turn."""
    times: dict[str, list[float]] = {ENHANCE: [], NOTHING: []}
    for seed in range(rounds + 5):
        for class_type in (ENHANCE, NOTHING) if seed % 2 else (NOTHING, ENHANCE):
            run = host.run(graph(class_type, seed, "fox-chunks20"))
            assert run.status == "success", run.message
            if seed >= 5:
                times[class_type].append(run.seconds * 1000)
    ours, nothing = (statistics.median(times[name]) for name in (ENHANCE, NOTHING))
    pairs = zip(times[ENHANCE], times[NOTHING], strict=True)
    more = statistics.median(a - b for a, b in pairs)
    return [(f"20 chunks, n = {rounds}", f"{ours:.1f} ms", f"{nothing:.1f} ms", f"{more:.1f} ms", "≤ 7 ms")]


def sixteen(host: Host) -> list[tuple[str, ...]]:
    walls = []
    for seed in range(6):
        run = host.run(graph(ENHANCE, 1000 + 20 * seed, "fox-delay500-chunks20", variations=16))
        assert run.status == "success", run.message
        walls.append(run.seconds)
    return [
        (
            "16 variations, upstream 500 ms",
            f"{walls[0]:.2f} s",
            f"{statistics.median(walls[1:]):.2f} s",
            "≤ 1.0 s",
        )
    ]


def interrupts(host: Host, wire: WireServer, rounds: int) -> list[tuple[str, ...]]:
    """Time from the POST to /interrupt: to the node's end, and to the hang-up as the upstream sees it."""
    rows = []
    for what, model in (
        ("silent before the first byte", "fox-hang-silent"),
        ("silent in the middle", "fox-hang"),
        ("streaming", "fox-gap50-chunks400"),
        ("waiting on Retry-After", "fox-status429-retryafter30"),
    ):
        ends, gone = [], []
        for seed in range(rounds):
            wire.reset()
            settings = node(
                "QuillworkLLMSettings",
                llm_mode="auto",
                llm_model=model,
                temperature=-1.0,
                top_p=-1.0,
                max_tokens=0,
                timeout_s=0.0,
                retries=3,
                fallback_models="",
                reasoning="default",
                extra="",
                keep_loaded="while there is room",
            )
            asked = graph(ENHANCE, 5000 + seed, model)
            asked["1"]["inputs"]["llm"] = ["5", 0]
            run = host.run({**asked, "5": settings}, interrupt_after=0.4)
            assert run.status == "interrupted", run.status
            assert run.interrupt_s is not None and run.interrupted_at is not None
            ends.append(run.interrupt_s * 1000)
            deadline = time.perf_counter() + 2
            while "hang" in model + what and not wire.disconnects and time.perf_counter() < deadline:
                time.sleep(0.001)
            if wire.disconnects:
                began = time.monotonic() - (time.perf_counter() - run.posted)
                gone.append((wire.disconnects[0].at - began - run.interrupted_at) * 1000)
        seen = _median_and_worst(gone) if gone else "no call is open"
        rows.append((what, _median_and_worst(ends), seen, "≤ 150 ms"))
    return rows


def interrupt_while_connecting(rounds: int) -> list[tuple[str, ...]]:
    """Interrupt a call to an address whose backlog is full: the connection is neither taken nor refused."""
    with socket.socket() as full, contextlib.ExitStack() as callers:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        with fresh_host({"LLM_BASE_URL": url, "LLM_MODEL": "fox"}) as host:
            ends = []
            for seed in range(rounds):
                run = host.run(graph(ENHANCE, seed, "fox"), interrupt_after=0.5)
                assert run.status == "interrupted" and run.interrupt_s is not None
                ends.append(run.interrupt_s * 1000)
    return [("connecting", _median_and_worst(ends), "no call is open", "≤ 150 ms")]


def interrupt_in_first_import(url: str, rounds: int) -> list[tuple[str, ...]]:
    """Interrupt the first call of a process in the midst of the SDK's import, which takes seconds."""
    ends = []
    for _ in range(rounds):
        with fresh_host({"OLLAMA_API_BASE": url, "LLM_MODEL": "ollama/fox"}) as host:
            run = host.run(graph(ENHANCE, 1, ""), interrupt_after=0.8)
            assert run.status == "interrupted" and run.interrupt_s is not None
            ends.append(run.interrupt_s * 1000)
    return [("first import of litellm", _median_and_worst(ends), "no call is open", "≤ 500 ms")]


def first_interrupts(count: int) -> list[float]:
    """Time from the POST to /interrupt to the node's end in milliseconds, the first of each process.

    ComfyUI collects its garbage right after the first prompt, and reports nothing meanwhile.
    """
    ends = []
    with WireServer.in_thread() as wire:
        for _ in range(count):
            with fresh_host({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}) as host:
                run = host.run(graph(ENHANCE, 1, "fox-hang"), interrupt_after=2.0)
                assert run.status == "interrupted" and run.interrupt_s is not None
                ends.append(run.interrupt_s * 1000)
                print(f"{ends[-1]:.0f} ms, load {os.getloadavg()[0]:.1f}", flush=True)
    return ends


def _median_and_worst(times_ms: list[float]) -> str:
    return f"{statistics.median(times_ms):.0f} ms (worst {max(times_ms):.0f})"


@contextlib.contextmanager
def fresh_host(env: dict[str, str]) -> Iterator[Host]:
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder), env, PACKS)
        try:
            yield host
        finally:
            host.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--interrupts", type=int, default=7)
    parser.add_argument("--fresh", type=int, default=0)
    options = parser.parse_args()
    where = "a real ComfyUI" if real_host() else "the stand-in"
    if options.fresh:
        ends = first_interrupts(options.fresh)
        ended = (_median_and_worst(ends), ", ".join(f"{one:.0f}" for one in sorted(ends)))
        table(
            f"First interrupt of a fresh process on {where}, n = {len(ends)}",
            ("told after", "all, in ms"),
            [ended],
        )
        return
    # The upstream is a process of its own: in ours its work would count as the host's.
    with upstream() as url, fresh_host({"LLM_BASE_URL": f"{url}/v1", "LLM_MODEL": "fox"}) as host:
        table(
            f"A node call through /prompt on {where}",
            ("what", "Enhance Prompt", "a node that does nothing", "difference", "bound"),
            node_calls(host, options.rounds),
        )
        table(f"Through the node on {where}", ("what", "first", "warm", "bound"), sixteen(host))
        first_import = interrupt_in_first_import(url, 3)
    with WireServer.in_thread() as wire:
        with fresh_host({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}) as host:
            rows = interrupts(host, wire, options.interrupts)
        rows += interrupt_while_connecting(options.interrupts) + first_import
        table(
            f"Interrupt on {where}",
            ("while", "the node has ended", "the upstream has seen it", "bound"),
            rows,
        )


if __name__ == "__main__":
    os.environ.setdefault("COMFYUI_PYTHON", sys.executable)
    main()

"""The first call to a provider in a fresh process, with and without its preparation, beside later calls.

    python benchmarks/first_call.py [--rounds 5] [--wait 2.0] [--model anthropic/fox] [--seedless]

Each round is a process of its own, as a fresh host is. The provider is the imitation server, which answers
after half a second, as a quick one does. `--wait` is the time between the choice of a model and its call; a
third row waits until the preparation is complete. A call has a seed, as those of the nodes have, unless
`--seedless` is said: where a provider takes a seed in its own format only, one with a seed waits for litellm.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import load_pack, machine, table, upstream  # noqa: E402

LATER = 8
COMPLETE = -1.0
PROVIDERS = ("openai", "anthropic", "gemini", "bedrock", "groq")
# What a quick provider takes for a short answer.
ANSWER = "fox-delay500"


def one_round(model: str, wait_s: float | None, seed: int | None) -> None:
    """Print the seconds of the preparation, the first call and later ones, in this process; None prepares
    nothing, and `COMPLETE` waits for its end."""
    load_pack()
    from quillwork.config.choice import Choice
    from quillwork.config.deployment import deploy
    from quillwork.config.warm_up import warm_up
    from quillwork.llm_backends import client

    choice = Choice(llm_model=model, by_workflow=False)
    seconds = []
    if wait_s is not None:
        began = time.perf_counter()
        warm_up(choice)
        if wait_s == COMPLETE:
            for thread in threading.enumerate():
                if thread.name == "quillwork-rehearsal":
                    thread.join()
        else:
            time.sleep(wait_s)
        seconds.append(time.perf_counter() - began)
    else:
        seconds.append(0.0)
    for _ in range(1 + LATER):
        began = time.perf_counter()
        client.ask("a fox", deploy(choice), seed=seed)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds))


def measured(
    model: str, wait_s: float | None, rounds: int, environment: dict[str, str], *, seedless: bool
) -> tuple[list[float], list[float], list[float]]:
    """The seconds of the preparations, the first calls and all later ones, over so many processes."""
    prepared, first, later = [], [], []
    for _ in range(rounds):
        command = [sys.executable, __file__, "--one", "--model", model]
        command += [] if wait_s is None else ["--wait", str(wait_s)]
        command += ["--seedless"] if seedless else []
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seconds = json.loads(run.stdout.splitlines()[-1])
        prepared.append(seconds[0])
        first.append(seconds[1])
        later += seconds[2:]
    return prepared, first, later


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wait", type=float)
    parser.add_argument("--model", action="append")
    parser.add_argument("--seedless", action="store_true")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one_round(options.model[0], options.wait, None if options.seedless else 7)
        return
    rows = []
    with upstream() as url, tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "QUILLWORK_HOME": home,
            "OPENAI_API_KEY": "sk-benchmark-0123456789",
            "OPENAI_API_BASE": f"{url}/v1",
            "ANTHROPIC_API_KEY": "sk-ant-benchmark-0123456789",
            "ANTHROPIC_API_BASE": url,
            "ANTHROPIC_COMPATIBLE_BASE": f"{url}/v1",
            "GEMINI_API_KEY": "AIza-benchmark-0123456789",
            "GEMINI_API_BASE": url,
            "GEMINI_COMPATIBLE_BASE": f"{url}/v1",
            "AWS_ACCESS_KEY_ID": "AKIABENCHMARK0123456",
            "AWS_SECRET_ACCESS_KEY": "benchmark-0123456789",
            "AWS_REGION_NAME": "us-east-1",
            "AWS_BEDROCK_RUNTIME_ENDPOINT": url,
            "GROQ_API_KEY": "gsk_benchmark_0123456789",
            "GROQ_API_BASE": f"{url}/openai/v1",
        }
        for model in options.model or [f"{provider}/{ANSWER}" for provider in PROVIDERS]:
            for wait_s in (None, options.wait or 2.0, COMPLETE):
                prepared, first, later = measured(
                    model, wait_s, options.rounds, environment, seedless=options.seedless
                )
                usual = statistics.median(later)
                rows.append(
                    (
                        model.partition("/")[0],
                        "none"
                        if wait_s is None
                        else f"complete, {statistics.median(prepared):.1f} s"
                        if wait_s == COMPLETE
                        else f"{wait_s:g} s",
                        f"{statistics.median(first) * 1000:.0f} ms ({min(first):.2f}–{max(first):.2f} s)",
                        f"{usual * 1000:.0f} ms",
                        f"{statistics.median(first) / usual:.2f}",
                    )
                )
    table(
        f"First call in a fresh process, n = {options.rounds} ({machine()})",
        ("provider", "preparation before it", "first call", "later calls", "first / later"),
        rows,
    )


if __name__ == "__main__":
    main()

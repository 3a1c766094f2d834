"""The first call to a provider in a fresh process, with and without its preparation, beside later calls.

    python benchmarks/first_call.py [--rounds 5] [--wait 2.0] [--model anthropic/fox]

Each round is a process of its own, as a fresh host is. The provider is the imitation server, which answers
after half a second, as a quick one does. `--wait` is the time between the choice of a model and its call.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import load_pack, machine, table, upstream  # noqa: E402

LATER = 8
# What a quick provider takes for a short answer.
ANSWER = "fox-delay500"


def one_round(model: str, wait_s: float | None) -> None:
    """Print the seconds of the first call and of later ones, in this process; None prepares nothing."""
    load_pack()
    from quillwork.config.choice import Choice
    from quillwork.config.deployment import deploy
    from quillwork.config.warm_up import warm_up
    from quillwork.llm_backends import client

    choice = Choice(llm_model=model, by_workflow=False)
    if wait_s is not None:
        warm_up(choice)
        time.sleep(wait_s)
    seconds = []
    for _ in range(1 + LATER):
        began = time.perf_counter()
        client.ask("a fox", deploy(choice))
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds))


def measured(model: str, wait_s: float | None, rounds: int, environment: dict[str, str]) -> tuple[list, list]:
    """The seconds of the first calls and of all later ones, over so many processes."""
    first, later = [], []
    for _ in range(rounds):
        command = [sys.executable, __file__, "--one", "--model", model]
        command += [] if wait_s is None else ["--wait", str(wait_s)]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seconds = json.loads(run.stdout.splitlines()[-1])
        first.append(seconds[0])
        later += seconds[1:]
    return first, later


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wait", type=float)
    parser.add_argument("--model", action="append")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one_round(options.model[0], options.wait)
        return
    rows = []
    with upstream() as url:
        environment = {
            **os.environ,
            "QUILLWORK_HOME": str(ROOT / "benchmarks" / "no-such-home"),
            "ANTHROPIC_API_KEY": "sk-ant-benchmark-0123456789",
            "ANTHROPIC_API_BASE": url,
            "GROQ_API_KEY": "gsk_benchmark_0123456789",
            "GROQ_API_BASE": f"{url}/openai/v1",
        }
        for model in options.model or [f"anthropic/{ANSWER}", f"groq/{ANSWER}"]:
            for wait_s in (None, options.wait or 2.0):
                first, later = measured(model, wait_s, options.rounds, environment)
                usual = statistics.median(later)
                rows.append(
                    (
                        model.partition("/")[0],
                        "none" if wait_s is None else f"{wait_s:g} s",
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

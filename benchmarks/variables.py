"""Time of templates: a 10,000-value file and 1,000 prompts, beside the plainest code that does it.

    python benchmarks/variables.py

Each run begins with nothing read and nothing parsed. The baseline reads the file with `open` and puts the
prompts together with `random.choice`: no syntax, no checks, no second encoding.
"""

from __future__ import annotations

import importlib.util
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VALUES = 10_000
PROMPTS = 1_000
RUNS = 15
LIMIT_MS = 100.0
TEMPLATE = "{a|b|c|d|e|f|g|h|i|j} {a|b|c|d|e|f|g|h|i|j} {a|b|c|d|e|f|g|h|i|j}, __value__"


def load_package() -> None:
    spec = importlib.util.spec_from_file_location(
        "quillwork", ROOT / "package.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None
    sys.modules["quillwork"] = importlib.util.module_from_spec(spec)


def median_ms(run: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(RUNS):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def main() -> int:
    load_package()
    from quillwork.prompting.templates.library import Library
    from quillwork.prompting.templates.resolve import combination_count, resolve

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "value.txt"
        path.write_text("# Values\n" + "".join(f"a value, number {i}\n" for i in range(VALUES)))
        syntax = folder / "syntax.txt"
        syntax.write_text("".join(f"{{a|b}} value, number {i}\n" for i in range(VALUES)))
        fixed = "{a|b|c|d|e|f|g|h|i|j} {a|b|c|d|e|f|g|h|i|j} {a|b|c|d|e|f|g|h|i|j}"
        assert combination_count(fixed, None) == PROMPTS

        def baseline() -> list[str]:
            with open(path, encoding="utf-8") as file:
                values = [line for line in file.read().splitlines() if not line.startswith("#")]
            letters = "abcdefghij"
            chosen = random.choice
            return [
                f"{chosen(letters)} {chosen(letters)} {chosen(letters)}, {chosen(values)}"
                for _ in range(PROMPTS)
            ]

        def ours(selection: str, template: str = TEMPLATE) -> Callable[[], object]:
            return lambda: resolve(template, Library(folder), selection=selection, count=PROMPTS, seed=1)

        base = median_ms(baseline)
        rows = [
            ("baseline: open().read().splitlines(), random.choice", base),
            ("random", median_ms(ours("random"))),
            ("cycle", median_ms(ours("cycle"))),
            ("combinations", median_ms(ours("combinations"))),
            ("combinations, 1,000 in all", median_ms(ours("combinations", fixed))),
            ("random, five different of 10,000", median_ms(ours("random", "{5$$__value__}"))),
            ("combinations, syntax in all values", median_ms(ours("combinations", "{a|b} __syntax__"))),
        ]
    print(f"{VALUES:,} values in a file, {PROMPTS:,} prompts, first read included; median of {RUNS} runs")
    print(f"{'':54}{'ms':>8}{'ratio':>8}")
    for label, elapsed in rows:
        print(f"{label:54}{elapsed:8.1f}{elapsed / base:8.1f}")
    slowest = max(elapsed for _, elapsed in rows[1:5])
    print(f"limit for the four rows after the baseline: {LIMIT_MS:.0f} ms; slowest {slowest:.1f} ms")
    return int(slowest > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())

"""Tokens a second on a GPU: Qwen3-4B's shape with random weights in nf4, beside transformers' own loop.

    python benchmarks/local_gpu.py [--batches 1 4 16] [--tokens 128] [--allocator cudaMallocAsync]

The floor is the time of reading the weights once a token: their bytes / measured copy bandwidth. ComfyUI runs
under the allocator cudaMallocAsync, and so does this by default. Without a GPU it says so and ends.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import table  # noqa: E402
from untrained_model import Bench, request, save_model, without_stops  # noqa: E402

QWEN3_4B = {
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
_GIB = 1024**3


def copy_bandwidth() -> float:
    """The bytes a second that the card reads while it copies a GiB to itself."""
    import torch

    source = torch.empty(_GIB, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(5):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(10):
            target.copy_(source)
        torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - began) / 10)
    # A copy reads and writes: twice its bytes pass.
    return 2 * _GIB / best


def ours(bench: Bench, count: int, tokens: int) -> float:
    """The tokens a second of `count` answers at once; the second run, as the first sets everything up."""
    rows = [request(f"{number} foxes", tokens, seed=number, temperature=0.7) for number in range(count)]
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        bench.ask(*rows)
        best = min(best, time.perf_counter() - began)
    return count * tokens / best


def theirs(bench: Bench, count: int, tokens: int) -> float:
    """The tokens a second of ``model.generate``."""
    import torch

    loaded = bench.model.loaded
    ids = torch.tensor([loaded.tokenizer("3 foxes")["input_ids"]] * count, device="cuda")
    options: dict[str, Any] = {"max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": True}
    best = float("inf")
    for _ in range(3):
        torch.cuda.synchronize()
        began = time.perf_counter()
        loaded.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), top_k=20, **options)
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return count * tokens / best


def left_after_unload(bench: Bench, before: int) -> float:
    """The MiB that are still taken once the model is gone."""
    import torch

    bench.backend.unload()
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    return (before - torch.cuda.mem_get_info()[0]) / 1024**2


def measure(batches: list[int], tokens: int) -> None:
    import torch

    floor_bandwidth = copy_bandwidth()
    torch.cuda.empty_cache()
    before = torch.cuda.mem_get_info()[0]
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder), QWEN3_4B, torch.bfloat16)
        plain, recorded = Bench(Path(folder), "nf4"), Bench(Path(folder), "nf4", cuda_graph=True)
        speeds: dict[str, dict[int, float]] = {"generate": {}, "ours": {}, "ours, CUDA graph": {}}
        left = 0.0
        for name, bench in (("ours", plain), ("ours, CUDA graph", recorded)):
            bench.ask(request("a", 4))
            without_stops(bench)
            weights = bench.model.loaded.bytes
            for count in batches:
                speeds[name][count] = ours(bench, count, tokens)
                if name == "ours":
                    speeds["generate"][count] = theirs(bench, count, tokens)
            left = max(left, left_after_unload(bench, before))
    for count in batches:
        floor = count * floor_bandwidth / weights
        base = speeds["generate"][count]
        rows += [
            (
                f"{count}",
                name,
                f"{speed[count]:.1f}",
                f"{speed[count] / base:.2f}",
                f"{100 * speed[count] / floor:.0f} %",
            )
            for name, speed in speeds.items()
        ]
    table(
        f"Qwen3-4B shape, nf4, {tokens} tokens a row, {torch.cuda.get_device_name()}, "
        f"{torch.cuda.get_allocator_backend()}; weights {weights / 1e9:.2f} GB, copies at "
        f"{floor_bandwidth / 1e9:.0f} GB/s; {left:.0f} MiB left after unloading",
        ("batch", "way", "tokens/s", "/ model.generate", "of the bandwidth floor"),
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 4, 16])
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--allocator", default="cudaMallocAsync", choices=["cudaMallocAsync", "native"])
    options = parser.parse_args()
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", f"backend:{options.allocator}")
    try:
        import bitsandbytes  # noqa: F401
        import torch
        import transformers
    except ImportError as error:
        print(f"No {error.name} here: nothing to measure.")
        return
    if not torch.cuda.is_available():
        print("No GPU here: nothing to measure.")
        return
    transformers.utils.logging.disable_progress_bar()
    measure(options.batches, options.tokens)


if __name__ == "__main__":
    main()

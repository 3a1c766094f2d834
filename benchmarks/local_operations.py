"""Operations of a card for one token: their number bounds the speed of a small model.

    python benchmarks/local_operations.py

Needs no card: the suite's stand-in for one (`tests/card`) counts. As many layers as Qwen3-4B has, and narrow
ones, since their width does not change the number. An operation is one kernel or a few; views are none.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from setting import table  # noqa: E402
from untrained_model import Bench, request, save_model, without_stops  # noqa: E402

SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 36,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}
SHORT, LONG = 8, 40


def a_token(card: Any, write: Callable[[int], Any]) -> tuple[float, float]:
    """Count the operations and waits of a token: the difference between a long answer and a short one."""
    found = []
    for tokens in (SHORT, LONG):
        card.asked.clear()
        card.waits.clear()
        write(tokens)
        found.append((card.asked.total(), card.waits.total()))
    (few, little), (many, much) = found
    return (many - few) / (LONG - SHORT), (much - little) / (LONG - SHORT)


def ways(folder: Path, card: Any) -> dict[str, tuple[float, float]]:
    import torch

    found: dict[str, tuple[float, float]] = {}
    for record in (False, True):
        bench = Bench(folder, "nf4", cuda_graph=record)
        bench.ask(request("a fox", 2))
        without_stops(bench)
        loaded = bench.model.loaded
        ids = torch.tensor([loaded.tokenizer("a fox")["input_ids"]], device="cuda:0")

        def ours(tokens: int, bench: Bench = bench) -> None:
            bench.ask(request("a fox", tokens, seed=1, temperature=0.7))

        def theirs(tokens: int, model: Any = loaded.model, ids: Any = ids) -> None:
            with torch.inference_mode():
                model.generate(input_ids=ids, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=True)

        if not record:
            found["ours"] = a_token(card, ours)
            for module in loaded.model.modules():
                # As it came from transformers.
                if type(module).__name__.startswith("Fused"):
                    module.__class__ = type(module).__base__
            found["ours, norms as transformers has them"] = a_token(card, ours)
            found["`model.generate`"] = a_token(card, theirs)
        else:
            beside, waits = a_token(card, ours)
            # The stand-in replays operation by operation; a real graph is launched as one.
            found["ours, CUDA graph"] = (beside + 1, waits)
        bench.backend.unload()
    return found


def main() -> None:
    try:
        import bitsandbytes  # noqa: F401
        from card import machine
    except ImportError as error:
        print(f"No {error.name} here: nothing to count.")
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            machine.build_guard(Path(folder))
        except machine.NoCompiler as reason:
            print(f"Nothing to count with: {reason}.")
            return
        import torch

        model = Path(folder, "model")
        save_model(model, SHAPE, torch.bfloat16)
        with machine.machine_with_a_card() as card:
            found = ways(model, card)
    base = found["`model.generate`"][0]
    table(
        "Qwen3, 36 layers, nf4, batch 1, sampled, a 4-bit product counted as one operation",
        ("way", "operations a token", "/ model.generate", "waits for the card a token"),
        [
            (way, f"{asked:.0f}", f"{asked / base:.2f}", f"{waits:.1f}")
            for way, (asked, waits) in found.items()
        ],
    )


if __name__ == "__main__":
    main()

"""Gains and costs of the local model's own loop on a CPU, beside named baselines.

    python benchmarks/local_cpu.py [batch] [prefix] [stop] [loop] [constraint] [enhance] [--model FOLDER]

Models are untrained and of a real shape: Qwen3-0.6B, in 4 bits (needs 3 GB of memory while it is made), or
that in FOLDER for batch, prefix, stop and enhance, which asks no other. One thread, and times are processor
times: on a shared machine a clock measures the neighbours too. Rounds are interleaved.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import string
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import table  # noqa: E402
from untrained_model import LOGITS, Bench, request, save_model, without_stops  # noqa: E402

QWEN3_06B = {
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
IDEAS = ("a fox in the snow", "an old harbour at dawn", "two children on a yellow sofa", "a knight reading")
SCHEMA = {"type": "object", "properties": {"values": {"type": "array", "items": {"type": "string"}}}}


def interleaved(rounds: int, *ways: Callable[[], float]) -> list[list[float]]:
    """Run each way, round by round, and return its figures."""
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for place, way in enumerate(ways):
            found[place].append(way())
    return found


def seconds_of(call: Callable[[], Any]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def loaded_by_transformers(loaded: Any) -> Any:
    """Load the same weights as a user of transformers does, without what this pack changes in the layers."""
    import transformers

    four_bits = transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=loaded.compute_dtype,
    )
    more = {"quantization_config": four_bits} if loaded.dtype == "nf4" else {}
    model = transformers.AutoModelForCausalLM.from_pretrained(
        loaded.folder, dtype=loaded.compute_dtype, device_map={"": "cpu"}, **more
    )
    return model.eval()


def batch(bench: Bench, rounds: int) -> None:
    """Time eight answers at once, one after another, and from transformers' own loop."""
    import torch

    tokens = 32
    rows = [request(f"{number} foxes", tokens, seed=number, temperature=0.7) for number in range(8)]
    bench.ask(rows[0])
    without_stops(bench)
    loaded = bench.model.loaded
    ids = [list(bench.model.chat.encode(row.messages).ids) for row in rows]
    width = max(map(len, ids))
    inputs = {
        "input_ids": torch.tensor([[0] * (width - len(row)) + row for row in ids]),
        "attention_mask": torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids]),
    }
    plain = loaded_by_transformers(loaded)

    def ask(*some: Any) -> float:
        bench.model.prompts.clear()  # generate keeps nothing, either
        return bench.ask(*some)

    def generate(model: Any, count: int) -> float:
        one = {name: value[:count] for name, value in inputs.items()}
        options = {"max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": True}
        return seconds_of(lambda: model.generate(**one, **options, top_k=20, top_p=0.8, temperature=0.7))

    generate(plain, 1)  # the first call repacks the weights
    together, theirs, with_ours, apart, theirs_apart, with_ours_apart = interleaved(
        rounds,
        lambda: ask(*rows),
        lambda: generate(plain, 8),
        lambda: generate(loaded.model, 8),
        lambda: sum(ask(row) for row in rows),
        lambda: 8 * generate(plain, 1),
        lambda: 8 * generate(loaded.model, 1),
    )
    ways = {
        "ours, batch of 8": (together, speedup(apart, together), "≥ 3"),
        "model.generate, batch of 8": (theirs, speedup(theirs, together), "≥ 1.2"),
        "model.generate with our layers, batch of 8": (with_ours, speedup(with_ours, together), ""),
        "ours, 8 calls": (apart, "", ""),
        "model.generate, 8 calls": (theirs_apart, speedup(theirs_apart, apart), "≥ 1.2"),
        "model.generate with our layers, 8 calls": (with_ours_apart, speedup(with_ours_apart, apart), ""),
    }
    table(
        f"8 variations of {tokens} tokens, {loaded.model.config.model_type}, {loaded.dtype}, 1 thread; "
        "a batch of ours beside calls of ours, else ours beside that way",
        ("way", "CPU seconds (best)", "tokens/s", "ours is faster by, median", "bound"),
        [
            (name, f"{min(times):.2f}", f"{8 * tokens / min(times):.1f}", ratio, bound)
            for name, (times, ratio, bound) in ways.items()
        ],
    )


def enhance(bench: Bench, rounds: int) -> None:
    """Time ideas that are enhanced one after another for one target, as a small model is asked."""
    import torch

    from quillwork.prompting import targets
    from quillwork.prompting.compact import compact_messages
    from quillwork.prompting.tasks import EnhanceTask

    tokens = 64
    bench.ask(request("a fox", 1))
    without_stops(bench)
    plain = loaded_by_transformers(bench.model.loaded)
    target = targets.load("flux1_dev")
    asked = [compact_messages(EnhanceTask(idea, target)) for idea in IDEAS]
    prompts = [torch.tensor([bench.model.chat.encode(messages).ids]) for messages in asked]

    def ours(messages: Any, count: int) -> float:
        return bench.ask(replace(request("", count, temperature=0.7, seed=1), messages=messages))

    def theirs(ids: Any, count: int) -> float:
        options = {"max_new_tokens": count, "min_new_tokens": count, "do_sample": True}
        mask = torch.ones_like(ids)
        return seconds_of(
            lambda: plain.generate(ids, attention_mask=mask, **options, top_k=20, top_p=0.8, temperature=0.7)
        )

    theirs(prompts[0], 1)  # the first call repacks the weights
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        bench.model.prompts.clear()
        for place, (messages, ids) in enumerate(zip(asked, prompts, strict=True)):
            first = ours(messages, 1), theirs(ids, 1)
            if not place:
                bench.model.prompts.clear()
            whole = ours(messages, tokens), theirs(ids, tokens)
            idea = "first idea" if not place else "next ideas"
            found.setdefault(f"first token, {idea}", []).append(first)
            found.setdefault(f"{tokens} tokens with the prompt, {idea}", []).append(whole)
            step = tuple((all_ - one) / (tokens - 1) for one, all_ in zip(first, whole, strict=True))
            found.setdefault("a further token", []).append(step)  # type: ignore[arg-type]
    lengths = ", ".join(str(ids.shape[1]) for ids in prompts)
    table(
        f"Ideas enhanced in turn, {bench.model.loaded.model.config.model_type}, {bench.model.loaded.dtype}, "
        f"1 thread, prompts of {lengths} tokens; median CPU seconds",
        ("what", "ours", "model.generate", "ours is faster by, median"),
        [
            (
                what,
                *(f"{statistics.median(times):.3f}" for times in zip(*pairs, strict=True)),
                f"{statistics.median(other / own for own, other in pairs):.2f} ×",
            )
            for what, pairs in found.items()
        ],
    )


def speedup(slower: list[float], ours: list[float]) -> str:
    """The median over the rounds, in words."""
    return f"{statistics.median(a / b for a, b in zip(slower, ours, strict=True)):.2f} ×"


def prefix(bench: Bench, rounds: int) -> None:
    """Time the first token after a long system prompt: kept, and cleared."""
    words = random.Random(1)
    alphabet = string.ascii_letters
    system = "".join(words.choices(alphabet, k=600))  # a token each: the tokenizer has no merges
    rows = []
    for new in (30, 120):
        question = request("".join(words.choices(alphabet, k=new)), 1, system)
        bench.ask(question)

        def cleared(question: Any = question) -> float:
            bench.model.prompts.clear()
            return bench.ask(question)

        kept, without = interleaved(rounds, lambda question=question: bench.ask(question), cleared)  # type: ignore[misc]
        # A round clears and the next finds: the order makes both alike but for what is kept.
        ratio = statistics.median(b / a for a, b in zip(kept, without, strict=True))
        rows.append(
            (
                f"600 + {new} tokens",
                f"{statistics.median(kept) * 1000:.0f} ms",
                f"{statistics.median(without) * 1000:.0f} ms",
                f"{ratio:.1f}",
                "≥ 8" if new == 30 else "reported",
            )
        )
    table(
        "First token with the system prompt kept, beside a cleared cache; Qwen3-0.6B shape, nf4, 1 thread",
        ("prompt", "kept", "cleared", "cleared / kept", "bound"),
        rows,
    )


class NoForward:
    """A decoder that computes nothing: its logits have the right width and are always the same."""

    def __init__(self, rows: int) -> None:
        import torch

        self.can_drop_rows = True
        self.scores = torch.randn(rows, LOGITS, generator=torch.Generator().manual_seed(0))

    def step(self, tokens: Any) -> Any:
        return self.scores.clone() if self.copies else self.scores

    copies = False

    def keep(self, rows: Any) -> None:
        pass


def loop_ms(bench: Bench, requests: list[Any], tokens: int, *, copies: bool = False) -> float:
    """The milliseconds of the loop for each token of the batch's step, without the model."""
    import torch

    from quillwork.llm_backends.host import NullHost
    from quillwork.llm_backends.local.transformers_local import backend
    from quillwork.llm_backends.local.transformers_local.generation import _Batch
    from quillwork.llm_backends.streaming.live import LiveText

    sinks = LiveText().start(len(requests))
    rows: list[Any] = [
        backend._make_row(one, bench.model, bench.deployment, sink)
        for one, sink in zip(requests, sinks, strict=True)
    ]
    work = _Batch(rows, bench.model, NullHost())
    work._decoder = stand_in = NoForward(len(rows))  # type: ignore[assignment]
    stand_in.copies = copies
    with torch.inference_mode():
        steps = 0
        for row in rows:
            row.accept_forced()
        began = time.process_time()
        logits = stand_in.step(None)
        while steps < tokens:
            taken = work._take(logits)
            work._watch.token()
            if not work._drop_finished(taken):
                break
            logits = stand_in.step(taken)
            steps += 1
        return (time.process_time() - began) * 1000 / max(1, max(len(row.ids) for row in rows))


def loop(bench: Bench, rounds: int) -> None:
    """Time a token beside the model: choosing, text, progress, asking for a stop."""
    bench.ask(request("a", 1))
    without_stops(bench)
    tokens = 200
    ways = {
        "greedy, batch 1": ([request("a", 5000)], "≤ 0.3 ms"),
        "sampled (0.7, top-p 0.8, top-k 20), batch 1": (
            [request("a", 5000, temperature=0.7, seed=1)],
            "reported",
        ),
        "sampled, top-p 0.8 alone, batch 1": (
            [request("a", 5000, temperature=0.7, top_p=0.8, seed=1, extra={"top_k": 0})],
            "reported",
        ),
        "greedy, batch 8": ([request("a", 5000)] * 8, "reported"),
        "sampled, batch 8": ([request("a", 5000, temperature=0.7, seed=n) for n in range(8)], "reported"),
    }
    # A first run fills caches.
    times = interleaved(
        rounds + 1,
        *(lambda rows=rows: loop_ms(bench, rows, tokens) for rows, _ in ways.values()),  # type: ignore[misc]
    )
    table(
        f"The loop's own cost a token, {LOGITS:,} logits, beside a forward that does nothing",
        ("way", "ms a step (median)", "best", "bound"),
        [
            (name, f"{statistics.median(found[1:]):.3f}", f"{min(found):.3f}", bound)
            for (name, (_, bound)), found in zip(ways.items(), times, strict=True)
        ],
    )


def constraint(bench: Bench, rounds: int) -> None:
    """Time the constraint to a list of distinct values, on the same logits."""
    bench.ask(request("a", 1))
    without_stops(bench)
    built = seconds_of(lambda: bench.model.masks(LOGITS))
    rows = []
    for count, bound in ((1, "≤ 0.4 ms"), (8, "reported")):
        free = [request("a", 5000, temperature=0.7, seed=number) for number in range(count)]
        task = SimpleNamespace(count=60, existing=())
        held = [
            request("a", 5000, temperature=0.7, seed=number, schema=SCHEMA, task=task)
            for number in range(count)
        ]
        without, with_ = interleaved(
            rounds + 1,
            lambda free=free: loop_ms(bench, free, 200, copies=True),  # type: ignore[misc]
            lambda held=held: loop_ms(bench, held, 200, copies=True),  # type: ignore[misc]
        )
        added = statistics.median(b - a for a, b in zip(without[1:], with_[1:], strict=True))
        rows.append(
            (
                f"batch {count}",
                f"{statistics.median(without[1:]):.3f}",
                f"{statistics.median(with_[1:]):.3f}",
                f"{added:.3f}",
                bound,
            )
        )
    table(
        f"The list constraint at {LOGITS:,} logits, ms a token; read once for a tokenizer: {built:.2f} s",
        ("rows", "free", "held to a list", "added (median of pairs)", "bound"),
        rows,
    )


def stop(bench: Bench, rounds: int) -> None:
    """Time the end of a prefill once the user says stop."""
    import threading

    from quillwork.llm_backends.errors import Cancelled

    words = random.Random(2)
    times = []
    bench.ask(request("a fox", 1))  # loading is another matter
    for _ in range(rounds):
        host = SimpleNamespace(stop=0.0)

        def cancelled(host: Any = host) -> bool:
            return bool(host.stop)

        host.cancelled, host.tick = cancelled, lambda: None
        text = "".join(words.choices(string.ascii_letters, k=630))
        timer = threading.Timer(0.7, lambda host=host: setattr(host, "stop", time.perf_counter()))
        timer.start()
        try:
            bench.ask(request(text, 1), host=host)
        except Cancelled:
            times.append((time.perf_counter() - host.stop) * 1000)
        timer.join()
    table(
        "Stop pressed in a prefill of 630 tokens, Qwen3-0.6B shape, nf4, 1 thread",
        ("way", "ms until it ended (median)", "worst", "bound"),
        [("ours", f"{statistics.median(times):.0f}", f"{max(times):.0f}", "≤ 150 ms")],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "parts", nargs="*", help="batch, prefix, stop, loop, constraint, enhance; all without a name"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", type=Path, help="a folder with a model for batch, prefix and stop")
    options = parser.parse_args()
    try:
        import torch
        import transformers
    except ImportError:
        print("No torch or no transformers here: nothing to measure.")
        return
    from quillwork.llm_backends.local.transformers_local.libraries import missing_for_quantisation

    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    dtype = "fp32" if missing_for_quantisation("cpu") else "nf4"
    parts = options.parts or ["batch", "prefix", "stop", "loop", "constraint"]
    if not options.parts and options.model:
        parts.append("enhance")
    elif "enhance" in parts and not options.model:
        parser.error("enhance needs --model: of an untrained one's tokenizer each letter is a token")
    heavy, light = [batch, prefix, stop, enhance], [loop, constraint]
    for group, shape, kind in (
        (heavy, QWEN3_06B, dtype),
        (light, {**QWEN3_06B, "hidden_size": 64, "num_hidden_layers": 1}, "fp32"),
    ):
        wanted = [part for part in group if part.__name__ in parts]
        if not wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            given = options.model if group is heavy else None
            if given is None:
                save_model(Path(folder), shape, torch.bfloat16)
            bench = Bench(given or Path(folder), kind)
            for part in wanted:
                part(bench, options.rounds)
            bench.backend.unload()
            del bench
            gc.collect()


if __name__ == "__main__":
    main()

"""First token and tokens per second of GGUF files through this pack, beside llama-cpp-python called directly.

    python benchmarks/gguf_speed.py FILE [FILE ...] [--rounds 3] [--tokens 48]

    python benchmarks/gguf_speed.py FILE [FILE ...] --together 8 [--threads 2]

The same messages, temperature 0, one thread on one core; rounds are interleaved, and the best of each counts.
With --together, variations of one idea and different ideas written at once and one after another.
Times are processor times: on a shared machine a clock measures the neighbours too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from setting import load_pack, table

IDEAS = ("a fox in the snow", "an old harbour at dawn, oil painting", "two children on a yellow sofa")
# A figure of a way: first token cold, first token of the next idea, a further token, all in seconds.
Figures = tuple[float, float, float]


def messages(idea: str) -> Any:
    """A request for a prompt, about as long as a small model gets it."""
    from quillwork.llm_backends.types import Message

    rules = (
        "You write prompts for an image model. Keep everything that the idea names, and add what a picture "
        "needs: the place, the light, the colours, the materials, the distance and the mood. "
    )
    example = (
        "Idea: a lighthouse. Prompt: A white lighthouse stands on a dark basalt cliff above a rough sea, "
        "spray rising to its foot, low clouds torn open by a band of late light in the west. "
    )
    return (Message("system", rules * 3 + example * 3), Message("user", f"Idea: {idea}"))


class Ours:
    """The backend of the mode gguf."""

    def __init__(self, file: Path) -> None:
        from quillwork.llm_backends.local.gguf.backend import Gguf
        from quillwork.llm_backends.types import Deployment

        self._backend, self._deployment = Gguf(), Deployment("gguf", str(file), mode="gguf")

    def write(self, idea: str, tokens: int) -> list[float]:
        """When each token came, after the call."""
        from quillwork.llm_backends.host import NullHost
        from quillwork.llm_backends.streaming.live import LiveText
        from quillwork.llm_backends.types import Request

        live, came = LiveText(), []
        began = time.process_time()

        class Host(NullHost):
            def tick(self) -> None:
                if live.text():
                    came.append(time.process_time() - began)

        request = Request(messages(idea), temperature=0, max_tokens=tokens)
        self._backend.answer_all([request], self._deployment, live.start(1), Host())
        return came

    def forget(self) -> None:
        model = self._backend._model
        if model is not None:
            model._read = []


class Direct:
    """llama-cpp-python with its defaults."""

    def __init__(self, file: Path) -> None:
        import llama_cpp

        self._llama = llama_cpp.Llama(str(file), n_ctx=8192, n_threads=1, n_threads_batch=1, verbose=False)

    def write(self, idea: str, tokens: int) -> list[float]:
        came = []
        said = [{"role": one.role, "content": one.content} for one in messages(idea)]
        began = time.process_time()
        for chunk in self._llama.create_chat_completion(said, stream=True, temperature=0, max_tokens=tokens):
            if chunk["choices"][0]["delta"].get("content"):
                came.append(time.process_time() - began)
        return came

    def forget(self) -> None:
        self._llama.reset()


def measured(way: Any, tokens: int) -> Figures:
    way.forget()
    cold = way.write(IDEAS[0], tokens)
    warm = way.write(IDEAS[1], tokens)
    steps = [(came[-1] - came[0]) / (len(came) - 1) for came in (cold, warm) if len(came) > 1]
    return cold[0], warm[0], min(steps, default=0.0)


def best(figures: Sequence[Figures]) -> Figures:
    cold, warm, step = (min(one) for one in zip(*figures, strict=True))
    return cold, warm, step


def together(file: Path, count: int, tokens: int, rounds: int) -> list[list[str]]:
    """Time `count` answers at once, beside one after another: tokens a second of processor and of wall."""
    from quillwork.llm_backends.host import NullHost
    from quillwork.llm_backends.local.gguf import parallel
    from quillwork.llm_backends.streaming.live import LiveText
    from quillwork.llm_backends.types import Request

    ours, possible, rows = Ours(file), parallel.is_possible, []
    ours.write(IDEAS[2], 2)  # loads and warms up
    for name, ideas in (("one idea", IDEAS[:1]), ("different ideas", IDEAS)):
        requests = [
            Request(messages(ideas[seed % len(ideas)]), temperature=0.8, seed=seed, max_tokens=tokens)
            for seed in range(count)
        ]
        found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        for _ in range(rounds):
            for way, figures in found.items():
                parallel.is_possible = possible if way else lambda *_: False
                began, clock = time.process_time(), time.perf_counter()
                answers = ours._backend.answer_all(
                    requests, ours._deployment, LiveText().start(count), NullHost()
                )
                took, wall = time.process_time() - began, time.perf_counter() - clock
                written = sum(getattr(getattr(one, "usage", None), "completion_tokens", 0) for one in answers)
                figures.append((written / took, written / wall))
        parallel.is_possible = possible
        alone, at_once = (tuple(map(max, zip(*figures, strict=True))) for figures in found.values())
        for kind, mine, other in zip(("processor", "wall"), at_once, alone, strict=True):
            rows.append(
                [
                    file.name,
                    f"{count} × {name}, {kind}",
                    f"{mine:.1f}",
                    f"{other:.1f}",
                    f"{mine / other:.2f} ×",
                ]
            )
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--tokens", type=int, default=48)
    options.add_argument("--together", type=int, default=0, metavar="COUNT")
    options.add_argument("--threads", type=int, default=1)
    given = options.parse_args()
    with contextlib.suppress(AttributeError):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: given.threads]))
    load_pack()
    if given.together:
        rows = [
            row for file in given.files for row in together(file, given.together, given.tokens, given.rounds)
        ]
        threads = f"{given.threads} thread{'s'[: given.threads - 1]}"
        names = ["file", "", "at once, tok/s", "one after another, tok/s", "ratio"]
        table(f"Several answers from a GGUF file on a CPU, {threads}", names, rows)
        return
    rows = []
    for file in given.files:
        ways = [Ours(file), Direct(file)]
        for way in ways:
            way.write(IDEAS[2], 2)  # loads and warms up
        found: list[list[Figures]] = [[], []]
        for _ in range(given.rounds):
            for place, way in enumerate(ways):
                found[place].append(measured(way, given.tokens))
        ours, direct = map(best, found)
        for name, mine, other in zip(
            ("first token", "first token of the next idea"), ours, direct, strict=False
        ):
            rows.append(
                [file.name, name, f"{mine * 1e3:,.0f} ms", f"{other * 1e3:,.0f} ms", f"{other / mine:.2f} ×"]
            )
        rows.append(
            [
                file.name,
                "tokens/s",
                f"{1 / ours[2]:.1f}",
                f"{1 / direct[2]:.1f}",
                f"{direct[2] / ours[2]:.2f} ×",
            ]
        )
    table("A GGUF file on a CPU", ["file", "", "ours", "llama-cpp-python directly", "ratio"], rows)


main()

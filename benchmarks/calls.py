"""Cost of a call beyond the upstream, beside the plainest client for the same wire.

    python benchmarks/calls.py

Upstream is the loopback imitation server in a process of its own. Rounds are interleaved, medians are
reported: on a shared machine only the ratios mean something.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import load_pack, table, upstream  # noqa: E402

load_pack()

from quillwork.llm_backends.model import Model  # noqa: E402
from quillwork.llm_backends.pipeline import complete_all  # noqa: E402
from quillwork.llm_backends.runner import runner  # noqa: E402
from quillwork.llm_backends.streaming.live import LiveText  # noqa: E402
from quillwork.llm_backends.types import Deployment, Message, Request, Secret  # noqa: E402
from quillwork.prompting import targets  # noqa: E402
from quillwork.prompting.enhance import Idea, enhance  # noqa: E402

MODEL = "fox-chunks20"
SLOW = "fox-delay500-chunks20"


def endpoint(url: str, model: str) -> Deployment:
    return Deployment("openai_compatible", model, base_url=f"{url}/v1", api_key=Secret("no-real-key"))


def sdk(url: str, model: str) -> Deployment:
    return Deployment(
        "litellm", model, provider="openai", base_url=f"{url}/v1", api_key=Secret("no-real-key"), retries=0
    )


async def bare_aiohttp(session, url: str) -> None:
    """Call as a hand-written client would: POST, read the events, join the text."""
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "a fox"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    texts = []
    async with session.post(
        f"{url}/v1/chat/completions", json=body, headers={"Authorization": "Bearer no-real-key"}
    ) as response:
        async for line in response.content:
            if line.startswith(b"data:") and b"[DONE]" not in line:
                for choice in json.loads(line[5:])["choices"]:
                    texts.append(choice["delta"].get("content") or "")
    assert "".join(texts)


async def bare_litellm(url: str) -> None:
    import litellm

    stream = await litellm.acompletion(
        model=f"openai/{MODEL}",
        messages=[{"role": "user", "content": "a fox"}],
        stream=True,
        stream_options={"include_usage": True},
        api_base=f"{url}/v1",
        api_key="no-real-key",
        num_retries=0,
        max_retries=0,
    )
    texts = []
    async for chunk in stream:
        for choice in chunk.choices:
            texts.append(choice.delta.content or "")
    assert "".join(texts)


async def ours(deployment: Deployment) -> None:
    (result,) = await complete_all([Request((Message("user", "a fox"),))], deployment, LiveText())
    assert result.text  # type: ignore[union-attr]


async def interleaved(rounds: int, *ways: Callable[[], Awaitable[None]]) -> list[list[float]]:
    """Time each way, round by round: milliseconds."""
    times: list[list[float]] = [[] for _ in ways]
    for round_ in range(rounds + 5):
        order = list(range(len(ways)))
        for place in order if round_ % 2 else reversed(order):
            started = time.perf_counter()
            await ways[place]()
            if round_ >= 5:
                times[place].append((time.perf_counter() - started) * 1000)
    return times


async def single_calls(url: str, rounds: int, with_sdk: bool) -> list[tuple[str, ...]]:
    import aiohttp

    rows = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        bare, mine = await interleaved(
            rounds, lambda: bare_aiohttp(session, url), lambda: ours(endpoint(url, MODEL))
        )
    rows.append(_row("openai_compatible / bare aiohttp", mine, bare, "≤ 1.3"))
    if with_sdk:
        bare, mine = await interleaved(rounds, lambda: bare_litellm(url), lambda: ours(sdk(url, MODEL)))
        rows.append(_row("litellm SDK backend / bare litellm.acompletion", mine, bare, "≤ 1.15"))
    return rows


def _row(name: str, mine: list[float], bare: list[float], bound: str) -> tuple[str, ...]:
    mine_ms, bare_ms = statistics.median(mine), statistics.median(bare)
    paired = statistics.median(a / b for a, b in zip(mine, bare, strict=True))
    return name, f"{mine_ms:.2f} ms", f"{bare_ms:.2f} ms", f"{paired:.2f}", bound


def variations(deployment: Deployment) -> float:
    """Time 16 variations of one prompt: seconds."""
    idea = Idea("a fox in the snow", targets.load("plain"), variations=16)
    started = time.perf_counter()
    enhanced = runner.run(enhance([idea], Model(deployment)))
    assert len(enhanced.prompts) == 16
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--without-sdk", action="store_true")
    options = parser.parse_args()
    with upstream() as url:
        ways = [("openai_compatible", endpoint, "≤ 1.0 s")]
        if not options.without_sdk:
            ways.append(("litellm SDK", sdk, "≤ 1.5 s"))
        rows = []
        for name, make, bound in ways:
            first = variations(make(url, SLOW))
            warm = statistics.median(variations(make(url, SLOW)) for _ in range(5))
            rows.append((name, f"{first:.2f} s", f"{warm:.2f} s", f"{warm / 0.5:.2f}", bound))
        table(
            "16 variations, upstream answers in 500 ms",
            ("transport", "first", "warm", "/ 0.5 s", "bound"),
            rows,
        )
        table(
            "One streamed call, 20 chunks, warm client, medians",
            ("ours / baseline", "ours", "baseline", "ratio", "bound"),
            runner.run(single_calls(url, options.rounds, not options.without_sdk)),
        )


if __name__ == "__main__":
    main()

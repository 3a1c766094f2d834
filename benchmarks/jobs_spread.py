"""A job over several servers of one model, and one that is killed again and again.

    python benchmarks/jobs_spread.py [--lines 300] [--kills 20]

Each server answers in 400 ms, at most 4 calls at once, so that it and not the processor is the bound.
Reported: answers a second with 1, 2 and 4 servers; and after SIGKILL at random moments how many texts are
there and how many calls were made twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import table  # noqa: E402

SLOTS, ANSWER_S = 4, 0.4


class Servers:
    """Servers on a thread of their own, which count what they are asked."""

    def __init__(self, count: int) -> None:
        self.urls: list[str] = []
        self.asked: Counter[str] = Counter()
        self.open = 0
        self.first = self.last = 0.0
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run(count, ready)), daemon=True).start()
        ready.wait()

    async def _run(self, count: int, ready: threading.Event) -> None:
        from aiohttp import web

        for _ in range(count):
            app = web.Application()
            app.router.add_post("/v1/chat/completions", self._answer(asyncio.Semaphore(SLOTS)))
            runner = web.AppRunner(app, handler_cancellation=True)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.urls.append(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        ready.set()
        await asyncio.Event().wait()

    def _answer(self, slots: asyncio.Semaphore):
        from aiohttp import web

        event = {"choices": [{"index": 0, "delta": {"content": "a fox in snow"}, "finish_reason": "stop"}]}
        body = f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode()

        async def answer(request: web.Request) -> web.Response:
            self.asked[json.dumps((await request.json())["messages"])] += 1
            self.first = self.first or time.monotonic()
            self.open += 1
            try:
                async with slots:
                    await asyncio.sleep(ANSWER_S)
            finally:
                self.open -= 1
            self.last = time.monotonic()
            return web.Response(body=body, content_type="text/event-stream")

        return answer


def begin(place: Path, lines: int, urls: Sequence[str]) -> subprocess.Popen[str]:
    ideas = place / "ideas.txt"
    ideas.write_text("\n".join(f"idea{number}x, a fox" for number in range(lines)), "utf-8")
    environment = {
        **os.environ,
        "QUILLWORK_HOME": str(place / "home"),
        "LLM_BASE_URL": ",".join(urls),
        "LLM_MODEL": "fox",
    }
    arguments = [str(ROOT), "enhance", "--file", str(ideas), "--out", str(place / "out.jsonl"), "--json"]
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def texts(place: Path) -> Counter[int]:
    rows = map(json.loads, (place / "out.jsonl").read_text("utf-8").splitlines())
    return Counter(row["line"] for row in rows if row["prompt"])


def spread(count: int, lines: int) -> float:
    """Return the answers a second with `count` servers, from the first question to the last answer."""
    servers = Servers(count)
    with tempfile.TemporaryDirectory() as folder:
        job = begin(Path(folder), lines, servers.urls)
        _, said = job.communicate()
        assert job.returncode == 0, said
        assert texts(Path(folder)) == Counter(range(lines))
    assert sum(servers.asked.values()) == lines
    return lines / (servers.last - servers.first)


def killed(lines: int, kills: int) -> tuple[int, int, int]:
    """Return the texts there in the end, calls made twice, and calls that were open at the kills."""
    servers, opened = Servers(2), 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for _ in range(kills):
            already = sum(servers.asked.values())
            job = begin(place, lines, servers.urls)
            while sum(servers.asked.values()) == already and job.poll() is None:
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.8))
            opened += servers.open
            job.kill()
            job.communicate()
        job = begin(place, lines, servers.urls)
        _, said = job.communicate()
        assert job.returncode == 0, said
        assert texts(place) == Counter(range(lines)), "not each text once"
        return len(texts(place)), sum(servers.asked.values()) - len(servers.asked), opened


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    rates = {count: spread(count, options.lines * count) for count in (1, 2, 4)}
    ceiling = SLOTS / ANSWER_S
    rows = [
        (str(count), f"{rate:.1f}/s", f"{ceiling * count:.0f}/s", f"× {rate / rates[1]:.2f}")
        for count, rate in rates.items()
    ]
    table("Several servers", ("servers", "answers", "what they can do", "against one"), rows)
    there, twice, opened = killed(options.lines, options.kills)
    row = (f"{there} of {options.lines}", str(twice), str(opened))
    table(f"Killed {options.kills} times", ("texts", "calls made twice", "calls open at the kills"), [row])


if __name__ == "__main__":
    main()

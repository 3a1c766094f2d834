"""A job over a folder of pictures, beside a plain asyncio script and what the server can do.

    python benchmarks/jobs.py [--pictures 1000] [--already 100000]

The server, in a process of its own, answers in 200 ms, at most 32 at once; pictures have two megapixels.
Reported: the seconds from the first question to the last answer and those of the whole command, against
what the server can do; processor time for a picture, growth of memory, and the time in which a job with
nothing left to do says so.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from setting import load_pack, table  # noqa: E402

load_pack()

from quillwork.prompting.jobs.journal import Journal, journals  # noqa: E402

SLOTS, ANSWER_S, SIZE = 32, 0.2, (1632, 1224)
_LOOK_EVERY_S = 0.25


class Run(NamedTuple):
    """One run of the command: its seconds, those at the server, and processor seconds here and there."""

    seconds: float
    served_s: float
    cpu_s: float
    server_cpu_s: float
    most_mb: float
    report: dict[str, object]


QUESTION = "You are shown a picture and tell somebody who cannot see it what is there."


def serve(port: multiprocessing.Queue[int]) -> None:
    from aiohttp import web

    slots, times = asyncio.Semaphore(SLOTS), []
    event = {"choices": [{"index": 0, "delta": {"content": "a fox in the snow"}, "finish_reason": "stop"}]}
    body = f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode()

    async def answer(request: web.Request) -> web.Response:
        times.append(time.monotonic())
        await request.read()
        async with slots:
            await asyncio.sleep(ANSWER_S)
        times.append(time.monotonic())
        return web.Response(body=body, content_type="text/event-stream")

    async def seen(_: web.Request) -> web.Response:
        """Tell the seconds from the first question to the last answer since this was asked, and our own."""
        seconds = max(times, default=0.0) - min(times, default=0.0)
        times.clear()
        return web.json_response([seconds, time.process_time()])

    async def run() -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", answer)
        app.router.add_get("/seen", seen)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


def draw(folder: Path, count: int) -> None:
    from PIL import Image

    for number in range(count):
        color = (number % 251, number // 251 * 40 % 251, 90)
        picture = Image.new("RGB", SIZE, color)
        picture.paste(Image.effect_noise((400, 300), 80).convert("RGB"), (number % 1200, 50))
        picture.save(folder / f"p{number}.jpg", quality=90)


def caption(folder: Path, home: Path, port: int) -> Run:
    environment = {
        **os.environ,
        "QUILLWORK_HOME": str(home),
        "LLM_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "LLM_MODEL": "fox",
        # As for everybody who has run it before.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(home.parent / "bytecode"),
    }
    _, server_began = seen(port)
    cpu_began, began = children().ru_utime + children().ru_stime, time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, str(ROOT), "caption", str(folder), "--yes", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    most_mb = 0.0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            out, errors = program.communicate(timeout=_LOOK_EVERY_S)
            break
        most_mb = max(most_mb, memory_mb(program.pid))
    seconds = time.perf_counter() - began
    assert program.returncode in (0, 3), errors
    served, server_ended = seen(port)
    return Run(
        seconds,
        served,
        children().ru_utime + children().ru_stime - cpu_began,
        server_ended - server_began,
        most_mb,
        json.loads(out),
    )


def memory_mb(process: int) -> float:
    """Return the memory of a process and its children, where they share some each with its part of it."""
    sizes = 0.0
    # One may end meanwhile.
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            sizes += int(line.split()[1]) / 1024 if line.startswith("Pss:") else 0
        for thread in Path(f"/proc/{process}/task").iterdir():
            sizes += sum(map(memory_mb, map(int, (thread / "children").read_text().split())))
    return sizes


def children() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def seen(port: int) -> tuple[float, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen") as answer:
        served, cpu = json.load(answer)
    return served, cpu


def plain(folder: Path, port: int) -> float:
    """Return the seconds of a script as somebody writes it in a quarter of an hour: no journal, no repair."""
    import aiohttp
    from PIL import Image

    def scaled(file: Path) -> str:
        from io import BytesIO

        picture = Image.open(file)
        picture.thumbnail((1024, 1024))
        out = BytesIO()
        picture.save(out, "JPEG", quality=90)
        return base64.b64encode(out.getvalue()).decode()

    async def one(session: aiohttp.ClientSession, slots: asyncio.Semaphore, file: Path) -> None:
        async with slots:
            data = await asyncio.to_thread(scaled, file)
            content = [
                {"type": "text", "text": QUESTION},
                {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}},
            ]
            body = {"model": "fox", "stream": True, "messages": [{"role": "user", "content": content}]}
            async with session.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body) as answer:
                await answer.read()
        file.with_suffix(".txt").write_text("a fox in the snow")

    async def all_of_them() -> None:
        slots = asyncio.Semaphore(SLOTS)
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(one(session, slots, file) for file in sorted(folder.glob("*.jpg"))))

    began = time.perf_counter()
    asyncio.run(all_of_them())
    return time.perf_counter() - began


def nothing_left(folder: Path, home: Path, port: int, count: int) -> float:
    """Return the seconds in which a job of `count` captions, all written, is told to be done."""
    folder.mkdir()
    for number in range(count):
        (folder / f"p{number}.png").write_bytes(b"x")
    caption(folder, home, port)  # every one fails, and the journal is there
    (file,) = journals(home / "jobs")
    with Journal(file) as journal:
        data = journal._data
        data.execute("begin")
        data.execute("delete from failures")
        for picture in folder.iterdir():
            status = picture.stat()
            stamp = f"{status.st_size}-{status.st_mtime_ns}"
            data.execute("insert into texts values (?, ?)", (picture.name, '{"text": "a fox"}'))
            data.execute("insert into names values (?, ?, ?)", (picture.name, stamp, picture.name))
        data.execute("commit")
    for picture in list(folder.glob("*.png")):
        picture.with_suffix(".txt").write_text("a fox\n")
    return min(caption(folder, home, port).seconds for _ in range(3))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--already", type=int, default=100_000)
    options = parser.parse_args()
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    at = port.get()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        folder.mkdir()
        draw(folder, 4)
        caption(folder, Path(place) / "first", at)  # which compiles
        for file in folder.glob("*.txt"):
            file.unlink()
        few = caption(folder, Path(place) / "idle", at)
        for file in folder.iterdir():
            file.unlink()
        draw(folder, options.pictures)
        ours = caption(folder, Path(place) / "home", at)
        assert ours.report["written"] == options.pictures
        for file in folder.glob("*.txt"):
            file.unlink()
        script = plain(folder, at)
        scripted, _ = seen(at)
        ceiling = options.pictures / SLOTS * ANSWER_S
        more = (options.pictures - 4) / 1000
        rows = [
            (
                f"{options.pictures} pictures, first question to last answer",
                f"{ours.served_s:.1f} s",
                f"the server: {ceiling:.1f} s",
                f"{ceiling / ours.served_s:.2f}",
            ),
            ("", "", f"the script: {scripted:.1f} s", f"{scripted / ours.served_s:.2f}"),
            (
                "the whole command",
                f"{ours.seconds:.1f} s",
                f"the server: {ceiling:.1f} s",
                f"{ceiling / ours.seconds:.2f}",
            ),
            ("", "", f"the script: {script:.1f} s", f"{script / ours.seconds:.2f}"),
            (
                "processor time for a picture",
                f"{(ours.cpu_s - few.cpu_s) / more:.1f} ms",
                f"the server's: {(ours.server_cpu_s - few.server_cpu_s) / more:.1f} ms",
                f"{os.cpu_count()} processors",
            ),
            (
                "memory",
                f"{ours.most_mb:.0f} MB",
                f"4 pictures: {few.most_mb:.0f} MB",
                f"+{ours.most_mb - few.most_mb:.0f} MB",
            ),
        ]
        if options.already:
            seconds = nothing_left(Path(place) / "done", Path(place) / "again", at, options.already)
            rows.append((f"nothing left of {options.already:,}", f"{seconds:.2f} s", "", ""))
        table("Captions", ("what", "ours", "baseline", "ratio"), rows)
    server.terminate()


if __name__ == "__main__":
    main()

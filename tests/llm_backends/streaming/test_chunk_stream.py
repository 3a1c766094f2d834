"""Streams: pieces of an answer reach their reader as they are written, on a loop or in a thread."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from endpoints import HANG_S, endpoint, question
from wire.answers import TEXT, USAGE
from wire.server import WireServer

from quillwork.llm_backends.errors import LLMError
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.streaming.chunk_stream import ChunkStream, LiveChunks, stream_answer
from quillwork.llm_backends.types import Chunk, Result, ToolCallDelta


def stream(wire: WireServer, model: str, **changes: object) -> ChunkStream[Result]:
    return stream_answer(Model(endpoint(wire.url, model, **changes)), question())


async def read_all(chunks: ChunkStream[Result]) -> list[Chunk]:
    return [chunk async for chunk in chunks]


def shown(chunks: list[Chunk]) -> str:
    """The text as a reader sees it who obeys every restart."""
    text = ""
    for chunk in chunks:
        text = chunk.text if chunk.restart else text + chunk.text
    return text


def test_a_loop_reads_the_pieces_and_the_end(wire):
    chunks = stream(wire, "fox-gap20")
    pieces = asyncio.run(read_all(chunks))
    assert shown(pieces) == TEXT
    assert len(pieces) > 3
    assert (pieces[-1].usage.prompt_tokens, pieces[-1].usage.completion_tokens) == USAGE
    assert (pieces[-1].finish_reason, pieces[-1].model) == ("stop", "fox-gap20")
    assert chunks.result.text == TEXT


def test_a_thread_reads_them_too(wire):
    with stream(wire, "fox-gap20") as chunks:
        pieces = list(chunks)
    assert shown(pieces) == TEXT
    assert len(pieces) > 3


def test_a_piece_is_there_before_the_next_one_is_written(wire):
    async def first_two() -> list[float]:
        async with stream(wire, "fox-gap400-chunks3") as chunks:
            times = []
            async for _ in chunks:
                times.append(time.monotonic())
                if len(times) == 2:
                    return times
        raise AssertionError("no two pieces")

    first, second = asyncio.run(first_two())
    assert second - first > 0.2


def test_thinking_and_tool_calls_are_handed_on(wire):
    pieces = asyncio.run(read_all(stream(wire, "fox-think")))
    assert "".join(chunk.reasoning for chunk in pieces) == "The user wants a fox."
    live = LiveChunks()
    (sink,) = live.start(1)
    for delta in (ToolCallDelta(0, "a", "count", "{"), ToolCallDelta(0, "", "", "}"), ToolCallDelta(1, "b")):
        sink.add(Chunk(tool_calls=(delta,)))
    (chunk,) = live.take()
    assert chunk.tool_calls == (ToolCallDelta(0, "a", "count", "{}"), ToolCallDelta(1, "b"))


def test_a_second_attempt_is_a_restart(wire):
    wire.script("fox-cut", ["one two three", TEXT])
    pieces = asyncio.run(
        read_all(
            stream(wire, "fox-cut", fallbacks=(endpoint(wire.url, "owl"),)),
        )
    )
    assert [chunk.restart for chunk in pieces].count(True) == 1
    assert shown(pieces) == TEXT


def test_a_slow_reader_finds_all_in_one_piece():
    live = LiveChunks()
    first, second = live.start(2)
    for _ in range(1000):
        first.add(Chunk("fox "))
    second.add(Chunk("owl"))
    assert [(chunk.index, len(chunk.text)) for chunk in live.take()] == [(0, 4000), (1, 3)]
    assert live.take() == []


def test_a_restart_drops_what_nobody_has_read():
    live = LiveChunks()
    (sink,) = live.start(1)
    sink.add(Chunk("fox"))
    sink.restart()
    sink.add(Chunk("owl"))
    assert live.take() == [Chunk("owl", restart=True)]
    sink.finish("an owl")
    assert live.take() == [Chunk("an owl", restart=True)]
    sink.finish("an owl ")
    assert live.take() == []
    live.start(1)
    assert live.take() == [Chunk(restart=True)]
    sink.add(Chunk("late"))
    assert live.take() == []


def test_a_restart_of_nothing_is_none():
    live = LiveChunks()
    (sink,) = live.start(1)
    sink.restart()
    sink.finish("fox")
    assert live.take() == [Chunk("fox")]


def test_an_error_is_raised_where_the_next_piece_would_come(wire):
    async def read() -> list[str]:
        texts: list[str] = []
        chunks = stream(wire, "fox-cut")
        texts.append((await chunks.__anext__()).text)
        with pytest.raises(LLMError, match="stopped in the middle"):
            await read_all(chunks)
        return texts

    assert "".join(asyncio.run(read()))
    with pytest.raises(LLMError):
        list(stream(wire, "fox-status401"))


@pytest.mark.parametrize("leave", ["aclose", "drop", "cancel"])
def test_who_leaves_hangs_up(wire, leave):
    async def read() -> float:
        chunks = stream(wire, "fox-hang")
        if leave == "cancel":
            task = asyncio.ensure_future(read_all(chunks))
            await asyncio.sleep(0.3)
            left = time.monotonic()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            del task
        else:
            await chunks.__anext__()
            left = time.monotonic()
        if leave == "aclose":
            await chunks.aclose()
        del chunks
        return left

    left = asyncio.run(read())
    (gone,) = wire.wait_disconnects()
    assert gone.at - left < HANG_S


def test_a_thread_that_leaves_hangs_up(wire):
    for chunk in stream(wire, "fox-hang"):
        assert chunk.text
        break
    del chunk
    wire.wait_disconnects()


def test_one_reader_who_does_not_read_holds_nobody_up(wire):
    async def read() -> int:
        idle = stream(wire, "fox-babble")
        others = [stream(wire, f"fox-{n}") for n in range(5)]
        done = await asyncio.wait_for(asyncio.gather(*map(read_all, others)), HANG_S)
        await idle.aclose()
        return len(done)

    assert asyncio.run(read()) == 5


def test_a_loop_that_closes_while_it_waits_is_left_alone(wire):
    async def wait_a_moment() -> ChunkStream[Result]:
        chunks = stream(wire, "fox-delay300")
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            await asyncio.wait_for(chunks.__anext__(), 0.05)
        return chunks

    chunks = asyncio.run(wait_a_moment())
    assert shown(list(chunks)) == TEXT


def test_a_writer_in_another_thread_wakes_the_reader():
    live = LiveChunks()
    sinks = live.start(1)
    job = runner.submit(asyncio.sleep(0.4, "over"))

    def write() -> None:
        sinks[0].add(Chunk("fox"))

    threading.Timer(0.1, write).start()
    chunks = ChunkStream(live, job.future)
    assert [chunk.text for chunk in chunks] == ["fox"]
    assert chunks.result == "over"


def test_a_long_silence_is_told():
    job = runner.submit(asyncio.sleep(0.3))

    async def read() -> list[Chunk]:
        return [chunk async for chunk in ChunkStream(LiveChunks(), job.future, heartbeat_s=0.05)]

    chunks = asyncio.run(read())
    assert chunks.count(Chunk()) == len(chunks) > 1

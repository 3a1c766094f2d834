"""A stream becomes one answer under a watch, and is closed whatever happens."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.llm_backends import errors
from quillwork.llm_backends.call import Call
from quillwork.llm_backends.streaming import collect as collecting
from quillwork.llm_backends.streaming.collect import collect
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import (
    Chunk,
    Deployment,
    Message,
    Request,
    Result,
    ToolCall,
    ToolCallDelta,
    Usage,
)

FOX = Deployment("any", "fox", mode="litellm", provider="p", provider_label="Fox", idle_timeout_s=5)


class Stream:
    """Chunks with pauses (in seconds) between them; notes whether it was closed."""

    def __init__(self, *parts: Chunk | float | Exception) -> None:
        self.parts, self.closed = parts, False

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        try:
            for part in self.parts:
                if isinstance(part, Exception):
                    raise part
                if isinstance(part, Chunk):
                    yield part
                else:
                    await asyncio.sleep(part)
        finally:
            await asyncio.sleep(0)
            self.closed = True


def gather(
    *parts: Chunk | float | Exception, deployment: Deployment = FOX, live: LiveText | None = None
) -> Result:
    stream, call = Stream(*parts), None

    async def run() -> Result:
        nonlocal call
        call = Call(Request((Message("user", "x"),)), deployment, (live or LiveText()).start(1)[0])
        return await collect(stream.chunks(), call)

    try:
        return asyncio.run(run())
    finally:
        assert stream.closed, "the stream was left open"


def pieces(*texts: str) -> list[Chunk]:
    return [Chunk(text) for text in texts]


def test_pieces_become_an_answer():
    usage = Usage(1, 2, 0.5)
    result = gather(
        Chunk("a ", model="fox-2"),
        Chunk(reasoning="hm"),
        Chunk("fox"),
        Chunk(finish_reason="stop"),
        Chunk(usage=usage),
    )
    assert (result.text, result.reasoning, result.usage) == ("a fox", "hm", usage)
    assert (result.finish_reason, result.mode, result.provider, result.model) == (
        "stop",
        "litellm",
        "p",
        "fox-2",
    )


def test_without_its_own_word_the_model_is_the_one_asked():
    result = gather(Chunk("a fox"))
    assert (result.model, result.finish_reason) == ("fox", "unknown")


def test_tool_calls_are_put_together_by_index():
    result = gather(
        Chunk(tool_calls=(ToolCallDelta(1, "c2", "see", "{"),)),
        Chunk(tool_calls=(ToolCallDelta(0, "c1", "paint", '{"a"'), ToolCallDelta(1, arguments="}"))),
        Chunk(tool_calls=(ToolCallDelta(0, arguments=": 1}"),)),
    )
    assert result.tool_calls == (ToolCall("c1", "paint", '{"a": 1}'), ToolCall("c2", "see", "{}"))
    assert result.text == ""


@given(
    st.sampled_from(["<think>why a fox?</think>\n\na red fox", "a red fox", "hm\n</think>\na red fox"]),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_any_split_of_the_stream_gives_the_same_result(text, cuts):
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    split = gather(*(Chunk(text[a:b]) for a, b in itertools.pairwise(edges)))
    assert split.text == "a red fox"
    assert split.reasoning == gather(Chunk(text)).reasoning


def test_silence_ends_the_call():
    with pytest.raises(errors.TimedOut, match=r"sent nothing for 0\.1 s") as caught:
        gather(Chunk("a"), 30.0, deployment=Deployment("any", "fox", idle_timeout_s=0.1))
    assert caught.value.retryable


def test_time_in_which_this_program_is_held_up_is_no_silence():
    """A provider's part of a library, imported on the loop at its first call, before anything is sent."""
    import time

    async def late() -> AsyncGenerator[Chunk, None]:
        time.sleep(0.8)
        await asyncio.sleep(0.1)
        yield Chunk("a fox")

    async def run() -> Result:
        impatient = Deployment("any", "fox", idle_timeout_s=0.4, total_timeout_s=0.7)
        return await collect(late(), Call(Request(()), impatient, LiveText().start(1)[0]))

    assert asyncio.run(run()).text == "a fox"


def test_every_chunk_is_a_sign_of_life():
    parts = [part for _ in range(8) for part in (0.05, Chunk())]
    assert gather(*parts, Chunk("fox"), deployment=Deployment("any", "f", idle_timeout_s=0.3)).text == "fox"


def test_too_long_in_all_ends_the_call():
    parts = [part for _ in range(100) for part in (0.05, Chunk("a"))]
    slow = Deployment("any", "fox", idle_timeout_s=5, total_timeout_s=0.3)
    with pytest.raises(errors.TimedOut, match=r"after 0\.3 s") as caught:
        gather(*parts, deployment=slow)
    assert not caught.value.retryable


def test_a_cancel_from_outside_stays_a_cancel():
    async def run() -> bool:
        stream = Stream(30.0)
        call = Call(Request(()), FOX, LiveText().start(1)[0])
        task = asyncio.ensure_future(collect(stream.chunks(), call))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return stream.closed

    assert asyncio.run(run())


def test_a_watch_that_ran_out_leaves_no_trace_on_the_task():
    async def run() -> str:
        for _ in range(2):
            call = Call(Request(()), Deployment("any", "fox", idle_timeout_s=0.05), LiveText().start(1)[0])
            with pytest.raises(errors.TimedOut):
                await collect(Stream(30.0).chunks(), call)
        return await asyncio.wait_for(asyncio.sleep(0, "fine"), 5)

    assert asyncio.run(run()) == "fine"


def test_an_error_of_the_stream_comes_through():
    with pytest.raises(errors.StreamBroken):
        gather(Chunk("a"), errors.StreamBroken("broke"))


def test_too_long_an_answer_is_stopped(monkeypatch):
    monkeypatch.setattr(collecting, "LONGEST_ANSWER", 10)
    assert gather(*pieces("12345", "67890")).text == "1234567890"
    with pytest.raises(errors.AnswerTooLarge, match="more than 10 characters"):
        gather(*pieces("12345", "67890", "1"))


def test_a_tool_call_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(collecting, "LONGEST_ANSWER", 10)
    deltas = [Chunk(tool_calls=(ToolCallDelta(0, "c", "", "12345"),))] * 3
    assert gather(*deltas[:2]).tool_calls[0].arguments == "1234512345"
    with pytest.raises(errors.AnswerTooLarge, match="more than 10 characters"):
        gather(*deltas)


def test_too_long_thinking_is_stopped(monkeypatch):
    monkeypatch.setattr(collecting, "LONGEST_THINKING", 10)
    for chunks in ([Chunk(reasoning="12345")] * 3, pieces("<think>", "12345", "12345", "12345")):
        with pytest.raises(errors.AnswerTooLarge, match="did not stop reasoning"):
            gather(*chunks)


@pytest.mark.parametrize(
    ("chunks", "kind", "says"),
    [
        ([], errors.EmptyAnswer, "returned an empty answer"),
        (pieces(" \n"), errors.EmptyAnswer, "returned an empty answer"),
        ([Chunk(finish_reason="length")], errors.EmptyAnswer, "used up its tokens"),
        ([Chunk(reasoning="hm", finish_reason="length")], errors.EmptyAnswer, "used up its tokens"),
        ([Chunk(reasoning="hm", finish_reason="stop")], errors.EmptyAnswer, "only reasoned"),
        (pieces("<think>hm"), errors.EmptyAnswer, "used up its tokens"),
        ([Chunk(finish_reason="content_filter")], errors.Refused, "content filter"),
        ([Chunk("half a prompt", finish_reason="content_filter")], errors.Refused, "content filter"),
    ],
)
def test_emptiness_is_an_error(chunks, kind, says):
    with pytest.raises(kind, match=says):
        gather(*chunks)


def test_warnings_go_to_the_call_once():
    async def run() -> list[str]:
        call = Call(Request(()), FOX, LiveText().start(1)[0])
        await collect(Stream(Chunk(warning="w"), Chunk("a", warning="w")).chunks(), call)
        return call.warnings

    assert asyncio.run(run()) == ["w"]


def test_thinking_is_not_shown_as_text():
    live = LiveText()
    gather(*pieces("<think>", "hm", "</think>", "a fox"), live=live)
    assert live.text() == "a fox"

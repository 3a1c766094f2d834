"""One answer out of a stream of chunks; a long silence, an endless answer and an empty one are errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from .. import errors, modes
from ..thinking import ThinkingSplitter, split_finished
from ..types import Chunk, Deployment, FinishReason, Result, ToolCall, ToolCallDelta, Usage, Vector
from .loops import LoopGuard

if TYPE_CHECKING:
    from ..call import Call

# In characters. No prompt and no list is as long; a model that goes on is stuck in a loop.
LONGEST_ANSWER = 400_000
LONGEST_THINKING = 2_000_000
# How often a watch looks, and what is more than its turn coming a little late.
_TICK_S = 0.25
_LATE_S = 0.1


async def collect(stream: AsyncGenerator[Chunk, None], call: Call) -> Result:
    """Read `stream` to its end, show it in the call's sink as it comes, and return the whole answer."""
    deployment = call.deployment
    answer = _Answer(call)
    watch = StreamWatch(deployment)
    try:
        with watch:
            # A stream that is not closed by hand keeps its connection until the garbage collector comes.
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    watch.heard()
                    answer.add(chunk)
    finally:
        watch.stop()
    return answer.finish()


class StreamWatch:
    """A time limit on the current task: it ends after too long a silence, or too long in all.

    One timer for a whole stream: a time-out object for every chunk costs more than the chunk. While this
    program itself is held up (a library that is imported late, another thread's work), nothing could be
    received, so that time does not count.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._loop = asyncio.get_running_loop()
        self._started = self._last = self._loop.time()
        self._task = asyncio.current_task()
        self._expired: errors.TimedOut | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._check(self._started)

    def heard(self) -> None:
        self._last = self._loop.time()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _check(self, due: float) -> None:
        now = self._loop.time()
        if now - due > _LATE_S:
            self._last = min(now, self._last + now - due)
            self._started += now - due
        silent_until = self._last + self._deployment.idle_timeout_s
        ends_at = self._started + self._deployment.total_timeout_s
        if now >= silent_until:
            self._expire(f"sent nothing for {self._deployment.idle_timeout_s:g} s", retryable=True)
        elif now >= ends_at:
            # What took so long once takes as long again.
            self._expire(f"was not finished after {self._deployment.total_timeout_s:g} s", retryable=False)
        else:
            due = min(silent_until, ends_at, now + _TICK_S)
            self._timer = self._loop.call_at(due, self._check, due)

    def _expire(self, what: str, *, retryable: bool) -> None:
        self._expired = errors.TimedOut(f"{self._deployment.name} {what}.")
        self._expired.retryable = retryable
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> StreamWatch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is None or self._expired is None or not issubclass(kind, asyncio.CancelledError):
            return
        uncancel = getattr(self._task, "uncancel", None)
        if uncancel is not None and uncancel() > 0:
            return  # somebody else wanted the end too, and theirs is to be seen
        raise self._expired from None


class _Answer:
    """The part of one answer that has arrived so far."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._splitter = ThinkingSplitter()
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._text_length = self._thinking_length = 0
        self._loops = LoopGuard(strict=call.request.answer_tokens is not None), LoopGuard()
        # What is no language model repeats only what the user has written.
        self._can_loop = modes.of(call.deployment.backend).answers_messages
        self._tools: dict[int, list[ToolCallDelta]] = {}
        self._vectors: tuple[Vector, ...] = ()
        self._usage = Usage()
        self._finish: FinishReason | None = None
        self._model: str | None = None

    def add(self, chunk: Chunk) -> None:
        text, thinking = self._splitter.feed(chunk.text) if chunk.text else ("", "")
        self._keep(text, thinking + chunk.reasoning, chunk.tool_calls)
        for delta in chunk.tool_calls:
            self._tools.setdefault(delta.index, []).append(delta)
        self._vectors = chunk.vectors or self._vectors
        self._usage = chunk.usage or self._usage
        self._finish = chunk.finish_reason or self._finish
        self._model = self._model or chunk.model
        meter = self._call.meter
        meter.usage = chunk.usage or meter.usage
        meter.letters = self._text_length + self._thinking_length
        self._call.warn(chunk.warning)

    def _keep(self, text: str, thinking: str, tool_calls: tuple[ToolCallDelta, ...] = ()) -> None:
        if not text and not thinking and not tool_calls:
            return
        self._text.append(text)
        self._thinking.append(thinking)
        self._text_length += len(text) + sum(len(delta.arguments) for delta in tool_calls)
        self._thinking_length += len(thinking)
        self._call.sink.add(Chunk(text=text, reasoning=thinking, tool_calls=tool_calls))
        # Calls of tools may well be alike.
        if self._can_loop and (self._loops[0].add(text) or self._loops[1].add(thinking)):
            raise errors.AnswerLoops.of(self._call.deployment.name, "".join(self._text))
        if self._text_length > LONGEST_ANSWER:
            raise errors.AnswerTooLarge(
                f"{self._call.deployment.name} wrote more than {LONGEST_ANSWER:,} characters and was stopped."
            )
        if self._thinking_length > LONGEST_THINKING:
            raise errors.AnswerTooLarge(
                f"{self._call.deployment.name} did not stop reasoning and was stopped.",
                hint="Set reasoning to off or low on LLM Settings, or choose another model.",
            )

    def finish(self) -> Result:
        self._keep(*self._splitter.finish())
        text, thinking = split_finished("".join(self._text))
        deployment = self._call.deployment
        tools = tuple(_joined(deltas) for _, deltas in sorted(self._tools.items()))
        if self._finish == "content_filter":  # half a prompt would pass for a whole one
            raise errors.Refused(
                f"{deployment.name} declined to write this (its content filter was triggered)."
            )
        if not text.strip() and not tools and not self._vectors:
            raise self._emptiness()
        return Result(
            text=text,
            reasoning="".join(self._thinking) + thinking,
            tool_calls=tools,
            usage=self._usage,
            finish_reason=self._finish or "unknown",
            mode=deployment.mode,
            provider=deployment.provider,
            model=self._model or deployment.model,
            vectors=self._vectors,
        )

    def _emptiness(self) -> errors.LLMError:
        name = self._call.deployment.name
        if self._finish == "stop" and self._thinking_length:
            return errors.EmptyAnswer(
                f"{name} only reasoned and wrote no answer.",
                hint="Set reasoning to off or raise max_tokens on LLM Settings, or choose another model.",
            )
        if self._finish == "length" or self._thinking_length:
            return errors.EmptyAnswer(
                f"{name} used up its tokens before writing an answer.",
                hint="Raise max_tokens or set reasoning to off or low on LLM Settings.",
            )
        return errors.EmptyAnswer(f"{name} returned an empty answer.")


def _joined(deltas: list[ToolCallDelta]) -> ToolCall:
    return ToolCall(
        next((delta.id for delta in deltas if delta.id), ""),
        "".join(delta.name for delta in deltas),
        "".join(delta.arguments for delta in deltas),
    )

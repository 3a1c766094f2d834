"""The tool loop: a model calls tools, reads their results, and is asked again until it answers in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import modes
from ..errors import EmptyAnswer, NotConfigured
from ..model import Model
from ..streaming.chunk_stream import ask_one
from ..types import Deployment, Message, Request, Result, Usage
from .execution import Execution, Outcome
from .registry import RegisteredTool
from .requested_calls import RequestedCall, read_requested_calls

ROUNDS = 5
# In one answer of a model. What it calls beyond that is left out.
MOST_CALLS = 16


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The use of one tool: the model's call and the text that it got back."""

    name: str
    arguments: str
    answer: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """The whole conversation. `result` is the answer in words, with the usage, attempts, seconds and warnings
    of all rounds; `messages` are the request's, the calls, the tools' results, and the answer."""

    result: Result
    messages: tuple[Message, ...]
    uses: tuple[ToolUse, ...] = ()


async def answer_with_tools(
    model: Model, request: Request, tools: Sequence[RegisteredTool], *, rounds: int = ROUNDS
) -> Conversation:
    """Ask `model`, which may call `tools` (from `registry.chosen`) in up to `rounds` rounds first.

    `rounds` is 1 or more, with several calls at once in each.
    Then it is asked a last time, and has to answer.

    Runs where `Model.ask` does, and does not suspend for a model that runs in place. Cancelled, it ends at
    once; a tool that is at work is left behind. A tool that fails or is called wrongly is reported to the
    model. Without `tools` the request goes out as it is. Raises `LLMError`: a call's, or that of
    `check_tools`.
    """
    if not tools:
        result = await ask_one(model, request)
        return Conversation(result, (*request.messages, _said(result)))
    check_tools(model.deployment, tools)
    talk = _Talk(model, request, tools)
    result = await talk.ask(request.tool_choice)
    for number in range(1, rounds + 1):
        if not result.tool_calls:
            return talk.over(result)
        await talk.use(result)
        # What must be called must be called once; after the last round nothing is to be.
        result = await talk.ask("none" if number == rounds else None)
    if result.tool_calls and not result.text.strip():
        result = await talk.ask_without_tools()
    talk.warnings.append(
        f"The model used tools for {rounds} rounds, which is the limit, and then had to answer."
    )
    return talk.over(_last_words(result, model.deployment, rounds))


class _Talk:
    """The conversation so far."""

    def __init__(self, model: Model, request: Request, tools: Sequence[RegisteredTool]) -> None:
        self._model, self._tools = model, tools
        self._request = replace(request, tools=tuple(tool.offer() for tool in tools))
        self._messages = list(request.messages)
        self._uses: list[ToolUse] = []
        self._results: list[Result] = []
        self._started = time.monotonic()
        self.warnings: list[str] = []

    async def ask(self, choice: str | None) -> Result:
        asked = replace(self._request, messages=tuple(self._messages), tool_choice=choice)
        result = await ask_one(self._model, asked)
        self._results.append(result)
        return result

    async def ask_without_tools(self) -> Result:
        """Ask again without tools, for servers that ignore a choice of ``none``.
        Others insist on seeing the tools of earlier calls, so this is not tried first."""
        self._request = replace(self._request, tools=())
        return await self.ask(None)

    async def use(self, result: Result) -> None:
        """Run the calls that `result` requests, and add their outcomes."""
        if len(result.tool_calls) > MOST_CALLS:
            count = len(result.tool_calls)
            self.warnings.append(
                f"The model called {count} tools at once. Only the first {MOST_CALLS} were run."
            )
        requested = read_requested_calls(result.tool_calls[:MOST_CALLS], self._tools, self._messages)
        outcomes = await _outcomes(requested, self._model)
        self._messages.append(_said(result, requested))
        for call, outcome in zip(requested, outcomes, strict=True):
            text = f"Error: {outcome.text}" if outcome.is_error else outcome.text
            self._messages.append(Message("tool", text, tool_call_id=call.sent.id))
            self._uses.append(ToolUse(call.name, call.sent.arguments, outcome.text, outcome.is_error))

    def over(self, answer: Result) -> Conversation:
        """The whole conversation, with `answer` as its end."""
        warnings = [warning for result in self._results for warning in result.warnings]
        answer = replace(
            answer,
            usage=_usage(self._results),
            attempts=sum(result.attempts for result in self._results),
            seconds=time.monotonic() - self._started,
            cached=all(result.cached for result in self._results),
            by_fallback=any(result.by_fallback for result in self._results),
            warnings=tuple(dict.fromkeys([*warnings, *self.warnings])),
        )
        return Conversation(answer, (*self._messages, _said(answer)), tuple(self._uses))


def check_tools(deployment: Deployment, tools: Sequence[RegisteredTool]) -> None:
    """Raise `NotConfigured` where the model is known not to call tools, and any error of a tool's `admit`."""
    if not tools:
        return
    if deployment.capabilities.tools is False or not modes.of(deployment.backend).answers_messages:
        raise NotConfigured(
            f"{deployment.name} does not support tools.",
            hint="Choose a model that does, or remove the tools.",
        )
    for tool in tools:
        if tool.admit is not None:
            tool.admit()


def _said(result: Result, requested: Sequence[RequestedCall] = ()) -> Message:
    return Message("assistant", result.text, tool_calls=tuple(call.sent for call in requested))


async def _outcomes(requested: Sequence[RequestedCall], model: Model) -> list[Outcome]:
    """Run the tools all at the same time and return their outcomes."""
    model.live.start(1)[0].announce(f"{', '.join(dict.fromkeys(call.name for call in requested))} …")
    executions = [Execution(call.tool, call.arguments) if call.tool else None for call in requested]
    if model.runs_in_place:
        done = [execution.outcome_in_place(model.host) for execution in executions if execution]
    else:
        done = await asyncio.gather(*(execution.outcome() for execution in executions if execution))
    finished = iter(done)
    return [next(finished) if call.tool else Outcome(call.wrong, is_error=True) for call in requested]


def _last_words(answer: Result, deployment: Deployment, rounds: int) -> Result:
    """The last answer: some models go on calling when told not to, and their text beside the call counts."""
    if not answer.text.strip():
        raise EmptyAnswer(
            f"{deployment.name} kept calling tools after {rounds} rounds and wrote no answer.",
            hint="Ask for less at once, remove tools, or choose another model.",
        )
    return replace(answer, tool_calls=(), finish_reason="stop") if answer.tool_calls else answer


def _usage(results: Sequence[Result]) -> Usage:
    usages = [result.usage for result in results]
    return Usage(
        _sum(usage.prompt_tokens for usage in usages),
        _sum(usage.completion_tokens for usage in usages),
        _sum(usage.cost_usd for usage in usages),
    )


def _sum(parts: Iterable[Any]) -> Any:
    numbers = list(parts)
    return None if None in numbers else sum(numbers)

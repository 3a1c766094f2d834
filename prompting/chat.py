"""Chat with a model: a question, its history, pictures and tools in; an answer out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..llm_backends import modes
from ..llm_backends.accounting.estimate import prompt_tokens
from ..llm_backends.errors import CannotSee, ContextOverflow, NotConfigured
from ..llm_backends.host import feasible
from ..llm_backends.model import Model
from ..llm_backends.tools.loop import Conversation, answer_with_tools
from ..llm_backends.tools.registry import RegisteredTool
from ..llm_backends.types import Image, Message, Request
from .answers.control_tokens import without_last_tokens
from .answers.prompt import SEEDS
from .history import EMPTY, History, Turn
from .report import report

# A guard against models that never stop, roomy enough for those that think first. In tokens.
MAX_TOKENS = 4096
# The part of a context window that is kept free for the answer, where that is less than the answer's limit.
_FOR_THE_ANSWER = 0.25
_CUT = "The answer was cut off at max_tokens. Raise it on LLM Settings."


@dataclass(frozen=True, slots=True)
class Question:
    """Current question; `system` is the system prompt."""

    prompt: str
    system: str = ""
    images: tuple[Image, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer, the history with it, and the report (with ``tool_calls``: name, and whether the call failed).

    `is_substitute` says that a fallback answered: no cache is to keep such an answer.
    """

    text: str
    history: History
    info: dict[str, Any]
    is_substitute: bool = False


async def chat(
    question: Question,
    model: Model,
    *,
    history: History = EMPTY,
    tools: Sequence[RegisteredTool] = (),
) -> Reply:
    """Return the model's answer to `question` after `history`.

    The oldest exchanges are left out where the conversation would be longer than the model reads. Raises
    `LLMError`; see `answer_with_tools`.
    """
    if not question.prompt.strip() and not question.images:
        raise NotConfigured("The prompt is empty.", hint="Enter a message to the model.")
    if not modes.of(model.deployment.backend).answers_messages:
        raise NotConfigured(
            "A chat needs a language model, and none is set up. The phrasebook only writes prompts.",
            hint="Choose one with llm_model, LLM_MODEL_CHAT or LLM_MODEL, for example ollama/llama3.2.",
        )
    started = time.monotonic()
    said, left_out = await _answer(question, model, history, tools)
    result = said.result
    text = without_last_tokens(result.text)
    warnings = [*left_out, *result.warnings, *_cut(result.finish_reason)]
    info = report([result], model.deployment, time.monotonic() - started, warnings)
    info["tool_calls"] = [{"name": use.name, "failed": use.is_error} for use in said.uses]
    turn = Turn(question.prompt, text, question.images)
    return Reply(text, history.after(turn), info, result.by_fallback)


async def _answer(
    question: Question, model: Model, history: History, tools: Sequence[RegisteredTool]
) -> tuple[Conversation, list[str]]:
    """Return the conversation, and what the user should know about the parts left out of it.

    Where nobody knows how much the model reads, the model itself reports that it is too much, and is asked
    again with half of the exchanges; likewise with pictures that only an earlier model could see.
    """
    kept, warnings = _that_fit(question, model, history, tools), list[str]()
    while True:
        request = _request(question, history.latest(kept))
        try:
            said = await answer_with_tools(model, request, tools)
            return said, [*_left_out(len(history), kept), *warnings]
        except ContextOverflow:
            if kept == 0:
                raise
            kept //= 2
        except CannotSee:
            if question.images or not history.has_pictures:
                raise
            history = history.without_pictures()
            name = model.deployment.name
            warnings.append(f"{name} was sent the text of earlier messages without their images.")


def _request(question: Question, history: History) -> Request:
    system = [Message("system", question.system)] if question.system.strip() else []
    asked = Message("user", question.prompt, question.images)
    return Request((*system, *history.messages(), asked), max_tokens=MAX_TOKENS, seed=question.seed % SEEDS)


def _that_fit(question: Question, model: Model, history: History, tools: Sequence[RegisteredTool]) -> int:
    """Return how many of the latest exchanges the model can read, by an estimate on the high side."""
    window, kept = model.deployment.capabilities.context_window, len(history)
    if window is None:
        return kept
    for_the_answer = min(model.sampling.max_tokens or MAX_TOKENS, int(window * _FOR_THE_ANSWER))
    offered = tuple(tool.offer() for tool in tools)
    alone = prompt_tokens(replace(_request(question, EMPTY), tools=offered))
    left = window - for_the_answer - alone
    for count, turn in enumerate(reversed(history.turns)):
        left -= prompt_tokens(Request(turn.messages()))
        if left < 0:
            return count
    return kept


def _left_out(said: int, kept: int) -> list[str]:
    if kept == said:
        return []
    return [
        f"The conversation is longer than the model's context: the oldest {said - kept} of {said} "
        "exchanges were left out."
    ]


def _cut(finish_reason: str) -> list[str]:
    return [feasible(_CUT)] if finish_reason == "length" else []

"""The smallest real models: a user gets something of use, or one clear sentence."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from typing import Any

import pytest

from quillwork.llm_backends.errors import LLMError
from quillwork.llm_backends.runner import run_in_place
from quillwork.llm_backends.tools.registry import RegisteredTool
from quillwork.llm_backends.types import Image
from quillwork.prompting.answers.limits import size_of
from quillwork.prompting.chat import Question, chat
from quillwork.prompting.describe import describe
from quillwork.prompting.enhance import Idea, enhance
from quillwork.prompting.generate_values import invent
from quillwork.prompting.targets import load
from quillwork.prompting.tasks import VariablesTask

MARKS = re.compile(
    r"<\|?/?(?:im_start|im_end|start_of_turn|end_of_turn|prompt|tool_call|bos|eos|think)\b", re.I
)
ROUND = re.compile(r"(?is)(?<!\w)(\w[^.!?]{2,80}?)(?:[\s,.;:]+\1(?!\w)){3,}")
ECHO = re.compile(r"(?i)\b(?:as an ai|the prompt|\d+ to \d+ (?:words|tags)|keep everything)\b")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001"
    "f61738550000000049454e44ae426082"
)


def is_one_sentence_on_what_to_do(error: LLMError) -> bool:
    said = str(error)
    # It may name the form of calls that a model lacks.
    return (
        20 < len(said) < 400 and "Traceback" not in said and not MARKS.search(said.replace("<tool_call>", ""))
    )


def said_or_done(asked: Coroutine[Any, Any, Any]) -> Any:
    """Return what comes of it; None for an error, which has to be a sentence on what to do."""
    try:
        return run_in_place(asked)
    except LLMError as raised:
        error = raised
    assert is_one_sentence_on_what_to_do(error)
    return None


@pytest.mark.parametrize(
    ("target", "idea", "kept"),
    [
        ("flux1_dev", "a fox in the snow", ["fox", "snow"]),
        ("illustrious", 'three cats below a sign that says "OPEN LATE"', ["three cats", '"OPEN LATE"']),
        ("plain", "a fox it run in snow", ["fox", "snow"]),
    ],
)
def test_a_prompt_is_usable_or_something_is_said(model: Any, target: str, idea: str, kept: list[str]) -> None:
    wanted = load(target)
    done = said_or_done(enhance([Idea(idea, wanted, seed=3)], model))
    if done is None:
        return
    prompt, told = done.prompts[0], done.info["warnings"]
    assert not MARKS.search(prompt)
    assert not ROUND.search(prompt)
    assert not ECHO.search(prompt)
    assert "\n" not in prompt
    assert told or all(piece in prompt for piece in kept)
    if wanted.words and not told:
        assert wanted.words[0] * 0.75 <= size_of(wanted, prompt) <= wanted.words[1] * 1.5
    if target == "illustrious":
        assert prompt.count(",") > 5
        assert ". " not in prompt


def test_variations_differ(model: Any) -> None:
    done = said_or_done(enhance([Idea("a castle on a hill", load("flux1_dev"), variations=2, seed=5)], model))
    if done is None:
        return
    first, second = done.prompts
    assert first != second


@pytest.mark.parametrize(("name", "count"), [("season", 5), ("animal", 8)])
def test_values_come_in_the_number_that_was_asked_for(model: Any, name: str, count: int) -> None:
    done = run_in_place(invent(VariablesTask(name, count, seed=1), model))
    assert len({value.casefold() for value in done.values}) == len(done.values)
    assert not any(MARKS.search(value) for value in done.values)
    if len(done.values) != count:
        assert any(f"{len(done.values)} of {count}" in warning for warning in done.info["warnings"])


def test_an_image_is_refused_in_a_sentence(model: Any) -> None:
    with pytest.raises(LLMError) as refused:
        run_in_place(describe([Image("image/png", PNG)], model))
    assert "image" in str(refused.value)
    assert is_one_sentence_on_what_to_do(refused.value)


def test_a_chat_goes_on(model: Any) -> None:
    first = said_or_done(chat(Question("Name one animal.", seed=1), model))
    if first is None:
        return
    second = said_or_done(chat(Question("And another one?", seed=2), model, history=first.history))
    for reply in filter(None, (first, second)):
        assert reply.text.strip()
        assert not MARKS.search(reply.text)
    assert second is None or len(second.history) == 2


def test_tools_are_called_or_the_question_is_answered(model: Any) -> None:
    called: list[Any] = []

    def count(**arguments: Any) -> str:
        called.append(arguments)
        return "3 tokens"

    tool = RegisteredTool(
        "count.tokens",
        "Count the tokens of a text.",
        {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        count,
    )
    reply = said_or_done(chat(Question("How many tokens has the word fox?", seed=1), model, tools=[tool]))
    if reply is None:
        return
    assert reply.text.strip()
    assert not MARKS.search(reply.text)
    assert len(reply.info["tool_calls"]) >= len(called)

"""Tools for a model of this process: a trained one calls them, through the whole loop and in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_model import call
from tiny_model.asking import LIST_SCHEMA, ListTask, WatchingHost, deployment, enhance, outcomes

from quillwork.llm_backends import errors, registry
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import run_in_place
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.tools.loop import Conversation, answer_with_tools
from quillwork.llm_backends.tools.registry import RegisteredTool
from quillwork.llm_backends.types import Message, Request, Result, Usage

THINGS = {"red": "fox", "green": "garden", "blue": "river"}


def paint(colour: str) -> str:
    return THINGS[colour]


PAINT = RegisteredTool(call.NAME, call.DESCRIPTION, call.PARAMETERS, paint)


def question(text: str, **changes: Any) -> Request:
    return Request((Message("user", text),), **{"temperature": 0, "max_tokens": 200, **changes})


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, backend: Any, tiny_calling: Path) -> Model:
    monkeypatch.setitem(registry._backends, "hf_local", backend)
    return Model(deployment(tiny_calling), host=WatchingHost())


def talk(model: Model, text: str, **changes: Any) -> Conversation:
    return run_in_place(answer_with_tools(model, question(text, **changes), [PAINT]))


def test_a_call_is_read_out_of_the_answer_and_not_shown(backend: Any, tiny_calling: Path) -> None:
    live = LiveText()
    asked = question("paint red", tools=(PAINT.offer(),))
    (answer,) = outcomes(backend, tiny_calling, asked, live=live)
    assert isinstance(answer, Result), repr(answer)
    assert [(one.name, one.arguments) for one in answer.tool_calls] == [("fox-paint", '{"colour": "red"}')]
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")
    assert live.text() == ""


def test_the_loop_goes_on_to_the_answer(model: Model) -> None:
    said = talk(model, "paint red")
    assert said.result.text == "It is fox"
    assert [(use.name, use.answer) for use in said.uses] == [("fox.paint", "fox")]
    assert said.result.attempts == 2
    assert said.result.usage != Usage(None, None)


def test_two_calls_at_once(model: Model) -> None:
    said = talk(model, "paint blue green")
    assert [use.answer for use in said.uses] == ["river", "garden"]
    assert said.result.text == "It is river and garden"


def test_a_stop_in_the_middle_ends_it(model: Model) -> None:
    host = WatchingHost(lambda ticks: setattr(host, "stop", ticks > 3))
    stopped = Model(model.deployment, host=host)
    with pytest.raises(errors.Cancelled):
        talk(stopped, "paint red")


def test_a_schema_is_for_the_answer_and_not_for_the_call(backend: Any, tiny_calling: Path) -> None:
    asked = question("paint red", tools=(PAINT.offer(),), schema=LIST_SCHEMA, task=ListTask(2))
    (answer,) = outcomes(backend, tiny_calling, asked)
    assert isinstance(answer, Result), repr(answer)
    assert [one.name for one in answer.tool_calls] == ["fox-paint"]


def test_told_to_call_none_it_is_shown_none(backend: Any, tiny_calling: Path) -> None:
    tools = (PAINT.offer(),)
    shown, hidden = (
        outcomes(backend, tiny_calling, question("paint red", tools=tools, tool_choice=choice))[0]
        for choice in ("auto", "none")
    )
    counts = [answer.usage.prompt_tokens if isinstance(answer, Result) else 0 for answer in (shown, hidden)]
    assert isinstance(shown, Result) and shown.tool_calls
    assert not isinstance(hidden, Result) or not hidden.tool_calls
    assert counts[0] > counts[1]


def test_a_template_without_tools_is_told_of_alone(backend: Any, tiny_model: Path) -> None:
    tooled = question("red fox", tools=(PAINT.offer(),))
    first, second = outcomes(backend, tiny_model, tooled, enhance("red fox"))
    assert isinstance(first, errors.BadRequest)
    assert "does not support tool calls" in first.message
    assert "Qwen3" in first.hint
    assert isinstance(second, Result), repr(second)

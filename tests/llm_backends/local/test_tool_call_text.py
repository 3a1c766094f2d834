"""Tool calls in a local model's text: found, however the text is cut, and never shown."""

from __future__ import annotations

import itertools
import json

import pytest

from quillwork.llm_backends.local.token_text import AnswerText
from quillwork.llm_backends.local.tool_call_text import ToolCallSplitter
from quillwork.llm_backends.streaming.live import LiveText

RED = '<tool_call>\n{"name": "fox-paint", "arguments": {"colour": "red"}}\n</tool_call>'
BLUE = '<tool_call>{"name": "fox-paint", "arguments": "{\\"colour\\": \\"blue\\"}"}</tool_call>'


def split(*pieces: str) -> tuple[str, list[tuple[str, str]]]:
    """Split pieces into the answer and (name, arguments) of the calls."""
    splitter = ToolCallSplitter()
    text = "".join(splitter.feed(piece) for piece in pieces) + splitter.finish()
    return text, [(call.name, call.arguments) for call in splitter.calls]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_calls_are_parted_from_the_text_however_it_is_cut(size):
    text = f"Let me see. {RED}\n{BLUE} 1 < 2 <tool"
    pieces = [text[place : place + size] for place in range(0, len(text), size)]
    answer, calls = split(*pieces)
    assert answer == "Let me see. \n 1 < 2 <tool"
    assert calls == [("fox-paint", '{"colour": "red"}'), ("fox-paint", '{"colour": "blue"}')]


def test_text_without_calls_comes_through_at_once():
    splitter = ToolCallSplitter()
    assert splitter.feed("a fox, 1 < 2, ") == "a fox, 1 < 2, "
    assert splitter.feed("<") == ""
    assert splitter.feed("b>") == "<b>"
    assert splitter.finish() == ""


def test_every_call_has_an_id_of_its_own():
    splitter = ToolCallSplitter()
    splitter.feed(RED + BLUE)
    assert [call.id for call in splitter.calls] == ["call00001", "call00002"]


@pytest.mark.parametrize(
    ("written", "name", "arguments"),
    [
        ('{"name": "n", "arguments": {}}', "n", "{}"),
        ('{"name": "n"}', "n", "{}"),
        ('{"name": "n", "parameters": {"a": 1}}', "n", '{"a": 1}'),
        ('{"name": "n", "arguments": {"a": "狐"}}', "n", '{"a": "狐"}'),
        ('{"name": "n", "arguments": {"a": ', "n", '{"name": "n", "arguments": {"a":'),
        ("[1]", "", "[1]"),
        ("nonsense", "", "nonsense"),
        ("", "", "{"),
        ('{"arguments": {}}', "", '{"arguments": {}}'),
    ],
)
def test_what_is_no_call_is_left_to_whoever_calls(written, name, arguments):
    assert split(f"<tool_call>{written}</tool_call>") == ("", [(name, arguments)])


def test_a_call_that_was_cut_off_is_one_all_the_same():
    assert split(RED.removesuffix("</tool_call>")) == ("", [("fox-paint", '{"colour": "red"}')])
    _, ((_, arguments),) = split('<tool_call>{"name": "fox-paint", "argu')
    with pytest.raises(json.JSONDecodeError):
        json.loads(arguments)


def answer(text: str, *, calls_tools: bool = True, size: int = 5) -> tuple[AnswerText, LiveText, list[str]]:
    """An answer's text on its way into a sink, and all that was shown meanwhile."""
    live, shown = LiveText(), []
    made = AnswerText(live.start(1)[0], calls_tools=calls_tools)
    for start, end in itertools.pairwise([*range(0, len(text), size), len(text)]):
        made.add(text[start:end])
        shown.append(live.text())
    return made, live, shown


def test_a_call_is_never_shown_and_a_thought_is_no_call():
    made, live, shown = answer(f"<think>I could {RED} now</think>Well. {BLUE}")
    assert made.close() == ("Well. ", f"I could {RED} now")
    assert [call.arguments for call in made.tool_calls] == ['{"colour": "blue"}']
    assert live.text() == "Well. "
    assert not any("tool_call" in text for text in shown)


def test_who_was_offered_no_tools_writes_text():
    made, _, _ = answer(RED, calls_tools=False)
    assert made.close() == (RED, "")
    assert made.tool_calls == ()

"""The tool loop through the real litellm in every provider's own format.

Two calls at once, broken arguments, an unknown name, and the end of a model that would call for ever.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from wire.answers import Answer
from wire.deployments import EVERYWHERE, deployment

from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.tools.loop import answer_with_tools
from quillwork.llm_backends.types import Message, Request, Usage

pytest.importorskip("litellm", reason="litellm is not installed here")

everywhere = pytest.mark.parametrize("provider", EVERYWHERE)
QUESTION = Request((Message("system", "Be brief."), Message("user", "paint a fox")))
RED, BLUE = '{"colour": "red"}', '{"colour": "blue"}'


def calls(*wanted):
    return Answer(calls=list(wanted), finish="tool_calls")


def talk(wire, provider, script, tool, model="fox", **more):
    wire.script("*", script)
    deployed = deployment(wire, provider, model)
    tools = [tool(lambda colour: f"dyed {colour}")]
    return runner.run(answer_with_tools(Model(deployed), QUESTION, tools, **more))


@everywhere
def test_two_calls_at_once(wire, tool, provider):
    first = calls(("call_1", "fox-paint", RED), ("call_2", "fox-paint", BLUE))
    said = talk(wire, provider, [first, "a red and a blue fox"], tool)
    assert said.result.text == "a red and a blue fox"
    assert said.result.usage == Usage(22, 14)
    assert [use.answer for use in said.uses] == ["dyed red", "dyed blue"]
    second = json.dumps(wire.calls()[-1].json)
    assert second.index("dyed red") < second.index("dyed blue")
    assert second.count("fox-paint") >= 3, "the tool and both calls of it"


@everywhere
def test_a_call_that_went_wrong_is_taken_back_by_the_provider(wire, tool, provider):
    first = calls(("call_1", "fox-paint", '{"colour": "pink"}'), ("call_2", "no such tool", RED))
    said = talk(wire, provider, [first, "sorry"], tool)
    assert said.result.text == "sorry"
    second = json.dumps(wire.calls()[-1].json)
    assert "must be one of red, green, blue" in second
    assert "There is no tool of this name" in second


@everywhere
@pytest.mark.parametrize("arguments", ['{"colour": "re', '{"colour": NaN}', "", "[1]"])
def test_arguments_that_are_none_are_taken_back_by_the_provider(wire, tool, provider, arguments):
    if provider in ("gemini", "ollama"):
        pytest.skip("its format has objects there")
    said = talk(wire, provider, [calls(("call_1", "fox-paint", arguments)), "sorry"], tool)
    assert said.result.text == "sorry"
    assert said.uses[0].is_error


@everywhere
def test_what_a_failing_tool_said_is_taken_back_by_the_provider(wire, tool, hanging, provider):
    def fail(**_):
        raise ValueError("Foxes are not painted today.")

    tools = [
        tool(fail, "fox.fail"),
        tool(hanging, "fox.hang", time_limit_s=0.1),
        tool(lambda **_: "snow " * 2_000_000, "fox.flood"),
        tool(lambda **_: "", "fox.silent"),
    ]
    wanted = [(f"call_{place}", one.wire_name, RED) for place, one in enumerate(tools)]
    wire.script("*", [calls(*wanted), "sorry"])
    said = runner.run(answer_with_tools(Model(deployment(wire, provider)), QUESTION, tools))
    assert said.result.text == "sorry"
    assert [use.is_error for use in said.uses] == [True, True, False, False]
    sent = json.dumps(wire.calls()[-1].json)
    for part in ("Foxes are not painted today.", "was stopped", "[cut: the first 20,000", "(nothing)"):
        assert part in sent
    assert len(sent) < 50_000


@everywhere
def test_a_model_that_calls_for_ever_is_made_to_answer(wire, tool, provider):
    def keen(body):
        # Bedrock and Ollama have no word for it, so they are shown no tools.
        allowed = "none" not in json.dumps(body.get("tool_choice") or body.get("toolConfig") or "").lower()
        offered = body.get("tools") or body.get("toolConfig")
        return calls(("", "fox-paint", RED)) if offered and allowed else "enough"

    said = talk(wire, provider, keen, tool, rounds=2)
    assert said.result.text == "enough"
    assert len(said.uses) == 2
    assert "2 rounds" in said.result.warnings[0]
    assert len(wire.calls()) == (4 if provider in ("bedrock", "ollama") else 3)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("anthropic", "claude-sonnet-4-5"), ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")],
)
def test_claude_is_asked_to_think_until_it_has_called_a_tool(wire, tool, provider, model):
    """Claude would want its signed thought back, which litellm's stream does not keep."""
    wire.script("*", [calls(("call_1", "fox-paint", RED)), "done"])
    asked = replace(QUESTION, reasoning="low")
    tools = [tool(lambda colour: colour)]
    runner.run(answer_with_tools(Model(deployment(wire, provider, model)), asked, tools))
    assert ["budget_tokens" in json.dumps(call.json) for call in wire.calls()] == [True, False]
    assert "sanitised" not in json.dumps(wire.calls()[-1].json), "litellm puts words into an empty message"

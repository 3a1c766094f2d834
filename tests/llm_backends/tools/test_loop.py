"""The tool loop over the wire: the messages to the model, and faults of model and tools."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import pytest
from endpoints import HANG_S, ask_all, endpoint, question
from wire.answers import Answer

from quillwork.llm_backends import errors
from quillwork.llm_backends.errors import ConsentNeeded, EmptyAnswer, NotConfigured
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.tools import execution
from quillwork.llm_backends.tools.loop import MOST_CALLS, Conversation, answer_with_tools
from quillwork.llm_backends.types import Capabilities, Message, Usage

QUESTION = question("paint a fox")
RED = '{"colour": "red", "count": 3}'


def calls(*wanted, text=""):
    """An answer that calls tools: (id, name, arguments) each."""
    return Answer(pieces=(text,) if text else (), calls=list(wanted), finish="tool_calls")


def talk(wire, script, *tools, request=QUESTION, live=None, **more) -> Conversation:
    wire.script("fox", script)
    model = Model(endpoint(wire.url), live=live or LiveText())
    return runner.run(answer_with_tools(model, request, tools, **more))


def painted(colour, count=1):
    return f"{count} {colour}"


def outcomes_sent(wire, number=-1):
    """The tools' results in a request, by id."""
    messages = wire.calls()[number].json["messages"]
    return {message["tool_call_id"]: message["content"] for message in messages if message["role"] == "tool"}


def test_a_tool_is_called_and_its_answer_goes_back(wire, tool):
    said = talk(wire, [calls(("a1", "fox-paint", RED)), "a red fox"], tool(painted))
    assert said.result.text == "a red fox"
    assert said.result.finish_reason == "stop"
    first, second = (call.json for call in wire.calls())
    (offered,) = first["tools"]
    assert offered["function"]["name"] == "fox-paint"
    assert offered["function"]["parameters"]["required"] == ["colour"]
    assert second["tools"] == first["tools"]
    assert second["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a1", "type": "function", "function": {"name": "fox-paint", "arguments": RED}}
            ],
        },
        {"role": "tool", "content": "3 red", "tool_call_id": "a1"},
    ]
    assert [message.role for message in said.messages] == ["user", "assistant", "tool", "assistant"]
    assert said.messages[-1] == Message("assistant", "a red fox")
    (use,) = said.uses
    assert (use.name, use.arguments, use.answer, use.is_error) == ("fox.paint", RED, "3 red", False)


def test_usage_and_attempts_of_all_rounds_are_added_up(wire, tool):
    rounds = [calls(("a", "fox-paint", RED)), calls(("b", "fox-paint", RED)), "done"]
    result = talk(wire, rounds, tool(painted)).result
    assert result.usage == Usage(33, 21)
    assert result.attempts == 3
    assert result.warnings == ()


def test_an_unknown_count_makes_the_sum_unknown(wire, tool):
    uncounted = replace(calls(("a", "fox-paint", RED)), usage=None)
    assert talk(wire, [uncounted, "done"], tool(painted)).result.usage == Usage(None, None)


def test_without_tools_it_is_one_plain_question(wire):
    said = talk(wire, "a fox")
    assert said.messages == (*QUESTION.messages, Message("assistant", "a fox"))
    assert "tools" not in wire.calls()[0].json


def test_calls_of_one_answer_run_at_the_same_time(wire, tool):
    together = threading.Barrier(3, timeout=HANG_S)

    def meet(colour, count=1):
        together.wait()
        return colour

    wanted = [(f"c{n}", "fox-paint", json.dumps({"colour": colour})) for n, colour in enumerate(COLOURS)]
    said = talk(wire, [calls(*wanted), "done"], tool(meet))
    assert [use.answer for use in said.uses] == list(COLOURS)
    assert outcomes_sent(wire) == {"c0": "red", "c1": "green", "c2": "blue"}


COLOURS = ("red", "green", "blue")


def test_an_answer_of_any_kind_becomes_text(wire, tool):
    for answer, text in (({"a": ["ü", 1]}, '{"a": ["ü", 1]}'), (None, "null"), (3, "3"), ("", "(nothing)")):
        talk(wire, [calls(("a", "fox-paint", RED)), "done"], tool(lambda answer=answer, **_: answer))
        assert outcomes_sent(wire) == {"a": text}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ('{"colour": "pink"}', "'colour' must be one of red, green, blue."),
        ('{"count": 3}', "The call is missing 'colour'."),
        ("", "The call is missing 'colour'."),
        ('{"colour": "red", "count": "3"}', "'count' must be a whole number."),
        ('{"colour": "red", "count": true}', "'count' must be a whole number."),
        ('{"colour": "red", "count": 10}', "'count' must be from 1 to 9."),
        ('{"colour": "red", "path": "/etc/passwd"}', "unknown field 'path'"),
        ('{"colour": "red", "count": NaN}', "NaN is not valid in JSON."),
        ('{"colour": "red", "count": -Infinity}', "-Infinity is not valid in JSON."),
        ('{"colour": "red", "count": 1e999}', "must be a whole number"),
        ('{"colour": "red", "coun', "The arguments are not valid JSON"),
        ("red", "The arguments are not valid JSON"),
        ('["red"]', "must be a JSON object"),
        ('"red"', "must be a JSON object"),
        ('{"colour": "red\\ud800"}', "must be one of"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        (json.dumps({"colour": "red" * 100_000}), "longer than 100,000 characters"),
    ],
)
def test_arguments_that_do_not_fit_are_told_to_the_model(wire, tool, arguments, says):
    called = []
    said = talk(wire, [calls(("a", "fox-paint", arguments)), "sorry"], tool(lambda **_: called.append(1)))
    assert said.result.text == "sorry"
    assert not called
    assert outcomes_sent(wire)["a"].startswith("Error: ")
    assert says in outcomes_sent(wire)["a"]
    assert said.uses[0].is_error
    sent = wire.calls()[-1].json["messages"][-2]["tool_calls"][0]["function"]["arguments"]
    assert isinstance(json.loads(sent), dict), "some providers read it as an object"
    assert "NaN" not in sent


def test_an_unknown_tool_is_told_to_the_model(wire, tool):
    said = talk(wire, [calls(("a", "os.system rm -rf /", RED)), "sorry"], tool(painted))
    assert outcomes_sent(wire) == {"a": "Error: There is no tool of this name. There are: fox-paint."}
    sent = wire.calls()[-1].json["messages"][-2]["tool_calls"][0]["function"]["name"]
    assert sent == "os_system_rm_-rf__"
    assert said.uses[0].is_error


def test_a_name_with_its_dot_is_understood(wire, tool):
    talk(wire, [calls(("a", "fox.paint", RED)), "done"], tool(painted))
    assert outcomes_sent(wire) == {"a": "3 red"}


def test_only_the_tools_of_this_question_are_called(wire, tool):
    hers = tool(painted, "fox.hers")
    talk(wire, [calls(("a", "fox-paint", RED)), "sorry"], hers)
    assert "There are: fox-hers." in outcomes_sent(wire)["a"]


# SystemExit in a thread is nobody's exit.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_tool_that_raises_is_told_to_the_model(wire, tool, caplog):
    def wrong(**_):
        raise ValueError("Foxes are not painted today.")

    def broken(**_):
        raise RuntimeError("/home/somebody/secret.txt is not there")

    def ends(**_):
        raise SystemExit

    def refuses(**_):
        raise NotConfigured("No brush is set up.", hint="Set one up.")

    tools = [tool(call, f"fox.{call.__name__}") for call in (wrong, broken, ends, refuses)]
    wanted = [(f"c{n}", one.wire_name, RED) for n, one in enumerate(tools)]
    said = talk(wire, [calls(*wanted), "sorry"], *tools)
    assert said.result.text == "sorry"
    assert outcomes_sent(wire) == {
        "c0": "Error: Foxes are not painted today.",
        "c1": "Error: fox.broken failed (RuntimeError).",
        "c2": "Error: fox.ends returned nothing.",
        "c3": "Error: No brush is set up. Set one up.",
    }
    assert "secret.txt" in caplog.text, "whoever wrote the tool finds out why"


def test_a_tool_that_hangs_is_given_up(wire, tool, hanging):
    slow, quick = tool(hanging, "fox.hang", time_limit_s=0.2), tool(painted)
    began = time.monotonic()
    said = talk(wire, [calls(("a", "fox-hang", RED), ("b", "fox-paint", RED)), "sorry"], slow, quick)
    assert time.monotonic() - began < HANG_S
    assert said.result.text == "sorry"
    assert outcomes_sent(wire) == {
        "a": "Error: fox.hang did not answer within 0.2 s and was stopped.",
        "b": "3 red",
    }


def test_threads_that_hang_are_counted(wire, tool, monkeypatch, hanging):
    monkeypatch.setattr(execution, "_threads", threading.BoundedSemaphore(1))
    slow = tool(hanging, time_limit_s=0.1)
    talk(wire, [calls(("a", "fox-paint", RED), ("b", "fox-paint", RED)), "sorry"], slow)
    assert "stopped" in outcomes_sent(wire)["a"]
    assert "busy" in outcomes_sent(wire)["b"]


def test_ten_megabytes_are_cut_and_it_is_said(wire, tool):
    talk(wire, [calls(("a", "fox-paint", RED)), "done"], tool(lambda **_: "狐" * 10_000_000))
    answer = outcomes_sent(wire)["a"]
    assert len(answer) < execution.LONGEST_ANSWER + 100
    assert answer.endswith("[cut: the first 20,000 of 10,000,000 characters]")


def test_half_a_character_does_not_break_the_call(wire, tool):
    talk(wire, [calls(("a", "fox-paint", RED)), "done"], tool(lambda **_: "red \ud83e"))
    assert outcomes_sent(wire) == {"a": "red ?"}


def test_a_model_that_never_stops_calling_is_made_to_answer(wire, tool):
    def keen(body):
        return "enough" if body.get("tool_choice") == "none" else calls(("a", "fox-paint", RED))

    said = talk(wire, keen, tool(painted))
    assert said.result.text == "enough"
    assert len(wire.calls()) == 6, "five rounds and a last question"
    assert len(said.uses) == 5
    assert said.result.warnings == (
        "The model used tools for 5 rounds, which is the limit, and then had to answer.",
    )
    assert "tool_choice" not in wire.calls()[-2].json
    assert wire.calls()[-1].json["tools"], "a conversation with calls in it needs its tools"


def test_a_model_that_will_not_hear_is_an_error(wire, tool):
    with pytest.raises(EmptyAnswer, match="kept calling tools after 2 rounds"):
        talk(wire, calls(("a", "fox-paint", RED)), tool(painted), rounds=2)
    assert len(wire.calls()) == 4


def test_a_server_that_passes_over_the_choice_is_shown_no_tools(wire, tool):
    def ollama(body):
        return calls(("a", "fox-paint", RED)) if body.get("tools") else "enough"

    assert talk(wire, ollama, tool(painted), rounds=2).result.text == "enough"
    last = wire.calls()[-1].json
    assert "tool_choice" not in last
    assert [message["role"] for message in last["messages"]].count("tool") == 2


def test_what_it_says_beside_its_last_call_is_its_answer(wire, tool):
    said = talk(wire, calls(("a", "fox-paint", RED), text="a red fox"), tool(painted), rounds=1)
    assert (said.result.text, said.result.tool_calls) == ("a red fox", ())
    assert said.result.finish_reason == "stop"
    assert said.messages[-1] == Message("assistant", "a red fox")


def test_a_hundred_calls_at_once_are_too_many(wire, tool):
    wanted = [(f"c{n}", "fox-paint", RED) for n in range(100)]
    said = talk(wire, [calls(*wanted), "done"], tool(painted))
    assert len(said.uses) == MOST_CALLS == len(outcomes_sent(wire))
    assert said.result.warnings == ("The model called 100 tools at once. Only the first 16 were run.",)


def test_ids_are_passed_back_as_they_came_and_made_up_where_they_lack(wire, tool):
    first = calls(("x/ü=", "fox-paint", RED), ("", "fox-paint", RED), ("", "fox-paint", RED))
    talk(wire, [first, calls(("x/ü=", "fox-paint", RED)), "done"], tool(painted))
    ids = list(outcomes_sent(wire))
    assert ids[0] == "x/ü="
    assert len(set(ids)) == 4, "an id that comes again is another call"
    assert all(len(id_) == 9 and id_.isalnum() for id_ in ids[1:])
    sent = [
        call["id"] for message in wire.calls()[-1].json["messages"] for call in message.get("tool_calls", ())
    ]
    assert sent == ids


def test_a_tool_that_must_be_called_must_be_called_once(wire, tool):
    request = replace(QUESTION, tool_choice="required")
    talk(wire, [calls(("a", "fox-paint", RED)), "done"], tool(painted), request=request)
    assert [call.json.get("tool_choice") for call in wire.calls()] == ["required", None]


def test_the_settings_of_the_question_hold_in_every_round(wire, tool):
    request = replace(QUESTION, seed=7, max_tokens=50, temperature=0.5)
    talk(wire, [calls(("a", "fox-paint", RED)), "done"], tool(painted), request=request)
    for call in wire.calls():
        assert (call.json["seed"], call.json["max_tokens"], call.json["temperature"]) == (7, 50, 0.5)


@pytest.mark.parametrize("changes", [{"capabilities": Capabilities(tools=False)}, {"backend": "phrasebook"}])
def test_a_model_without_tools_is_told_of_before_anything_is_sent(wire, tool, changes):
    model = Model(endpoint(wire.url, **changes) if "backend" not in changes else _phrasebook(wire))
    with pytest.raises(NotConfigured, match="does not support tools"):
        runner.run(answer_with_tools(model, QUESTION, [tool(painted)]))
    assert not wire.calls()


def _phrasebook(wire):
    return replace(endpoint(wire.url), backend="phrasebook")


def test_a_tool_that_is_not_admitted_is_told_of_before_anything_is_sent(wire, tool):
    def refuse():
        raise ConsentNeeded("This workflow uses a brush.")

    with pytest.raises(ConsentNeeded):
        talk(wire, "done", tool(painted, admit=refuse))
    assert not wire.calls()


def test_an_error_of_a_later_round_is_the_error(wire, tool):
    wire.script("fox-fail500x1", "never")
    model = Model(endpoint(wire.url, "fox-status500"))
    with pytest.raises(errors.ProviderFailed):
        runner.run(answer_with_tools(model, QUESTION, [tool(painted)]))


def test_a_stop_ends_it_at_once_while_a_tool_hangs(wire, tool, hanging):
    wire.script("fox", calls(("a", "fox-paint", RED)))
    job = runner.submit(answer_with_tools(Model(endpoint(wire.url)), QUESTION, [tool(hanging)]))
    wire.wait_calls()
    time.sleep(0.1)
    began = time.monotonic()
    job.stop()
    assert job.ended
    assert time.monotonic() - began < HANG_S
    assert len(wire.calls()) == 1


def test_a_tool_is_announced_while_it_works(wire, tool):
    live, shown = LiveText(), []

    def look(**_):
        shown.append(live.text())
        return "seen"

    said = talk(wire, [calls(("a", "fox-paint", RED), text="let me see"), "done"], tool(look), live=live)
    assert shown == ["fox.paint …"]
    assert live.text() == said.result.text == "done"


def test_the_runner_is_free_while_a_tool_works(wire, tool):
    asked = []

    def nested(**_):
        asked.extend(ask_all(endpoint(wire.url, "other")))
        return asked[0].text

    talk(wire, [calls(("a", "fox-paint", RED)), "done"], tool(nested))
    assert outcomes_sent(wire)["a"] == "a red fox in fresh snow"

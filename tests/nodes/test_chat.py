"""LLM Chat on a host: conversations from node to node, pictures, tools with their user's yes, stops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from nodes.graphs import KEY, chat, enhance, info, preview, settings, wrote
from tiny_model.fixtures import TRAINING_S, tiny_calling  # noqa: F401
from wire.answers import Answer
from wire.server import WireServer

TEXT = "a red fox in fresh snow"
# Far above the usual time; only a hang is caught here.
HANG_S = 30.0


def calls(tool: str, /, **arguments: Any) -> Answer:
    return Answer(calls=[("call_1", tool, json.dumps(arguments))], finish="tool_calls")


def outcome_sent(wire: WireServer) -> str:
    """Return the last tool's answer to the model."""
    return [message["content"] for message in wire.calls()[-1].json["messages"] if message["role"] == "tool"][
        -1
    ]


def test_an_answer_its_report_and_its_record(endpoint_host: Host, wire: WireServer) -> None:
    graph = {
        "1": chat("name an animal", system="Be brief.", seed=7),
        "2": preview("1"),
        "3": preview("1", 2),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert run.shown("2") == [TEXT]
    report = info(run, "3")
    assert (report["model"], report["prompt_tokens"], report["completion_tokens"]) == ("fox", 11, 7)
    assert (report["attempts"], report["warnings"], report["tool_calls"]) == (1, [], [])
    asked = wire.calls()[0].json
    assert [(part["role"], part["content"]) for part in asked["messages"]] == [
        ("system", "Be brief."),
        ("user", "name an animal"),
    ]
    assert asked["seed"] == 7
    assert "tools" not in asked
    record = wrote(run)
    assert (record["kind"], record["texts"], record["model"]) == ("chat", [TEXT], "fox")
    assert run.last_text("1") == TEXT


def test_it_runs_alone_and_with_what_is_required_alone(endpoint_host: Host) -> None:
    run = endpoint_host.run({"1": node("QuillworkChat", prompt="hello", system="", seed=0)})
    assert run.status == "success", run.message
    assert wrote(run)["texts"] == [TEXT]


def test_history_goes_from_node_to_node(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("fox", ["fox", "owl", "both"])
    graph = {
        "1": chat("one"),
        "2": chat("two", history=["1", 1]),
        "3": chat("three", system="Be brief.", history=["2", 1]),
        "4": preview("3"),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert run.shown("4") == ["both"]
    said = [part["content"] for part in wire.calls()[-1].json["messages"]]
    assert said == ["Be brief.", "one", "fox", "two", "owl", "three"]
    assert "owl" not in json.dumps([call.json for call in wire.calls()[:2]])


def test_history_is_not_kept_where_nobody_wired_it(endpoint_host: Host, wire: WireServer) -> None:
    for prompt in ("one", "two"):
        endpoint_host.run({"1": chat(prompt)})
    assert [len(call.json["messages"]) for call in wire.calls()] == [1, 1]


def test_a_list_of_prompts_is_as_many_chats(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("fox", lambda body: f"on {body['messages'][-1]['content']}")
    graph = {
        "7": node("TestpackLines", text="one\ntwo\nthree"),
        "1": chat(["7", 0]),
        "2": chat("again", history=["1", 1]),
        "3": preview("2"),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert run.shown("3") == ["on again"] * 3
    last = [[part["content"] for part in call.json["messages"]] for call in wire.calls()[3:]]
    assert sorted(last) == sorted([[word, f"on {word}", "again"] for word in ("one", "two", "three")])


def test_the_same_question_is_asked_once(endpoint_host: Host, wire: WireServer) -> None:
    graph = {"1": chat("one"), "2": chat("two", history=["1", 1])}
    for _ in range(3):
        assert endpoint_host.run(graph).status == "success"
    assert len(wire.calls()) == 2
    graph["1"] = chat("one", seed=2)
    endpoint_host.run(graph)
    assert len(wire.calls()) == 4


def test_a_chat_has_a_model_of_its_own(endpoint_host: Host, wire: WireServer) -> None:
    home = endpoint_host.quillwork_home
    home.mkdir(parents=True, exist_ok=True)
    (home / ".env").write_text("LLM_MODEL_CHAT=owl\nLLM_MODEL_PROMPT_GEN=vixen\n")
    graph = {"5": settings(temperature=0.5), "1": chat("one"), "2": chat("two", llm=["5", 0]), "3": enhance()}
    assert endpoint_host.run(graph).status == "success"
    models = {call.json["messages"][-1]["content"]: call.model for call in wire.calls()}
    assert (models["one"], models["two"]) == ("owl", "owl")
    assert sorted(models.values()) == ["owl", "owl", "vixen"]


def test_without_a_model_it_says_what_to_do(host: Host) -> None:
    run = host.run({"1": chat("hello")})
    assert run.status == "error"
    assert "needs a language model" in run.message
    assert "LLM_MODEL_CHAT" in run.message
    assert "Traceback" not in run.message


def test_an_empty_prompt_asks_nobody(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": chat(" ")})
    assert run.status == "error"
    assert "The prompt is empty." in run.message
    assert wire.calls() == []


def test_something_else_in_the_history_is_told(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"7": node("TestpackValues", json='["odd"]'), "1": chat(history=["7", 0])})
    assert run.status == "error"
    assert "history output of another LLM Chat" in run.message
    assert wire.calls() == []


def test_thinking_never_gets_into_the_text(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": chat(llm_model="fox-thinktag"), "2": preview("1")})
    assert run.shown("2") == [TEXT]


def test_what_was_said_is_not_in_the_log_of_an_error(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("fox", "the secret word is vermilion")
    before = len(endpoint_host.log())
    graph = {"1": chat("one"), "2": chat("two", history=["1", 1], llm_model="fox-status500")}
    run = endpoint_host.run(graph)
    assert run.status == "error"
    assert "vermilion" not in json.dumps(run.error)
    assert "vermilion" not in endpoint_host.log()[before:]
    assert KEY not in endpoint_host.log()


def test_pictures_go_to_the_model(endpoint_host: Host, wire: WireServer) -> None:
    if not endpoint_host.is_real:
        return  # the stand-in's pictures have no pixels to encode
    graph = {
        "7": node("EmptyImage", width=64, height=32, batch_size=2, color=255),
        "8": node("EmptyImage", width=16, height=16, batch_size=20, color=255),
        "1": chat("what is it?", image=["7", 0]),
        "2": chat("and this?", image=["8", 0]),
        "3": preview("2", 2),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    for call in wire.calls():
        text, *pictures = call.json["messages"][-1]["content"]
        assert len(pictures) == {"what is it?": 2, "and this?": 16}[text["text"]]
        assert all(one["image_url"]["url"].startswith("data:image/jpeg;base64,") for one in pictures)
    assert info(run, "3")["warnings"] == ["The model was shown only the first 16 of 20 images."]


# -- tools


def test_a_tool_is_used_and_shown(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("fox", [calls("image-size", ratio="16:9", target="sdxl"), "1344 by 768"])
    graph = {
        "1": chat("how large?", tools="image.size, targets.list"),
        "2": preview("1"),
        "3": preview("1", 2),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert run.shown("2") == ["1344 by 768"]
    assert json.loads(outcome_sent(wire))["width"] == 1344
    assert info(run, "3")["tool_calls"] == [{"name": "image.size", "failed": False}]
    assert info(run, "3")["prompt_tokens"] == 22
    assert [tool["function"]["name"] for tool in wire.calls()[0].json["tools"]] == [
        "image-size",
        "targets-list",
    ]


def test_clip_counts_where_it_is_at_hand(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("fox", [calls("prompt-token_count", text="(a red fox:1.2), 1990", target="sdxl"), "seven"])
    run = endpoint_host.run({"1": chat("how long?", tools="prompt.token_count")})
    assert run.status == "success", run.message
    counted = json.loads(outcome_sent(wire))
    assert counted["is_estimate"] is not endpoint_host.is_real
    assert counted["tokens"] == 8, "a red fox , 1 9 9 0"


def test_an_unknown_tool_is_told_before_anything_is_sent(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": chat(tools="image.size, os.system")})
    assert run.status == "error"
    assert "There is no tool 'os.system'" in run.message
    assert "variables.lookup" in run.message
    assert wire.calls() == []


def test_a_model_adds_values_after_its_users_yes(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("fox", [calls("variables-add", name="season", values=["first frost"]), "added"])
    graph = {"1": chat("add one", tools="variables.add")}
    run = endpoint_host.run(graph)
    assert run.status == "error"
    assert run.error is not None
    assert run.error["exception_type"].endswith("ConsentNeeded")
    assert "LLM_ALLOW=variables.add" in run.message
    assert wire.calls() == []
    assert not (endpoint_host.quillwork_home / "library").exists()
    consent = endpoint_host.post(
        "/quillwork/consent", json={"what": "variables.add"}, headers={"X-Quillwork": "1"}
    )
    assert consent.json()["allowed"] == ["variables.add"]
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    saved = (endpoint_host.quillwork_home / "library" / "season.txt").read_text("utf-8")
    assert "first frost" in saved


def test_what_it_added_itself_does_not_make_it_run_again(endpoint_host: Host, wire: WireServer) -> None:
    home = endpoint_host.quillwork_home
    home.mkdir(parents=True, exist_ok=True)
    (home / ".env").write_text("LLM_ALLOW=variables.add\n")
    wire.script("fox", [calls("variables-add", name="season", values=["first frost"]), "added"])
    graph = {"1": chat("add one", tools="variables.add variables.lookup")}
    for _ in range(3):
        assert endpoint_host.run(graph).status == "success"
    assert len(wire.calls()) == 2
    (home / "library" / "season.txt").write_text("late harvest\n", "utf-8")
    assert endpoint_host.run(graph).status == "success"
    assert len(wire.calls()) > 2, "somebody else's change is one"


def test_tools_of_another_pack_that_fail_and_flood(endpoint_host: Host, wire: WireServer) -> None:
    endpoint_host.run({"1": node("TestpackTools", time_limit_s=0.3)})
    wire.script("fox", [calls("testpack-hang"), calls("testpack-fail"), calls("testpack-flood"), "sorry"])
    graph = {
        "1": chat(tools="testpack.hang,testpack.fail,testpack.flood"),
        "2": preview("1"),
        "3": preview("1", 2),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert run.shown("2") == ["sorry"]
    answers = [part["content"] for part in wire.calls()[-1].json["messages"] if part["role"] == "tool"]
    assert "stopped" in answers[0]
    assert answers[1] == "Error: testpack.fail failed (RuntimeError)."
    assert len(answers[2]) < 30_000
    assert [use["failed"] for use in info(run, "3")["tool_calls"]] == [True, True, False]


@pytest.mark.timeout(TRAINING_S + 300)
def test_a_local_model_uses_a_tool(host_factory: Hosts, tiny_calling: Path) -> None:  # noqa: F811
    host = host_factory({"LLM_MODE": "hf_local", "LLM_PATH": str(tiny_calling), "OMP_NUM_THREADS": "1"})
    host.run({"1": node("TestpackTools", time_limit_s=30.0)})
    graph = {
        "5": settings(temperature=0.0, max_tokens=200),
        "1": chat("paint red green", tools="fox.paint", llm=["5", 0]),
        "2": preview("1"),
        "3": preview("1", 2),
    }
    run = host.run(graph, timeout=300)
    assert run.status == "success", run.message
    assert run.shown("2") == ["It is fox and garden"]
    report = info(run, "3")
    assert (report["mode"], report["attempts"]) == ("hf_local", 2)
    assert report["tool_calls"] == [{"name": "fox.paint", "failed": False}] * 2


# -- the end


@pytest.mark.parametrize("model", ["fox-hang-silent", "fox-gap100-chunks200"])
def test_a_stop_ends_it_and_the_call(endpoint_host: Host, wire: WireServer, model: str) -> None:
    run = endpoint_host.run({"1": chat(llm_model=model)}, interrupt_after=lambda _: bool(wire.calls()))
    assert run.status == "interrupted"
    assert run.interrupt_s is not None
    assert run.interrupt_s < HANG_S
    assert [gone.model for gone in wire.wait_disconnects()] == [model]
    assert endpoint_host.run({"1": chat("another")}).status == "success"


def test_a_stop_ends_it_while_a_tool_hangs(endpoint_host: Host, wire: WireServer) -> None:
    endpoint_host.run({"1": node("TestpackTools", time_limit_s=30.0)})
    wire.script("fox", calls("testpack-hang"))
    run = endpoint_host.run(
        {"1": chat(tools="testpack.hang")},
        interrupt_after=lambda run: any("testpack.hang" in text.text for text in run.texts.get("1", ())),
    )
    assert run.status == "interrupted"
    assert run.interrupt_s is not None and run.interrupt_s < 20, "the tool's own limit is 30"
    assert "testpack.hang" in run.last_text("1")
    wire.reset()
    assert endpoint_host.run({"1": chat("another")}).status == "success"

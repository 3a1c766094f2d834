"""Enhance Prompt on a host: what it writes, shows, asks and costs."""

from __future__ import annotations

import json
from itertools import pairwise

from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from nodes.graphs import KEY, enhance, info, preview, settings, wrote
from wire.server import WireServer


def test_a_fresh_install_writes_with_the_phrasebook_and_says_so(host: Host) -> None:
    run = host.run({"1": enhance(target="flux1_dev"), "2": preview("1"), "3": preview("1", 2)})
    assert run.status == "success", run.message
    (prompt,) = run.shown("2")
    assert prompt.startswith("a fox in the snow, ")
    assert len(prompt.split()) > 8
    assert info(run, "3")["mode"] == "phrasebook"
    assert wrote(run)["notice"].startswith("Phrasebook: no model")
    assert "LLM_MODEL" in wrote(run)["notice"]


def test_a_phrasebook_that_was_chosen_lacks_nothing(host: Host, host_factory: Hosts) -> None:
    on_the_node = host.run({"1": enhance(llm_mode="phrasebook")})
    in_the_settings = host_factory({"LLM_MODE": "phrasebook"}).run({"1": enhance()})
    for run in (on_the_node, in_the_settings):
        assert run.status == "success", run.message
        record = wrote(run)
        assert (record["mode"], record["no_model"], record["notice"]) == ("phrasebook", False, "")


def test_a_phrasebook_for_a_model_that_failed_says_nothing_of_no_model(host_factory: Hosts) -> None:
    host = host_factory({"LLM_BASE_URL": "http://127.0.0.1:9/v1", "LLM_MODEL": "fox"})
    run = host.run({"1": enhance(on_error="phrasebook")})
    assert run.status == "success", run.message
    assert "127.0.0.1:9" in wrote(run)["info"]["warnings"][0]
    assert "no model" not in wrote(run)["notice"]


def test_the_answer_of_the_model_comes_out_whole(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": enhance(), "2": preview("1"), "3": preview("1", 2)})
    assert run.status == "success", run.message
    assert run.shown("2") == ["a red fox in fresh snow"]
    report = info(run, "3")
    assert (report["mode"], report["model"], report["provider"]) == ("litellm", "fox", "endpoint")
    assert (report["prompt_tokens"], report["completion_tokens"]) == (11, 7)
    assert report["cost_usd"] is None
    assert report["finish_reason"] == "stop"
    assert report["attempts"] == 1
    assert report["warnings"] == []
    assert report["seconds"] >= 0
    (request,) = wire.log
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "a fox in the snow" in request.json["messages"][-1]["content"]
    assert request.json["seed"] == 1


def test_the_text_streams_into_the_node_and_the_bar_moves(endpoint_host: Host) -> None:
    run = endpoint_host.run({"1": enhance(llm_model="fox-gap80-chunks8")})
    texts = [text for text, _ in run.texts["1"]]
    assert len(texts) >= 4
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert run.texts["1"][0].at < run.seconds - 0.3, "the first words come while the rest is written"
    assert run.last_text("1") == "a red fox in fresh snow"
    values = [step.value for step in run.progress if step.node == "1"]
    assert len(values) >= 3
    assert values == sorted(values)
    assert values[-1] == run.progress[-1].max


def test_thinking_gets_neither_into_the_prompt_nor_into_the_stream(endpoint_host: Host) -> None:
    for model in ("fox-think-gap40", "fox-thinktag-gap40"):
        run = endpoint_host.run({"1": enhance(llm_model=model), "2": preview("1")})
        assert run.shown("2") == ["a red fox in fresh snow"]
        assert not any("think" in text or "wants" in text for text, _ in run.texts["1"])


def test_variations_are_asked_for_at_once_and_differ_by_seed(endpoint_host: Host, wire: WireServer) -> None:
    wire.meeting = 16
    run = endpoint_host.run({"1": enhance(variations=16, seed=7), "2": preview("1")})
    assert len(run.shown("2")) == 16
    assert wire.peak == 16, "they wait for one another"
    assert sorted(request.json["seed"] for request in wire.log) == list(range(7, 23))


def test_tags_weights_and_embeddings_come_through_untouched(endpoint_host: Host) -> None:
    prompt = "<lora:snow:0.8> a (red fox:1.3) in __place__, embedding:fluffy"
    run = endpoint_host.run({"1": enhance(prompt), "2": preview("1")})
    (text,) = run.shown("2")
    for piece in ("<lora:snow:0.8>", "(red fox:1.3)", "__place__", "embedding:fluffy"):
        assert text.count(piece) == 1, text


def test_a_list_wired_into_every_input_is_one_run_and_one_fan_out(
    endpoint_host: Host, wire: WireServer
) -> None:
    def values(*items: object) -> dict:
        return node("TestpackValues", json=json.dumps(items))

    graph = {
        "10": values("a fox", "an owl", "a hare"),
        "11": values("at night", "at dawn"),
        "12": values("plain", "sdxl"),
        "13": values(1, 2),
        "14": values(5, 6, 7),
        "15": values("auto"),
        "16": values("fox-delay200"),
        "17": values("raise"),
        "18": values(False),
        "19": values(""),
        "1": enhance(
            ["10", 0],
            instruction=["11", 0],
            target=["12", 0],
            variations=["13", 0],
            seed=["14", 0],
            llm_mode=["15", 0],
            llm_model=["16", 0],
            on_error=["17", 0],
            freeze=["18", 0],
            frozen=["19", 0],
        ),
        "2": preview("1"),
        "3": preview("1", 1),
    }
    wire.meeting = 5
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert run.started.count("1") == 1
    # One fox, two owls, two hares: the last item of a shorter list serves the rest.
    assert len(run.shown("2")) == 5
    assert len(run.shown("3")) == 5
    asked = sorted((r.json["messages"][-1]["content"].split("\n")[1], r.json["seed"]) for r in wire.log)
    assert asked == [("a fox", 5), ("a hare", 7), ("a hare", 8), ("an owl", 6), ("an owl", 7)]
    assert wire.peak == 5


def test_the_settings_socket_wins_over_the_nodes_own_widgets(endpoint_host: Host, wire: WireServer) -> None:
    graph = {
        "5": settings(llm_model="owl", temperature=0.5, top_p=0.9, max_tokens=99, extra='{"top_k": 20}'),
        "1": enhance(llm_model="never-asked", llm=["5", 0]),
    }
    assert endpoint_host.run(graph).status == "success"
    (request,) = wire.log
    sent = request.json
    assert (sent["model"], sent["temperature"], sent["top_p"], sent["max_tokens"]) == ("owl", 0.5, 0.9, 99)
    assert sent["top_k"] == 20


def test_a_frozen_node_answers_with_its_text_and_calls_nothing(endpoint_host: Host, wire: WireServer) -> None:
    frozen = json.dumps({"prompt": ["one", "two"], "negative": ["blurry", ""]})
    for text, prompts, negatives in (
        (frozen, ["one", "two"], ["blurry", ""]),
        ("a bare text", ["a bare text"], [""]),
        ('{"not": "ours"}', ['{"not": "ours"}'], [""]),
    ):
        run = endpoint_host.run(
            {"1": enhance(freeze=True, frozen=text), "2": preview("1"), "3": preview("1", 1)}
        )
        assert run.status == "success", run.message
        assert run.shown("2") == prompts
        assert run.shown("3") == negatives
    assert wire.log == []
    empty = endpoint_host.run({"1": enhance(freeze=True, frozen=" ")})
    assert empty.status == "error"
    assert "frozen" in empty.message


def test_an_unknown_target_is_told_before_anything_runs(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": enhance(target="flux1_dve")})
    assert run.status == "refused"
    assert "flux1_dev" in run.message
    assert wire.log == []


def test_a_target_of_the_users_own_is_there_at_once(endpoint_host: Host, wire: WireServer) -> None:
    folder = endpoint_host.quillwork_home / "targets"
    folder.mkdir(parents=True)
    (folder / "my_model.yaml").write_text(
        "label: My model\ngroup: My targets\nform: prose\nprefix: 'styled, '\nrules:\n  - Name the moss.\n"
    )
    options = endpoint_host.object_info("QuillworkEnhancePrompt")["input"]["required"]["target"]
    assert "my_model" in str(options)
    run = endpoint_host.run({"1": enhance(target="my_model"), "2": preview("1")})
    assert run.shown("2") == ["styled, a red fox in fresh snow"]
    assert "Name the moss." in wire.log[0].json["messages"][0]["content"]


def test_a_call_with_required_inputs_alone_works(endpoint_host: Host) -> None:
    run = endpoint_host.run(
        {
            "1": node(
                "QuillworkEnhancePrompt", prompt="a fox", instruction="", target="auto", variations=1, seed=0
            )
        }
    )
    assert run.status == "success", run.message


def test_a_picture_goes_to_the_model_with_the_prompt(endpoint_host: Host, wire: WireServer) -> None:
    if not endpoint_host.is_real:
        return  # the stand-in's pictures have no pixels to encode
    graph = {
        "7": node("EmptyImage", width=64, height=32, batch_size=1, color=255),
        "1": enhance("make it red", target="flux1_kontext", image=["7", 0]),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    _, picture = wire.log[0].json["messages"][-1]["content"]
    assert picture["image_url"]["url"].startswith("data:image/jpeg;base64,")


def test_syntax_and_regions_come_through_and_limits_are_checked(
    endpoint_host: Host, wire: WireServer
) -> None:
    long = " ".join(f"The fox number {number} jumps over stone {number}." for number in range(70))
    wire.script("fox", ["[1] A red fox in deep snow.\n[2] A grey cat.", long, "A red fox in deep snow."])
    prompt = "# mine\n<lora:a:1> a ((red fox)) in snow\nBREAK\na [grey|black] cat // his :0.5"
    run = endpoint_host.run({"1": enhance(prompt, target="flux1_schnell"), "2": preview("1")})
    assert run.status == "success", run.message
    assert run.shown("2") == [
        "# mine\n<lora:a:1> A ((red fox)) in deep snow.\nBREAK\nA [grey|black] cat. // his :0.5"
    ]
    assert len(wire.log) == 1
    assert "mine" not in wire.log[0].json["messages"][-1]["content"]
    again = endpoint_host.run(
        {"1": enhance("a fox", target="flux1_schnell"), "2": preview("1"), "3": preview("1", 2)}
    )
    assert again.shown("2") == ["A red fox in deep snow."]
    assert "560 words" in info(again, "3")["warnings"][0]
    assert len(wire.log) == 3

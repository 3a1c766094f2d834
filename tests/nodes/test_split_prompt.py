"""Split Prompt and the newer inputs of Enhance Prompt and Describe Image, with a model on the wire."""

from __future__ import annotations

import json

from host.graphs import node
from host.process import Host
from nodes.graphs import describe, enhance, info, preview
from wire.answers import Answer
from wire.server import WireServer

SONG = """caption: Warm acoustic folk, fingerpicked guitar, low male voice

lyrics:
[Verse]
The lamp goes round above the foam
No ship has passed since early May

bpm: 84

keyscale: D major

timesignature: 3"""


def split(prompt: list, parts: str = "") -> dict:
    return node("QuillworkSplitPrompt", prompt=prompt, parts=parts)


def test_caption_and_lyrics_come_apart(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=[SONG]))
    run = endpoint_host.run(
        {
            "1": enhance("a lonely lighthouse", target="ace_step_1_5", duration=60.0, language="en"),
            "2": split(["1", 0]),
            "3": preview("2", 0),
            "4": preview("2", 1),
            "5": preview("1", 2),
            "6": split(["1", 0], "keyscale, BPM"),
            "7": preview("6", 1),
        }
    )
    assert run.status == "success", run.message
    assert run.shown("3") == ["Warm acoustic folk, fingerpicked guitar, low male voice"]
    assert run.shown("4")[0].splitlines()[:2] == ["[Verse]", "The lamp goes round above the foam"]
    assert run.shown("7") == ["84"]
    assert list(info(run, "5")["parts"][0]) == ["caption", "lyrics", "bpm", "keyscale", "timesignature"]
    asked = wire.log[0].json["messages"][-1]["content"]
    assert "Length: 60 seconds." in asked
    assert "The lyrics are in English" in asked


def test_a_part_may_be_one_of_another_nodes_options(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=[SONG.replace("D major", "b")]))
    graph = {
        "1": enhance("a lonely lighthouse", target="ace_step_1_5"),
        "2": split(["1", 0], "keyscale"),
        "3": node("TestpackChoose", strict=["2", 0], any="a", seed=0),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert run.shown("3") == ["b a 0"]


def test_a_part_that_is_not_there_is_told(host: Host) -> None:
    run = host.run({"1": enhance(target="flux1_dev"), "2": split(["1", 0], "lyrics"), "3": preview("2", 0)})
    assert run.status == "error"
    assert "The prompt has no part 'lyrics'." in run.message
    assert "It has prompt." in run.message


def test_shot_times_add_up_to_the_length(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=["Shot 1 (0-3s). A red fox runs. Shot 2 (3-5s). It stops and looks up."]))
    run = endpoint_host.run({"1": enhance(target="kling_3", duration=10.0, aspect="9:16"), "2": preview("1")})
    assert run.status == "success", run.message
    assert "Shot 1 (0-6s)." in run.shown("2")[0]
    assert "Shot 2 (6-10s)." in run.shown("2")[0]
    assert "Picture format: 9:16" in wire.log[0].json["messages"][-1]["content"]


def test_references_reach_the_model_and_the_prompt(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=["A fox in the manner of Image 2 sits in fresh snow and looks up."]))
    graph = {
        "1": enhance(
            target="gpt_image",
            reference_roles="subject: Anna\nstyle",
            **{"references.reference0": ["3", 0], "references.reference1": ["4", 0]},
        ),
        "2": preview("1"),
        "3": node("EmptyImage", width=64, height=48, batch_size=1, color=0xE01010),
        "4": node("EmptyImage", width=48, height=64, batch_size=1, color=0x1010E0),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    (prompt,) = run.shown("2")
    assert prompt.endswith("Image 1 shows what Anna looks like.")
    content = wire.log[0].json["messages"][-1]["content"]
    assert sum(part["type"] == "image_url" for part in content) == 2
    text = next(part["text"] for part in content if part["type"] == "text")
    assert "- Image 1: the subject, called “Anna”" in text
    assert "- Image 2: the style" in text


def test_describe_looks_for_what_the_image_is_for(endpoint_host: Host, wire: WireServer) -> None:
    image = node("EmptyImage", width=64, height=48, batch_size=1, color=0xE01010)
    run = endpoint_host.run({"1": describe("2", reference_roles="style: Rothko"), "2": image})
    assert run.status == "success", run.message
    assert "a reference for the style" in json.dumps(wire.log[0].json["messages"])


def test_nothing_typed_gets_a_whole_prompt(host: Host) -> None:
    graph = {
        str(seed): enhance("", target=target, seed=seed)
        for seed, target in enumerate(("flux1_dev", "ace_step_1_5", "fibo", "kling_3"), 1)
    }
    graph |= {str(seed + 10): preview(str(seed)) for seed in range(1, 5)}
    graph["5"], graph["15"] = enhance("", target="flux1_dev", instruction="steampunk pirates"), preview("5")
    run = host.run(graph)
    assert run.status == "success", run.message
    for seed in range(1, 5):
        assert len(run.shown(str(seed + 10))[0].split()) > 12
    assert "steampunk pirates" in run.shown("15")[0]
    again = host.run({"1": enhance("", target="flux1_dev", seed=1), "2": preview("1")})
    assert again.shown("2") == run.shown("11")

"""Music, shots and references through ComfyUI's own nodes, up to what a sampler gets.

The encoders are ComfyUI's classes, shrunken and with random weights: there is no checkpoint here.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from host.graphs import node
from host.process import Host, real_host
from host.runs import Run
from nodes.graphs import enhance, info, preview
from wire.answers import Answer
from wire.server import WireServer

# The first of them waits for ComfyUI to import what its encoders need.
SLOW = 600
pytestmark = [
    pytest.mark.timeout(SLOW),
    pytest.mark.skipif(
        not real_host(),
        reason="COMFYUI_PATH is not set: the nodes of these models are in a real ComfyUI only",
    ),
]

SONG = """caption: Warm acoustic folk, fingerpicked guitar, low male voice

lyrics:
[Verse]
The lamp goes round above the foam
No ship has passed since early May

bpm: 84

keyscale: D major

timesignature: 3"""
CLIP = """integrated_multimodal_description: [Shot 1] Live-action, a red fox runs over deep snow. [Shot 2] At
00:02.000, the shot cuts to its eyes.

overall_soundscape: Snow crunches under the paws.

non_diegetic_music: N/A"""
REFERENCES = """subject_definitions: <Subject 1> is the fox in <Picture 1>.

summary: [reference generation] <Subject 1> runs through the snow.

retention_analysis: The looks of <Subject 1> are kept.

detailed_description: [Shot 1] Live-action, <Subject 1> runs over deep snow.

overall_soundscape: Snow crunches under the paws.

non_diegetic_music: N/A"""


def encoder(kind: str, **more: str) -> dict[str, Any]:
    return node("TestpackEncoder", kind=kind, **more)


def picture(colour: int) -> dict[str, Any]:
    return node("EmptyImage", width=128, height=96, batch_size=1, color=colour)


def split(parts: str) -> dict[str, Any]:
    return node("QuillworkSplitPrompt", prompt=["1", 0], parts=parts)


def sampler(source: str, latent: list[Any] | None = None) -> dict[str, Any]:
    return node("TestpackAtTheSampler", positive=[source, 0], **({"latent": latent} if latent else {}))


def got(run: Run, node_id: str = "s") -> dict[str, Any]:
    (text,) = run.shown(node_id)
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_song(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=[SONG]))
    graph = {
        "e": encoder("ace15"),
        "1": enhance("a lonely lighthouse", target="auto", clip=["e", 0], duration=10.0),
        "2": split("caption, lyrics, bpm, timesignature, keyscale"),
        "3": node("ComfyNumberConvert", value=["2", 2]),
        "4": node(
            "TextEncodeAceStepAudio1.5",
            clip=["e", 0],
            tags=["2", 0],
            lyrics=["2", 1],
            seed=1,
            bpm=["3", 1],
            duration=10.0,
            timesignature=["2", 3],
            language="en",
            keyscale=["2", 4],
            generate_audio_codes=True,
            cfg_scale=2.0,
            temperature=0.85,
            top_p=0.9,
            top_k=0,
            min_p=0.0,
        ),
        "5": node("EmptyAceStep1.5LatentAudio", seconds=10.0, batch_size=1),
        "s": sampler("4", ["5", 0]),
        "6": preview("1", 2),
    }
    run = endpoint_host.run(graph, timeout=SLOW)
    assert run.status == "success", run.message
    assert info(run, "6")["parts"][0]["keyscale"] == "D major"
    found = got(run)
    assert found["text"][2] == 64
    assert found["more"]["conditioning_lyrics"][-1] == 64
    # Five codes a second, which the language model of the encoder has written.
    assert len(found["more"]["audio_codes"][0]) == 50
    assert found["latent"][0] == 1


def test_a_clip_of_shots(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=[CLIP]))
    graph = {
        "e": encoder("minimax"),
        "v": node("TestpackVae", channels=24, step=16),
        "1": enhance("a fox in the snow", target="auto", clip=["e", 0], duration=5.0, aspect="16:9"),
        "4": node(
            "MiniMaxH3ImageToVideo",
            clip=["e", 0],
            vae=["v", 0],
            prompt=["1", 0],
            width=256,
            height=160,
            length=124,
        ),
        "s": sampler("4", ["4", 1]),
        "2": preview("1"),
    }
    run = endpoint_host.run(graph, timeout=SLOW)
    assert run.status == "success", run.message
    (prompt,) = run.shown("2")
    assert "[Shot 2] At 00:02.000," in prompt
    found = got(run)
    assert found["text"][2] == 64
    # All of it is text, and all of it reaches the model.
    assert found["more"]["minimax_token_tags"] == [found["text"][1]]
    assert found["text"][1] > len(prompt.split())
    assert found["latent"][0][-2:] == [10, 16]


def test_a_first_and_a_last_frame(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=[CLIP]))
    graph = {
        "e": encoder("minimax"),
        "v": node("TestpackVae", channels=24, step=16),
        "a": picture(0xE01010),
        "b": picture(0x1010E0),
        "1": enhance(
            "it grows dark",
            target="minimax_h3_fl2v",
            clip=["e", 0],
            duration=5.0,
            reference_roles="first frame\nlast frame",
            **{"references.reference0": ["a", 0], "references.reference1": ["b", 0]},
        ),
        "4": node(
            "MiniMaxH3ImageToVideo",
            clip=["e", 0],
            vae=["v", 0],
            prompt=["1", 0],
            width=256,
            height=160,
            length=124,
            first_frame=["a", 0],
            last_frame=["b", 0],
        ),
        "s": sampler("4", ["4", 1]),
        "2": preview("1"),
    }
    run = endpoint_host.run(graph, timeout=SLOW)
    assert run.status == "success", run.message
    assert "Picture 2 (from Shot 2) aligns with the 5.00-second mark" in run.shown("2")[0]
    assert [frame["resolved_frame_index"] for frame in got(run)["more"]["minimax_keyframes"]] == [0, 123]


def test_references_with_roles(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=[REFERENCES]))
    graph = {
        "e": encoder("minimax"),
        "v": node("TestpackVae", channels=24, step=16),
        "a": picture(0xE01010),
        "b": picture(0x1010E0),
        "1": enhance(
            "the fox runs",
            target="minimax_h3_ref2v",
            duration=5.0,
            reference_roles="subject: the fox\nstyle",
            **{"references.reference0": ["a", 0], "references.reference1": ["b", 0]},
        ),
        "4": node(
            "MiniMaxH3ReferenceToVideo",
            clip=["e", 0],
            vae=["v", 0],
            audio_vae=["v", 0],
            prompt=["1", 0],
            width=256,
            height=160,
            length=124,
            ref_image_size="match",
            **{"ref_images.ref_image_0": ["a", 0], "ref_images.ref_image_1": ["b", 0]},
        ),
        "s": sampler("4", ["4", 1]),
        "2": preview("1"),
    }
    run = endpoint_host.run(graph, timeout=SLOW)
    assert run.status == "success", run.message
    (prompt,) = run.shown("2")
    # The names that the node gives the pictures; the model's answer left out the second.
    assert "<Picture 1>" in prompt
    assert "Take only the style from <Picture 2>." in prompt
    assert [one["kind"] for one in got(run)["more"]["minimax_refs"]] == ["image", "image"]


def test_an_edit_of_two_pictures(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=["Put the fox of the first picture on the meadow, in the same light."]))
    graph = {
        "e": encoder("qwen_image"),
        "a": picture(0xE01010),
        "b": picture(0x10E010),
        "1": enhance(
            "the fox on the meadow",
            target="qwen_image_edit",
            reference_roles="subject: the fox\nbackground",
            **{"references.reference0": ["a", 0], "references.reference1": ["b", 0]},
        ),
        "4": node(
            "TextEncodeQwenImageEditPlus",
            clip=["e", 0],
            prompt=["1", 0],
            image1=["a", 0],
            image2=["b", 0],
        ),
        "5": node("TextEncodeQwenImageEditPlus", clip=["e", 0], prompt="", image1=["a", 0], image2=["b", 0]),
        "s": sampler("4"),
        "t": sampler("5"),
    }
    run = endpoint_host.run(graph, timeout=SLOW)
    assert run.status == "success", run.message
    assert got(run)["text"][2] == 64
    assert got(run)["text"][1] > got(run, "t")["text"][1] + 10


def test_shots_for_wan(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("*", Answer(pieces=["Shot 1 [0-2s] A red fox runs. Shot 2 [2-5s] It stops and looks up."]))
    graph = {
        "e": encoder("wan"),
        "v": node("TestpackVae", channels=16, step=8),
        "1": enhance("a fox in the snow", target="wan_2_7", duration=5.0),
        "2": node("CLIPTextEncode", clip=["e", 0], text=["1", 0]),
        "3": node("CLIPTextEncode", clip=["e", 0], text=["1", 1]),
        "4": node(
            "WanImageToVideo",
            positive=["2", 0],
            negative=["3", 0],
            vae=["v", 0],
            width=128,
            height=96,
            length=81,
            batch_size=1,
        ),
        "s": sampler("4", ["4", 2]),
    }
    run = endpoint_host.run(graph, timeout=SLOW)
    assert run.status == "success", run.message
    assert got(run)["text"][1:] == [512, 64]
    assert got(run)["latent"] == [1, 16, 21, 12, 16]


def test_with_auto_the_checkpoint_tells_apart_models_of_one_encoder(
    endpoint_host: Host, wire: WireServer
) -> None:
    wire.script(
        "*", Answer(pieces=["no humans, fox, snow, winter, outdoors, standing, tree, sunset, full body"])
    )
    graph = {
        "e": encoder("sdxl", ckpt_name="SDXL/illustriousXL_v0.1.safetensors"),
        "l": node("CLIPSetLastLayer", clip=["e", 0], stop_at_clip_layer=-2),
        "1": enhance("a fox in the snow", target="auto", clip=["l", 0]),
        "2": node("CLIPTextEncode", clip=["e", 0], text=["1", 0]),
        "s": sampler("2"),
        "f": encoder("sdxl"),
        "3": enhance("a hen in the snow", target="auto", clip=["f", 0]),
        "4": preview("3"),
    }
    run = endpoint_host.run(graph, timeout=SLOW)
    assert run.status == "success", run.message
    # CLIP-L beside CLIP-G, 77 tokens.
    assert got(run)["text"] == [1, 77, 128]
    asked = {
        str(call.json["messages"][-1]["content"]): call.json["messages"][0]["content"] for call in wire.log
    }
    by_idea = {idea: next(said for text, said in asked.items() if idea in text) for idea in ("fox", "hen")}
    assert "You write prompts for Illustrious" in by_idea["fox"]
    assert "You write prompts for SDXL" in by_idea["hen"]

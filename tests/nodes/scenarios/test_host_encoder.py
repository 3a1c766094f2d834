"""The mode host_encoder in ComfyUI: a loaded text encoder writes.

Without COMFYUI_PATH there is no encoder: then only what happens without a `clip` is tested here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from host.fixtures import Hosts
from host.graphs import graph, node
from host.process import REPOSITORY, Host, real_host
from nodes.encoder_files import LISTED, PROMPT, THOUGHT, write_clip_l, write_encoder
from nodes.graphs import describe, enhance, info, preview, settings, variables

needs_real_host = pytest.mark.skipif(
    not real_host(), reason="COMFYUI_PATH is not set: text encoders load in a real ComfyUI only"
)
# About 600 tokens through 0.6 billion parameters on a CPU.
SLOW = 600


@pytest.fixture(scope="module")
def encoders(request: pytest.FixtureRequest, _hosts: Hosts) -> Any:
    """Return a function that puts the two encoder files into a host's models, once for each host."""
    placed: set[Any] = set()

    def place(host: Host) -> None:
        folder = host.base_directory / "models" / "text_encoders"
        path = real_host()
        if folder not in placed and path is not None:
            pytest.importorskip("safetensors")
            pytest.importorskip("transformers")
            write_encoder(folder, path / "comfy" / "text_encoders" / "qwen25_tokenizer")
            write_clip_l(folder)
            placed.add(folder)

    return place


@pytest.fixture
def writer(host: Host, encoders: Any) -> Host:
    encoders(host)
    return host


def clip(name: str = "tiny_writer.safetensors") -> dict[str, Any]:
    return node("CLIPLoader", clip_name=name, type="stable_diffusion", device="default")


def by_encoder(**inputs: Any) -> dict[str, Any]:
    return enhance(llm_mode="host_encoder", clip=["9", 0], **inputs)


def test_without_a_clip_the_mode_says_what_it_needs(host: Host) -> None:
    run = host.run({"1": enhance(llm_mode="host_encoder")})
    assert run.status == "error"
    assert "connect a CLIP loader to `clip`" in run.message
    assert "Traceback" not in run.message


def test_its_older_name_is_understood(host: Host) -> None:
    run = host.run({"5": settings(llm_mode="z_image"), "1": enhance(llm=["5", 0])})
    assert "connect a CLIP loader to `clip`" in run.message


def test_passthrough_works_without_a_clip_too(host: Host) -> None:
    prompt = {"1": enhance(llm_mode="host_encoder", on_error="passthrough"), "2": preview("1")}
    run = host.run(prompt)
    assert run.status == "success", run.message
    assert run.shown("2") == ["a fox in the snow"]


def test_describe_image_without_a_clip_says_what_it_needs(host: Host) -> None:
    picture = node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    run = host.run({"4": picture, "1": describe("4", llm_mode="host_encoder"), "2": preview("1")})
    assert run.status == "error"
    assert "connect a CLIP loader to `clip`" in run.message


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_an_encoder_that_only_reads_says_which_ones_see(writer: Host) -> None:
    picture = node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    looking = describe("4", llm_mode="host_encoder", clip=["9", 0])
    for asking in (looking, by_encoder(image=["4", 0])):
        run = writer.run({"9": clip(), "4": picture, "1": asking, "2": preview("1")}, timeout=SLOW)
        assert run.status == "error"
        assert "The text encoder Qwen3 0.6B does not support images." in run.message
        assert "Qwen3-VL (Krea 2, Boogu)" in run.message
        assert "Traceback" not in run.message


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_encoders_with_a_vision_part_look_at_the_picture() -> None:
    found = _printed("encoder_vision.py")
    blind = {name for name, told in found.items() if "does not support images" in told["refused"]}
    assert blind == {"z_image", "gemma2"}
    for name in found.keys() - blind:
        told = found[name]
        assert told["refused"] == "", name
        of_white, of_another, of_none = told["tokens"]
        assert of_white != of_another, name
        assert of_white != of_none, name
        seen, as_well, bare = told["read"]
        assert bare < seen == as_well, name
        # What a picture takes is known beforehand, or its most.
        assert told["counted"][2] == bare, name
        assert seen <= told["counted"][0] <= seen + 40, name


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_the_encoder_writes_and_the_text_is_seen_on_the_way(writer: Host) -> None:
    prompt = {"9": clip(), "1": by_encoder(), "2": preview("1"), "3": preview("1", 2)}
    run = writer.run(prompt, timeout=SLOW)
    assert run.status == "success", run.message
    assert run.shown("2") == [PROMPT]
    report = info(run, "3")
    assert (report["mode"], report["model"]) == ("host_encoder", "Qwen3 0.6B")
    assert report["finish_reason"] == "stop"
    assert report["completion_tokens"] == 8
    assert report["warnings"] == []
    on_the_way = [text.text for text in run.texts["1"]]
    assert any(text and text != PROMPT and PROMPT.startswith(text) for text in on_the_way)
    bars = {(step.value, step.max) for step in run.progress if step.node == "1"}
    assert any(0 < value < most for value, most in bars)


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_through_llm_settings_it_thinks_first_and_lists_values(writer: Host) -> None:
    prompt = {
        "9": clip(),
        "5": settings(llm_mode="host_encoder", reasoning="low", clip=["9", 0]),
        "1": variables("animal", count=2, llm=["5", 0]),
        "2": preview("1", 2),
    }
    run = writer.run(prompt, timeout=SLOW)
    assert run.status == "success", run.message
    assert json.loads(run.shown("2")[0]) == json.loads(LISTED)
    assert all(THOUGHT not in text.text for text in run.texts["1"])


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_an_interrupt_ends_the_encoder_and_the_next_prompt_runs(writer: Host) -> None:
    before = len(writer.log())
    prompt = {"9": clip(), "1": by_encoder(variations=16)}
    run = writer.run(prompt, timeout=SLOW, interrupt_after=lambda run: bool(run.texts.get("1")))
    assert run.status == "interrupted"
    assert len(run.last_text("1")) < 16 * len(PROMPT)
    again = writer.run({"9": clip(), "1": by_encoder(seed=7), "2": preview("1")}, timeout=SLOW)
    assert again.status == "success", again.message
    assert again.shown("2") == [PROMPT]
    assert "Traceback" not in writer.log()[before:]


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_an_interrupt_in_the_prefill_is_heard(writer: Host) -> None:
    words = " ".join(f"pebble {number}," for number in range(1500))
    prompt = {"9": clip(), "1": by_encoder(prompt=words)}
    run = writer.run(prompt, timeout=SLOW, interrupt_after=lambda run: "1" in run.started)
    assert run.status == "interrupted"
    assert not run.texts.get("1")


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_the_shipped_workflow_runs(writer: Host) -> None:
    folder = writer.base_directory / "models" / "text_encoders"
    named = folder / "qwen_3_4b.safetensors"
    if not named.exists():
        named.hardlink_to(folder / "tiny_writer.safetensors")
    run = writer.run(graph(REPOSITORY / "workflows" / "host_encoder_zimage.json"), timeout=SLOW)
    assert run.status == "success", run.message
    (text,) = run.shown("2")
    # "For model" is on auto, and this encoder's own image model wants its quality tags.
    assert text.startswith("masterpiece")
    assert text.endswith(PROMPT)


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_the_encoder_still_serves_its_picture(writer: Host) -> None:
    encode = node("CLIPTextEncode", clip=["9", 0], text=["1", 0])
    prompt = {"9": clip(), "1": by_encoder(), "2": encode, "3": preview("2")}
    run = writer.run(prompt, timeout=SLOW)
    assert run.status == "success", run.message


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_an_encoder_that_cannot_write_is_told_with_those_that_can(writer: Host) -> None:
    run = writer.run({"9": clip("clip_l.safetensors"), "1": by_encoder()}, timeout=SLOW)
    assert run.status == "error"
    assert "The connected text encoder (CLIPTextModel) cannot generate text in ComfyUI." in run.message
    assert "Qwen3 (Z-Image" in run.message
    assert "Traceback" not in run.message


@needs_real_host
@pytest.mark.timeout(SLOW)
def test_comfyuis_encoder_classes_are_those_of_the_table() -> None:
    found = _printed("encoder_families.py")
    cannot = "The connected text encoder ({}) cannot generate text in ComfyUI.".format
    assert found == {
        "z_image": "Qwen3 4B",
        "klein_9b": "Qwen3 8B",
        "anima": "Qwen3 0.6B",
        "ideogram4": "ComfyUI loads this Qwen3 8B without the output head that it needs to generate text.",
        "krea2": "Qwen3-VL",
        "lumina2": "Gemma 2 2B",
        "gemma3_vision": "Gemma 3 4B",
        "ltx2": "Gemma 3 12B",
        "gemma3_12b": "Gemma 3 12B",
        "gemma4": "Gemma 4",
        "qwen35_9b": "Qwen3.5",
        "ernie": "Ministral 3 3B",
        "qwen_image": cannot("Qwen25_7BVLI"),
        "flux2": cannot("Mistral3Small24B"),
        "newbie": cannot("Gemma3_4B"),
    }


def _printed(script: str) -> dict[str, Any]:
    """Output of a script beside these tests, run with ComfyUI's own Python."""
    python = os.environ.get("COMFYUI_PYTHON") or sys.executable
    command = [python, str(Path(__file__).parents[1] / script), str(real_host()), str(REPOSITORY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SLOW)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))

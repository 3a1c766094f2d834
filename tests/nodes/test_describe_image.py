"""Describe Image on a host: what the model is shown, what comes out, and refusals in plain words."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from nodes.graphs import describe, enhance, info, preview, settings, wrote
from wire.server import WireServer

Picture = pytest.importorskip("PIL.Image", reason="pictures need Pillow")

RED, BLUE = 0xE01010, 0x1010E0


def canvas(count: int = 1, width: int = 64, height: int = 48, colour: int = RED) -> dict[str, Any]:
    return node("EmptyImage", width=width, height=height, batch_size=count, color=colour)


def shown(body: dict[str, Any]) -> list[Any]:
    """Return the pictures of a question, decoded."""
    content = body["messages"][-1]["content"]
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
    return [Picture.open(BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


def is_near(pixel: tuple[int, int, int], colour: int) -> bool:
    return all(abs(part - wanted) < 12 for part, wanted in zip(pixel, colour.to_bytes(3, "big"), strict=True))


def test_a_picture_becomes_words(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": describe("2"), "2": canvas(), "3": preview("1"), "4": preview("1", 1)})
    assert run.status == "success", run.message
    assert run.shown("3") == ["a red fox in fresh snow"]
    report = info(run, "4")
    assert (report["mode"], report["model"], report["prompt_tokens"], report["warnings"]) == (
        "litellm",
        "fox",
        11,
        [],
    )
    (request,) = wire.log
    (picture,) = shown(request.json)
    assert picture.size == (64, 48)
    assert is_near(picture.getpixel((30, 20)), RED)
    assert request.json["seed"] == 1
    assert wrote(run)["kind"] == "describe"


def test_a_loaded_file_is_what_the_model_sees(endpoint_host: Host, wire: WireServer) -> None:
    Picture.new("RGB", (3000, 1500), (16, 16, 224)).save(endpoint_host.base_directory / "input" / "blue.png")
    run = endpoint_host.run({"1": describe("2"), "2": node("LoadImage", image="blue.png")})
    assert run.status == "success", run.message
    (picture,) = shown(wire.log[0].json)
    assert picture.size == (1024, 512)
    assert is_near(picture.getpixel((500, 250)), BLUE)


def test_a_batch_gets_one_text_each_at_once(endpoint_host: Host, wire: WireServer) -> None:
    wire.meeting = 8
    run = endpoint_host.run({"1": describe("2"), "2": canvas(8), "3": preview("1")})
    assert len(run.shown("3")) == 8
    assert wire.peak == 8
    assert [len(shown(request.json)) for request in wire.log] == [1] * 8


def test_frames_of_one_video_are_one_question(endpoint_host: Host, wire: WireServer) -> None:
    graph = {
        "1": describe("2", frames="frames of one video"),
        "2": canvas(64, 1024, 640),
        "3": preview("1"),
        "4": preview("1", 1),
    }
    run = endpoint_host.run(graph)
    assert len(run.shown("3")) == 1
    (request,) = wire.log
    pictures = shown(request.json)
    assert len(pictures) == 16
    assert {picture.size for picture in pictures} == {(512, 320)}
    assert info(run, "4")["warnings"] == [
        "The video has 64 frames; the model was shown 16 of them, evenly spread."
    ]
    assert wrote(run)["info"]["warnings"]


def test_a_target_has_its_own_manner_and_the_instruction_goes_along(
    endpoint_host: Host, wire: WireServer
) -> None:
    run = endpoint_host.run(
        {"1": describe("2", target="sdxl", instruction="dwell on the snow"), "2": canvas()}
    )
    assert run.status == "success", run.message
    system, user = wire.log[0].json["messages"]
    assert "SDXL" in system["content"] and "make it again" in system["content"]
    assert "dwell on the snow" in user["content"][0]["text"]


def test_it_streams_into_the_node(endpoint_host: Host) -> None:
    run = endpoint_host.run({"1": describe("2", llm_model="fox-gap80-chunks8"), "2": canvas()})
    assert len(run.texts["1"]) >= 3
    assert run.last_text("1") == "a red fox in fresh snow"


def test_an_interrupt_hangs_up_and_the_next_prompt_runs(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run(
        {"1": describe("2", llm_model="fox-hang"), "2": canvas(4)},
        interrupt_after=lambda run: len(wire.calls()) == 4,
    )
    assert run.status == "interrupted"
    wire.wait_disconnects(4)
    after = endpoint_host.run({"1": describe("2", seed=2), "2": canvas(), "3": preview("1")})
    assert after.shown("3") == ["a red fox in fresh snow"]


def test_the_same_again_calls_nothing_and_another_picture_does(endpoint_host: Host, wire: WireServer) -> None:
    graph = {"1": describe("2", seed=77), "2": canvas()}
    endpoint_host.run(graph)
    endpoint_host.run(graph)
    assert len(wire.log) == 1
    endpoint_host.run({**graph, "2": canvas(colour=BLUE)})
    assert len(wire.log) == 2


def test_frozen_it_answers_without_a_model(host: Host) -> None:
    graph = {
        "1": describe("2", freeze=True, frozen='{"text": ["one", "two"]}'),
        "2": canvas(),
        "3": preview("1"),
        "4": preview("1", 1),
    }
    run = host.run(graph)
    assert run.shown("3") == ["one", "two"]
    assert info(run, "4")["mode"] == "frozen"
    assert wrote(run)["frozen"] == '{"text": ["one", "two"]}'
    assert host.run({"1": describe("2", freeze=True, frozen="bare"), "2": canvas(), "3": preview("1")}).shown(
        "3"
    ) == ["bare"]


def test_what_a_run_wrote_can_be_frozen(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": describe("2"), "2": canvas()})
    again = endpoint_host.run(
        {"1": describe("2", freeze=True, frozen=wrote(run)["frozen"]), "2": canvas(), "3": preview("1")}
    )
    assert again.shown("3") == ["a red fox in fresh snow"]
    assert len(wire.log) == 1


def test_llm_settings_rule(endpoint_host: Host, wire: WireServer) -> None:
    graph = {"1": describe("2", llm=["3", 0]), "2": canvas(), "3": settings(llm_model="owl", temperature=0.5)}
    assert endpoint_host.run(graph).status == "success"
    assert (wire.log[0].json["model"], wire.log[0].json["temperature"]) == ("owl", 0.5)


def test_on_a_fresh_install_it_says_how_to_choose_a_model(host: Host) -> None:
    run = host.run({"1": describe("2"), "2": canvas()})
    assert run.status == "error"
    assert "Phrasebook does not support images." in run.message
    assert "Choose a model that does, such as " in run.message
    assert "here or with LLM_MODEL" in run.message


def test_enhance_prompt_shows_its_picture_too(endpoint_host: Host, wire: WireServer, host: Host) -> None:
    graph = {"1": enhance(image=["2", 0]), "2": canvas()}
    assert endpoint_host.run(graph).status == "success"
    assert len(shown(wire.log[0].json)) == 1
    blind = host.run(graph)
    assert "does not support images" in blind.message


def test_a_blind_model_is_not_asked_and_those_that_see_are_named(
    host_factory: Hosts, wire: WireServer
) -> None:
    pytest.importorskip("litellm", reason="litellm is not installed here")
    keys = {"DEEPSEEK_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2", "LLM_ALLOW": "deepseek,anthropic"}
    run = host_factory(keys).run({"1": describe("2", llm_model="deepseek/deepseek-v4-pro"), "2": canvas()})
    assert "does not support images" in run.message
    assert "anthropic/claude" in run.message
    assert not wire.log


def test_a_server_that_takes_no_pictures_is_told_in_the_same_words(
    host_factory: Hosts, wire: WireServer
) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox-blind"})
    run = host.run({"1": describe("2"), "2": canvas()})
    assert "does not support images" in run.message


@pytest.mark.parametrize(("width", "height"), [(1, 1), (16384, 2), (2, 16384)])
def test_slivers_are_shown(endpoint_host: Host, wire: WireServer, width: int, height: int) -> None:
    run = endpoint_host.run({"1": describe("2"), "2": canvas(1, width, height)})
    assert run.status == "success", run.message
    (picture,) = shown(wire.log[0].json)
    assert min(picture.size) == 32 and max(picture.size) <= 1024


def test_a_picture_too_large_is_refused_with_the_limit(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": describe("2"), "2": canvas(1, 16384, 4096)})
    assert run.status == "error"
    assert "16,384 × 4,096 pixels; language models accept up to 64 million" in run.message
    assert not wire.log
    assert endpoint_host.run({"1": describe("2", seed=3), "2": canvas()}).status == "success"


def test_too_many_pictures_are_refused_with_the_limit(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": describe("2"), "2": canvas(65, 8, 8)})
    assert "65 images are too many" in run.message
    assert "up to 64" in run.message
    assert not wire.log


def test_an_unknown_target_is_refused_before_it_runs(host: Host) -> None:
    run = host.run({"1": describe("2", target="nonsense"), "2": canvas()})
    assert run.status == "refused"
    assert "nonsense" in run.message


@pytest.mark.parametrize(
    ("kind", "top", "bottom"),
    [
        ("nan", 0x000000, 0x808080),
        ("alpha", 0xFFFFFF, 0xFFFFFF),
        ("half", 0x808080, 0x808080),
        ("beyond", 0xFFFFFF, 0x000000),
    ],
)
def test_odd_pictures_are_shown_as_they_look(
    endpoint_host: Host, wire: WireServer, kind: str, top: int, bottom: int
) -> None:
    needs_tensors(endpoint_host)
    run = endpoint_host.run({"1": describe("2"), "2": node("TestpackPictures", kind=kind)})
    assert run.status == "success", run.message
    (picture,) = shown(wire.log[0].json)
    assert picture.mode == "RGB"
    assert is_near(picture.getpixel((30, 6)), top)
    assert is_near(picture.getpixel((30, 42)), bottom)


def test_a_grey_picture_is_shown(endpoint_host: Host, wire: WireServer) -> None:
    needs_tensors(endpoint_host)
    run = endpoint_host.run({"1": describe("2"), "2": node("TestpackPictures", kind="grey")})
    assert run.status == "success", run.message
    (picture,) = shown(wire.log[0].json)
    assert abs(picture.convert("L").getpixel((30, 20)) - 128) < 4


@pytest.mark.parametrize(
    ("kind", "said"), [("empty", "There is no image to describe"), ("flat", "which is not an image")]
)
def test_what_is_no_picture_is_told_in_plain_words(
    endpoint_host: Host, wire: WireServer, kind: str, said: str
) -> None:
    needs_tensors(endpoint_host)
    for writer in (describe("2"), describe("2", frames="frames of one video")):
        run = endpoint_host.run({"1": writer, "2": node("TestpackPictures", kind=kind)})
        assert run.status == "error"
        assert said in run.message
    run = endpoint_host.run({"1": enhance(image=["2", 0]), "2": node("TestpackPictures", kind=kind)})
    assert run.status == "error"
    assert "image" in run.message
    assert not wire.log


def needs_tensors(host: Host) -> None:
    if not host.is_real:
        pytest.skip("the stand-in has no tensors")

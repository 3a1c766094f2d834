"""The host's cache: the same question is asked once, a changed setting asks anew."""

from __future__ import annotations

import json
from pathlib import Path

from host.graphs import node
from host.png import text_chunks
from host.process import Host
from nodes.graphs import enhance, preview, resolve, settings
from wire.server import WireServer


def test_the_same_question_is_asked_once(endpoint_host: Host, wire: WireServer) -> None:
    graph = {"1": enhance(), "2": preview("1")}
    for _ in range(3):
        run = endpoint_host.run(graph)
        assert run.shown("2") == ["a red fox in fresh snow"]
    assert len(wire.log) == 1
    assert "1" in run.cached


def test_a_changed_setting_asks_anew_and_an_unchanged_one_does_not(
    endpoint_host: Host, wire: WireServer
) -> None:
    home = endpoint_host.quillwork_home
    home.mkdir(parents=True, exist_ok=True)
    graph = {"1": enhance(), "2": preview("1")}
    endpoint_host.run(graph)
    (home / ".env").write_text("LLM_MODEL_PROMPT_GEN=owl\n")
    endpoint_host.run(graph)
    endpoint_host.run(graph)
    (home / ".env").write_text("LLM_MODEL_PROMPT_GEN=owl\nLLM_MODEL_CHAT=unrelated\n")
    endpoint_host.run(graph)
    assert [request.model for request in wire.log] == ["fox", "owl"]


def test_a_changed_setting_reaches_through_the_settings_node(endpoint_host: Host, wire: WireServer) -> None:
    home = endpoint_host.quillwork_home
    home.mkdir(parents=True, exist_ok=True)
    graph = {"5": settings(), "1": enhance(llm=["5", 0])}
    endpoint_host.run(graph)
    (home / ".env").write_text("LLM_MODEL_PROMPT_GEN=owl\n")
    endpoint_host.run(graph)
    assert [request.model for request in wire.log] == ["fox", "owl"]


def test_the_users_own_target_counts_as_a_setting(endpoint_host: Host, wire: WireServer) -> None:
    folder = endpoint_host.quillwork_home / "targets"
    folder.mkdir(parents=True)
    file = folder / "mine.yaml"
    file.write_text("label: Mine\ngroup: My targets\nform: prose\n")
    graph = {"1": enhance(target="mine")}
    endpoint_host.run(graph)
    endpoint_host.run(graph)
    file.write_text("label: Mine\ngroup: My targets\nform: prose\nprefix: 'new, '\n")
    endpoint_host.run(graph)
    assert len(wire.log) == 2


def test_a_library_file_counts_but_not_the_one_that_the_node_wrote(
    endpoint_host: Host, wire: WireServer
) -> None:
    library = endpoint_host.quillwork_home / "library"
    library.mkdir(parents=True)
    (library / "hue.txt").write_text("red\n")
    graph = {
        "1": resolve("a __hue__ fox in __place__", generate_missing=True, llm_model="fox-json"),
        "2": node("TestpackCount", name="behind", value=["1", 0]),
        "3": preview("2"),
    }
    first = endpoint_host.run(graph)
    assert first.status == "success", first.message
    assert len(wire.log) >= 1
    asked = len(wire.log)
    assert (library / "place.txt").exists()
    second = endpoint_host.run(graph)
    assert "1" in second.cached, "its own file is no change"
    assert second.shown("3") == first.shown("3")
    (library / "hue.txt").write_text("blue\n")
    third = endpoint_host.run(graph)
    assert "1" in third.started
    assert len(wire.log) == asked


def test_what_was_written_goes_into_the_image_also_from_the_cache(
    endpoint_host: Host, wire: WireServer
) -> None:
    def saved(color: int) -> dict:
        workflow = {
            "nodes": [
                {"id": 1, "type": "QuillworkEnhancePrompt", "properties": {"other": 1}},
                {"id": 8, "type": "SaveImage"},
            ],
            "links": [],
        }
        graph = {
            "1": enhance(seed=4),
            "7": node("EmptyImage", width=8, height=8, batch_size=1, color=color),
            "9": preview("1"),
            "8": node("SaveImage", images=["7", 0], filename_prefix=f"c{color}"),
        }
        run = endpoint_host.run(graph, workflow=workflow)
        assert run.status == "success", run.message
        (file,) = endpoint_host.output_directory.glob(f"c{color}_*.png")
        return _properties(file)

    saved(1)
    later = saved(2)
    assert len(wire.log) == 1, "the second picture's prompt came from the cache"
    assert later["other"] == 1
    record = later["quillwork"]
    assert record["texts"] == ["a red fox in fresh snow"]
    assert (record["mode"], record["model"], record["seed"]) == ("litellm", "fox", 4)


def _properties(file: Path) -> dict:
    workflow = json.loads(text_chunks(file.read_bytes())["workflow"])
    return workflow["nodes"][0]["properties"]

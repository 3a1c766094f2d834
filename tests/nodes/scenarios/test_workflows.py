"""The workflows that we ship: each runs, and each says what the nodes of today understand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from host.fixtures import Hosts
from host.graphs import graph
from host.process import REPOSITORY, Host
from nodes.graphs import needs_litellm
from wire.server import WireServer

FOLDER = REPOSITORY / "workflows"
SHIPPED = sorted(FOLDER.glob("*.json"))
WITHOUT_A_MODEL = ("enhance_prompt", "generate_variables", "variations_grid")
# These name files that the user has to have; tests of their own run their modes.
WITH_A_MODEL = ("local_4bit", "gguf", "host_encoder_zimage")
# These end in a sampler; what they write before it is tested below.
WITH_A_CHECKPOINT = ("wildcard_factory",)
# These need a language model, which a fresh install lacks.
WITH_A_CHAT = ("chat_refine_loop", "describe_and_enhance")


def test_each_workflow_is_tested() -> None:
    assert {file.stem for file in SHIPPED} == {
        *WITHOUT_A_MODEL,
        *WITH_A_MODEL,
        *WITH_A_CHECKPOINT,
        *WITH_A_CHAT,
        "proxy_ollama",
    }


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_frontend_has_nothing_to_report_about_it(file: Path) -> None:
    """The template browser checks what it opens: it allows a null in place of a link, and nowhere else."""
    nulls = set(re.findall(r'"(\w+)":\s*null', file.read_text("utf-8")))
    assert nulls <= {"link", "links"}


@pytest.mark.parametrize("name", WITHOUT_A_MODEL)
def test_a_workflow_runs_on_a_fresh_install(host: Host, name: str) -> None:
    run = host.run(graph(FOLDER / f"{name}.json"))
    assert run.status == "success", run.message
    shown = [text for node_id in run.outputs for text in run.shown(node_id)]
    assert all(shown)
    assert len(shown) >= 2


def test_six_variations_are_six_prompts(host: Host) -> None:
    run = host.run(graph(FOLDER / "variations_grid.json"))
    assert len(set(run.shown("2"))) == 6


def up_to_the_sampler(name: str) -> dict[str, Any]:
    """Return the copy without the nodes that need a checkpoint."""
    ours = ("Quillwork", "String", "Regex", "PreviewAny")
    return {
        key: node
        for key, node in graph(FOLDER / f"{name}.json").items()
        if node["class_type"].startswith(ours)
    }


def test_the_wildcard_factory_puts_each_value_into_the_template(host: Host) -> None:
    run = host.run(up_to_the_sampler("wildcard_factory"))
    assert run.status == "success", run.message
    (made,) = run.shown("1", "quillwork")
    assert len(made["values"]) == 4
    assert sorted(run.shown("5")) == sorted(coats(made["values"]))


def coats(values: list[str]) -> list[str]:
    """Return two views of each coat."""
    sides = ("front", "side")
    return [f"a long coat of {value}, {side} view, fashion photograph" for value in values for side in sides]


def test_the_wildcard_factory_takes_a_models_braces_for_braces(host_factory: Hosts, wire: WireServer) -> None:
    """A model's text is never expanded again, by whichever way it enters a template."""
    values = ["{wool|silk}", "a|b", "x __season__ y", r"back\\slash"]
    wire.script("*", json.dumps({"values": values}))
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"})
    run = host.run(up_to_the_sampler("wildcard_factory"))
    assert run.status == "success", run.message
    assert sorted(run.shown("5")) == sorted(coats(values))


def test_the_refining_loop_is_one_conversation(host_factory: Hosts, wire: WireServer) -> None:
    wire.script(
        "*",
        [
            "a lighthouse keeper reads by the window",
            "the keeper reads by lamplight",
            "a wet night, the keeper, a cat",
        ],
    )
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"})
    run = host.run(graph(FOLDER / "chat_refine_loop.json"))
    assert run.status == "success", run.message
    assert run.shown("5") == ["the keeper reads by lamplight"]
    assert run.shown("6") == ["a wet night, the keeper, a cat"]
    asked = [(part["role"], part["content"]) for part in wire.calls()[-1].json["messages"]]
    assert [role for role, _ in asked] == ["system", "user", "assistant", "user"]
    assert [text for _, text in asked[1:]] == [
        "a lighthouse keeper reads by the window",
        "the keeper reads by lamplight",
        "make it a rainy night, and give him a cat",
    ]


def test_the_refining_loop_says_what_it_lacks_on_a_fresh_install(host: Host) -> None:
    run = host.run(graph(FOLDER / "chat_refine_loop.json"))
    assert run.status == "error"
    assert "A chat needs a language model" in run.message


def example(host: Host) -> None:
    """Put the picture that ComfyUI ships into the input folder of this host."""
    file = host.base_directory / "input" / "example.png"
    pytest.importorskip("PIL.Image", reason="pictures need Pillow").new("RGB", (640, 480), "teal").save(file)


def test_a_picture_becomes_words_and_the_words_a_prompt(host_factory: Hosts, wire: WireServer) -> None:
    wire.script("*", ["A fox asleep under a birch.", "A fox asleep under a birch, rain, night."])
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"})
    example(host)
    run = host.run(graph(FOLDER / "describe_and_enhance.json"))
    assert run.status == "success", run.message
    assert run.shown("5") == ["A fox asleep under a birch."]
    assert run.shown("6") == ["A fox asleep under a birch, rain, night."]
    first, second = (call.json["messages"][1]["content"] for call in wire.calls())
    assert [part["type"] for part in first] == ["text", "image_url"]
    assert "A fox asleep under a birch." in second and "rainy night" in second


def test_a_fresh_install_is_told_which_model_to_choose_for_a_picture(host: Host) -> None:
    example(host)
    run = host.run(graph(FOLDER / "describe_and_enhance.json"))
    assert run.status == "error"
    assert "does not support images" in run.message and "such as" in run.message


@needs_litellm
def test_the_ollama_workflow_asks_ollama(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"OLLAMA_API_BASE": wire.url})
    run = host.run(graph(FOLDER / "proxy_ollama.json"), timeout=120)
    assert run.status == "success", run.message
    assert run.shown("3") == ["a red fox in fresh snow"]
    asked = [request.path for request in wire.log if request.path != "/api/show"]
    # While litellm is imported, Ollama is asked in OpenAI's format.
    assert asked in (["/api/chat", "/api/generate"], ["/v1/chat/completions", "/api/generate"])


@needs_litellm
def test_the_ollama_workflow_says_so_while_ollama_is_off(host_factory: Hosts) -> None:
    host = host_factory({"OLLAMA_API_BASE": "http://127.0.0.1:9"})
    run = host.run(graph(FOLDER / "proxy_ollama.json"), timeout=120)
    assert run.status == "success", run.message
    (record,) = run.shown("1", "quillwork")
    assert "127.0.0.1:9" in record["info"]["warnings"][0]
    assert "fox in the snow" in run.shown("3")[0]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_workflows_widgets_stand_in_the_order_of_the_schema(host: Host, file: Path) -> None:
    """The file names its widgets and holds their values in a row; a host of today reads that row by its own
    order."""
    workflow = json.loads(file.read_text("utf-8"))
    described = host.object_info()
    links = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    found = {}
    sent = graph(file)
    if missing := {node["class_type"] for node in sent.values()} - set(described):
        pytest.skip(f"this host has no {', '.join(missing)}")
    for node in workflow["nodes"]:
        if node["type"] in described:
            found[str(node["id"])] = {
                "class_type": node["type"],
                "inputs": _inputs(node, described[node["type"]], links),
            }
    assert found == sent


def _inputs(node: dict[str, Any], described: dict[str, Any], links: dict[int, list[Any]]) -> dict[str, Any]:
    """Return what the node would send: its widgets' values in the order of the schema, and its wires."""
    wired = {slot["name"]: links[slot["link"]] for slot in node["inputs"] if slot.get("link") is not None}
    values = iter(node.get("widgets_values") or [])
    inputs: dict[str, Any] = {}
    for group in ("required", "optional"):
        for name in described["input_order"].get(group, []):
            kind, *options = described["input"][group][name]
            is_widget = isinstance(kind, list) or kind in ("STRING", "INT", "FLOAT", "BOOLEAN", "COMBO")
            if is_widget and not (options and options[0].get("forceInput")):
                inputs[name] = next(values)
                if isinstance(kind, list) or kind == "COMBO":
                    assert isinstance(inputs[name], str)
                if name == "seed":
                    assert next(values) == "fixed"
            row = (socket for socket in wired if socket == name or socket.startswith(f"{name}."))
            inputs |= {socket: wired[socket] for socket in row}
    # The text preview keeps its own widgets to itself.
    return {key: value for key, value in inputs.items() if not key.startswith("preview")}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_browser_of_templates_has_a_picture_of_it(host: Host, file: Path) -> None:
    """The host lists a workflow by its file's name; the frontend looks for the picture beside it."""
    picture = file.with_suffix(".jpg").read_bytes()
    assert picture[:3] == b"\xff\xd8\xff" and len(picture) <= 60_000
    assert file.stem in host.get("/workflow_templates").json()["quillwork"]
    served = host.get(f"/api/workflow_templates/quillwork/{file.stem}.jpg")
    assert (served.status, served.headers["Content-Type"], served.body) == (200, "image/jpeg", picture)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_note_reads_right_in_both_renderers(host: Host, file: Path) -> None:
    """Nodes 2.0 makes code in a dark note unreadable; the canvas has no part called "advanced"."""
    (note,) = (
        node["widgets_values"][0]
        for node in json.loads(file.read_text("utf-8"))["nodes"]
        if node["type"] == "MarkdownNote"
    )
    assert "`" not in note and "advanced" not in note.casefold() and "__" not in note
    # One manner of names: those of the inputs and outputs, which every language's help page has too.
    nodes = [entry for name, entry in host.object_info().items() if name.startswith("Quillwork")]
    known = {name for entry in nodes for names in entry["input_order"].values() for name in names}
    known |= {name for entry in nodes for name in entry["output_name"]}
    assert {name for name in re.findall(r"(?<!\*)\*(\w+)\*(?!\*)", note)} <= known


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_workflow_holds_no_path_and_no_answer(file: Path) -> None:
    text = file.read_text("utf-8")
    assert "/home/" not in text
    assert '"quillwork": {' not in text
    assert all(node.get("properties", {}).get("quillwork") is None for node in json.loads(text)["nodes"])

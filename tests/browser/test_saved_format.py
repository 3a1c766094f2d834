"""The form in which workflows are saved: a promise to every file that people have shared.

`saved_workflow.json` was saved by the first version. It is never written anew: later versions add widgets
and sockets behind those that are in it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

SAVED = json.loads(Path(__file__).with_name("saved_workflow.json").read_text("utf-8"))
# The widgets' values when the file was saved, in no particular order.
VALUES = {
    "QuillworkEnhancePrompt": {
        "prompt": "a fox <lora:fox:0.8>",
        "instruction": "at night",
        "target": "sdxl",
        "variations": 3,
        "seed": 11,
        "control_after_generate": "fixed",
        "llm_mode": "litellm",
        "llm_model": "ollama/llama3.2",
        "on_error": "passthrough",
        "freeze": True,
        "frozen": '{"prompt": ["one", "two", "three"], "negative": ["", "", ""]}',
    },
    "QuillworkGenerateVariables": {
        "name": "hair/style",
        "context": "portraits",
        "count": 7,
        "guidance": "short ones",
        "creativity": "creative",
        "save": "add",
        "seed": 12,
        "control_after_generate": "increment",
        "llm_mode": "auto",
        "llm_model": "openai/gpt-5-mini",
        "freeze": False,
        "frozen": "",
    },
    "QuillworkResolveVariables": {
        "template": "a {red|blue} fox in __season__",
        "selection": "cycle",
        "count": 4,
        "seed": 13,
        "control_after_generate": "randomize",
        "generate_missing": True,
        "llm_mode": "phrasebook",
        "llm_model": "",
    },
    "QuillworkLLMSettings": {
        "llm_mode": "gguf",
        "llm_model": "fox.gguf",
        "temperature": 0.4,
        "top_p": 0.9,
        "max_tokens": 300,
        "timeout_s": 45.0,
        "retries": 2,
        "fallback_models": "ollama/qwen3:4b",
        "reasoning": "low",
        "extra": '{"top_k": 20}',
        "keep_loaded": "keep",
    },
}


def by_type(workflow):
    return {node["type"]: node for node in workflow["nodes"]}


def shown(comfy):
    """Return the widgets' values by the node's type and the widget's name."""
    return comfy.page.evaluate(
        """() => Object.fromEntries(app.rootGraph.nodes.map((node) => {
            const values = Object.fromEntries((node.widgets ?? []).map(({name, value}) => [name, value]));
            const seed = node.widgets?.find(({name}) => name === 'seed');
            if (seed) values.control_after_generate = seed.linkedWidgets[0].value;
            return [node.type, values];
        }))"""
    )


@pytest.mark.parametrize("named", [True, False], ids=["with names", "by place alone"])
def test_a_saved_workflow_loads(comfy, named):
    workflow = json.loads(json.dumps(SAVED))
    for node in workflow["nodes"]:
        if not named:
            # Older frontends wrote the values by position only.
            node.pop("widgets_values_named", None)
    comfy.load(workflow)
    found = shown(comfy)
    for kind, values in VALUES.items():
        assert {name: found[kind][name] for name in values} == values
    prompt = {entry["class_type"]: entry["inputs"] for entry in comfy.prompt().values()}
    assert set(prompt) == {*VALUES, "QuillworkUnloadLLM"}
    for kind in ("QuillworkEnhancePrompt", "QuillworkGenerateVariables", "QuillworkResolveVariables"):
        assert prompt[kind]["llm"][1] == 0
    assert prompt["QuillworkUnloadLLM"]["any"][1] == 0
    record = by_type(SAVED)["QuillworkEnhancePrompt"]["properties"]["quillwork"]
    assert record["texts"] == ["one", "two", "three"]
    assert "one" in comfy.page.locator(".quillwork-text").first.input_value()


def places(node):
    """Return a node's inputs and outputs by name and type; the frontend puts sockets before widget inputs."""
    found = {"sockets": [], "fields": [], "outputs": []}
    for one in node["inputs"]:
        found["fields" if "widget" in one else "sockets"].append((one["name"], one["type"]))
    found["outputs"] = [(one["name"], one["type"]) for one in node["outputs"]]
    return found


def test_a_wire_that_was_saved_leads_where_it_led(comfy):
    """A new socket stands before the widgets' inputs, and moves their places."""
    workflow = json.loads(json.dumps(SAVED))
    resolve = by_type(workflow)["QuillworkResolveVariables"]
    place = [one["name"] for one in resolve["inputs"]].index("template")
    link = max(workflow["last_link_id"], *(one[0] for one in workflow["links"])) + 1
    text = workflow["last_node_id"] + 1
    resolve["inputs"][place]["link"] = link
    workflow["links"].append([link, text, 0, resolve["id"], place, "STRING"])
    workflow["nodes"].append(
        {
            "id": text,
            "type": "PrimitiveString",
            "pos": [0, 900],
            "size": [300, 60],
            "flags": {},
            "order": 0,
            "mode": 0,
            "inputs": [],
            "outputs": [{"name": "STRING", "type": "STRING", "links": [link]}],
            "properties": {},
            "widgets_values": ["a {red|blue} fox"],
        }
    )
    workflow.update(last_link_id=link, last_node_id=text)
    comfy.load(workflow)
    found = {entry["class_type"]: entry["inputs"] for entry in comfy.prompt().values()}
    assert found["QuillworkResolveVariables"]["template"] == [str(text), 0]
    assert "values" not in found["QuillworkResolveVariables"]


def test_todays_form_is_that_of_the_file_with_more_behind(comfy):
    comfy.load(SAVED)
    saved = by_type(comfy.saved())
    for kind, was in by_type(SAVED).items():
        now = saved[kind]
        values = was.get("widgets_values") or []
        assert (now.get("widgets_values") or [])[: len(values)] == values, kind
        for part in ("sockets", "fields", "outputs"):
            names = places(was)[part]
            assert places(now)[part][: len(names)] == names, (kind, part)
        assert was["properties"].items() <= now["properties"].items(), kind

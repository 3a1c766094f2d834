"""Make the subgraph blueprints in subgraphs/ with the real frontend, out of the plans below.

    python tests/browser/blueprints.py [NAME ...]

The frontend wires the nodes, turns them into a subgraph and publishes it, as a user would; what it wrote is
kept, and in tests/subgraphs/ what it would send for it. Run it again after a node has got another widget.
With COMFYUI_PATH set the host is that ComfyUI.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS))

from browser.comfy_page import ComfyPage, launch  # noqa: E402
from browser.screenshots import running  # noqa: E402
from host.process import REPOSITORY  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

SUBGRAPHS = REPOSITORY / "subgraphs"
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass
class Inside:
    """Node of the subgraph.

    `wires` name where an input comes from: (node, output), or a socket of the subgraph's own.
    """

    kind: str
    at: tuple[int, int]
    title: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    wires: dict[str, tuple[str, str] | str] = field(default_factory=dict)


@dataclass
class Plan:
    """Plan of a blueprint, which the host calls by its file's name.

    `inputs` maps the subgraph's sockets to their types, in order, `outputs` to (node, output).
    """

    about: str
    words: list[str]
    inputs: dict[str, str]
    outputs: dict[str, tuple[str, str]]
    nodes: dict[str, Inside]


WRITER = (
    "You write prompts for an image model: one paragraph of what is to be seen. Answer with the prompt only."
)
PLANS = {
    "Describe and enhance": Plan(
        about="Describes your image with a vision model, and turns the description into a prompt for "
        "your image model.",
        words=["quillwork", "vision", "caption", "interrogate", "image to prompt"],
        inputs={
            "image": "IMAGE",
            "instruction": "STRING",
            "target": "COMBO",
            "seed": "INT",
            "llm": "QUILLWORK_LLM",
        },
        outputs={
            "prompt": ("enhance", "prompt"),
            "negative": ("enhance", "negative"),
            "description": ("describe", "text"),
        },
        nodes={
            "describe": Inside(
                "QuillworkDescribeImage",
                (0, 0),
                wires={"image": "image", "seed": "seed", "llm": "llm"},
            ),
            "enhance": Inside(
                "QuillworkEnhancePrompt",
                (480, 0),
                wires={
                    "prompt": ("describe", "text"),
                    "instruction": "instruction",
                    "target": "target",
                    "seed": "seed",
                    "llm": "llm",
                },
            ),
        },
    ),
    "Chat refine loop": Plan(
        about="A model writes a prompt for your idea, critiques it, and rewrites it.",
        words=["quillwork", "chat", "critique", "rewrite"],
        inputs={"idea": "STRING", "instruction": "STRING", "seed": "INT", "llm": "QUILLWORK_LLM"},
        outputs={
            "text": ("rewrite", "text"),
            "draft": ("draft", "text"),
            "critique": ("critique", "text"),
            "history": ("rewrite", "history"),
        },
        nodes={
            "draft": Inside(
                "QuillworkChat",
                (0, 0),
                "Draft",
                {"system": WRITER},
                {"prompt": "idea", "seed": "seed", "llm": "llm"},
            ),
            "critique": Inside(
                "QuillworkChat",
                (460, 0),
                "Critique",
                {
                    "prompt": "What are the two weakest points of that prompt? Look for what is vague, what "
                    "contradicts itself and what cannot be shown in an image. One sentence each.",
                    "system": "You are an art director: exact, brief and kind.",
                },
                {"history": ("draft", "history"), "seed": "seed", "llm": "llm"},
            ),
            "rewrite": Inside(
                "QuillworkChat",
                (920, 0),
                "Rewrite",
                {"system": WRITER},
                {"prompt": "instruction", "history": ("critique", "history"), "seed": "seed", "llm": "llm"},
            ),
        },
    ),
    "Wildcard factory": Plan(
        about="Generates values for one variable, fills your template with them and your library, and "
        "encodes the prompts: one image for each.",
        words=["quillwork", "wildcard", "variables", "dynamic prompts"],
        inputs={
            "clip": "CLIP",
            "template": "STRING",
            "name": "STRING",
            "count": "INT",
            "prompts": "INT",
            "seed": "INT",
            "llm": "QUILLWORK_LLM",
        },
        outputs={"CONDITIONING": ("encode", "CONDITIONING"), "prompt": ("resolve", "prompt")},
        nodes={
            "generate": Inside(
                "QuillworkGenerateVariables",
                (0, 0),
                wires={
                    "name": "name",
                    "context": "template",
                    "count": "count",
                    "seed": "seed",
                    "llm": "llm",
                },
            ),
            "resolve": Inside(
                "QuillworkResolveVariables",
                (460, 0),
                values={"selection": "combinations", "generate_missing": True},
                wires={
                    "template": "template",
                    "count": "prompts",
                    "seed": "seed",
                    "llm": "llm",
                    "values.values0": ("generate", "values"),
                },
            ),
            "encode": Inside(
                "CLIPTextEncode", (920, 0), wires={"clip": "clip", "text": ("resolve", "prompt")}
            ),
        },
    ),
}
# The values of the subgraph's own widgets when it is put into a workflow.
STANDS = {
    "Describe and enhance": {"instruction": "", "target": "general", "seed": 1},
    "Chat refine loop": {
        "idea": "a fox in the snow",
        "instruction": "Rewrite the prompt with both points fixed.",
        "seed": 1,
    },
    "Wildcard factory": {
        "template": "a long coat of __fabric__, {front|side} view, fashion photograph",
        "name": "fabric",
        "count": 4,
        "prompts": 8,
        "seed": 1,
    },
}

BUILD = """({plan, stands}) => {
    const made = {};
    for (const [key, {kind, at, title, values}] of Object.entries(plan.nodes)) {
        const node = made[key] = LiteGraph.createNode(kind);
        node.pos = at;
        if (title) node.title = title;
        app.graph.add(node);
        for (const [name, value] of Object.entries(values))
            node.widgets.find((widget) => widget.name === name).value = value;
    }
    const slot = (node, name) => node.inputs.findIndex((one) => one.name === name);
    const out = ([key, name]) => [made[key], made[key].outputs.findIndex((one) => one.name === name)];
    for (const [key, {wires}] of Object.entries(plan.nodes))
        for (const [name, source] of Object.entries(wires))
            if (Array.isArray(source)) {
                const [from, place] = out(source);
                if (!from.connect(place, made[key], slot(made[key], name))) throw Error(`${key}.${name}`);
            }
    const {subgraph, node: outer} = app.graph.convertToSubgraph(new Set(Object.values(made)));
    // The nodes inside are copies.
    for (const [key, {kind, at: [x, y]}] of Object.entries(plan.nodes)) {
        made[key] = subgraph.nodes.find(({type, pos}) => type === kind && pos[0] === x && pos[1] === y);
        if (!made[key]) throw Error(`${key} is gone`);
    }
    // The frontend offers every seed by itself.
    for (const input of [...subgraph.inputs]) subgraph.removeInput(input);
    for (const [name, type] of Object.entries(plan.inputs)) {
        const input = subgraph.addInput(name, type);
        for (const [key, {wires}] of Object.entries(plan.nodes))
            for (const [inner, source] of Object.entries(wires))
                if (source === name) input.connect(made[key].inputs[slot(made[key], inner)], made[key]);
    }
    for (const [name, source] of Object.entries(plan.outputs)) {
        const [from, place] = out(source);
        subgraph.addOutput(name, from.outputs[place].type).connect(from.outputs[place], from);
    }
    for (const [name, value] of Object.entries(stands))
        outer.widgets.find((widget) => widget.name === name).value = value;
    outer.setSize([360, outer.computeSize()[1] + 60]);
    app.canvas.select(outer);
    app.canvas.setDirty(true, true);
}"""


def make(comfy: ComfyPage, name: str) -> dict[str, Any]:
    """Return the blueprint as the frontend publishes it."""
    comfy.new_workflow()
    plan = PLANS[name]
    nodes = {key: vars(inside) for key, inside in plan.nodes.items()}
    comfy.page.evaluate(BUILD, {"plan": {**vars(plan), "nodes": nodes}, "stands": STANDS[name]})
    comfy.page.wait_for_timeout(300)
    comfy.page.evaluate(
        "(name) => app.extensionManager.command.execute('Comfy.PublishSubgraph', {metadata: {name}})", name
    )
    published = json.loads((comfy.host.user_directory / "subgraphs" / f"{name}.json").read_text("utf-8"))
    return tidy(published, name)


def tidy(published: dict[str, Any], name: str) -> dict[str, Any]:
    """Add the metadata that the frontend does not ask for, and ids that do not change from run to run."""
    plan = PLANS[name]
    published["nodes"][0]["title"] = published["definitions"]["subgraphs"][0]["name"] = name
    published["extra"] = {"BlueprintDescription": plan.about, "BlueprintSearchAliases": plan.words}
    published["definitions"]["subgraphs"][0]["category"] = "Quillwork"
    fill_in(published)
    text = json.dumps(published)
    for number, found in enumerate(dict.fromkeys(_UUID.findall(text))):
        text = text.replace(found, str(uuid.uuid5(uuid.NAMESPACE_OID, f"quillwork {name} {number}")))
    return json.loads(text)


def fill_in(published: dict[str, Any]) -> None:
    """Copy the outer node's values into the nodes inside, too: frontends before 1.49 look only there."""
    (subgraph,) = published["definitions"]["subgraphs"]
    nodes = {node["id"]: node for node in subgraph["nodes"]}
    links = {link["id"]: link for link in subgraph["links"]}
    values = iter(published["nodes"][0]["widgets_values"])
    for promoted in subgraph["inputs"]:
        targets = []
        for link in (links[number] for number in promoted["linkIds"]):
            node = nodes[link["target_id"]]
            name = (node["inputs"][link["target_slot"]].get("widget") or {}).get("name")
            names = [entry["widget"]["name"] for entry in node["inputs"] if entry.get("widget")]
            # The widget for what happens to a seed after a run has no input, and follows the seed.
            place = names.index(name) + ("seed" in names[: names.index(name)]) if name else -1
            targets.append((node["widgets_values"], place))
        if any(place >= 0 for _, place in targets):
            value = next(values)
            for stored, place in targets:
                if place >= 0:
                    stored[place] = value


def inside_of(prompt: dict[str, Any]) -> dict[str, Any]:
    """Return what the page sends for the nodes of the subgraph, in the API's format, by their ids there."""

    def bare(value: Any) -> Any:
        return [value[0].rpartition(":")[2], value[1]] if isinstance(value, list) else value

    return {
        key.rpartition(":")[2]: {
            "class_type": node["class_type"],
            "inputs": {
                name: bare(value)
                for name, value in node["inputs"].items()
                if isinstance(value, str | int | float | bool) or ":" in value[0]
            },
        }
        for key, node in sorted(prompt.items())
        if ":" in key
    }


def write(content: dict[str, Any], file: Path) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"{file} {file.stat().st_size // 1024} kB")


def main(names: list[str]) -> None:
    with sync_playwright() as playwright, launch(playwright) as browser, running({}) as host:
        comfy = ComfyPage(browser, host, "canvas")
        for name in names or list(PLANS):
            write(make(comfy, name), SUBGRAPHS / f"{name}.json")


if __name__ == "__main__":
    main(sys.argv[1:])

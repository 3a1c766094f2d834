"""Short ways to write a prompt in ComfyUI's API format. A link is `["node id", output number]`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_NOTES = ("MarkdownNote", "Note")
# Load Image's button: saved as a widget, and never sent.
_BUTTON = "upload"
# Where the links of a subgraph begin that come in from outside.
_OUTSIDE = -10


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def graph(file: Path) -> dict[str, Any]:
    """The prompt of a file: in the API's format, bare or under `prompt`, or a workflow or blueprint as the
    frontend saves it. A blueprint is its one subgraph, with the values on the node around it."""
    found = json.loads(file.read_text("utf-8"))
    if "nodes" not in found:
        return found["prompt"] if isinstance(found.get("prompt"), dict) else found
    subgraphs = found.get("definitions", {}).get("subgraphs")
    if not subgraphs:
        return _prompt(found["nodes"], {link[0]: [str(link[1]), link[2]] for link in found["links"]})
    (outer,), (inner,) = found["nodes"], subgraphs
    stands = [outer["widgets_values_named"].get(socket["name"]) for socket in outer["inputs"]]
    return _prompt(
        inner["nodes"],
        {
            link["id"]: stands[link["origin_slot"]]
            if link["origin_id"] == _OUTSIDE
            else [str(link["origin_id"]), link["origin_slot"]]
            for link in inner["links"]
        },
    )


def _prompt(nodes: Sequence[Mapping[str, Any]], wires: Mapping[int, Any]) -> dict[str, Any]:
    return {
        str(saved["id"]): node(saved["type"], **_inputs(saved, wires))
        for saved in nodes
        if saved["type"] not in _NOTES
    }


def _inputs(saved: Mapping[str, Any], wires: Mapping[int, Any]) -> dict[str, Any]:
    """The inputs that a saved node would send: its wires, and the values of its widgets in their order."""
    values = iter(saved.get("widgets_values") or ())
    inputs: dict[str, Any] = {}
    for socket in saved["inputs"]:
        name, value = socket["name"], None
        if "widget" in socket:
            value = next(values)
            if name == "seed":
                assert next(values) == "fixed", f"the seed of node {saved['id']} changes by itself"
        if socket.get("link") is not None:
            value = wires[socket["link"]]
        if value is not None and name != _BUTTON:
            inputs[name] = value
    return inputs

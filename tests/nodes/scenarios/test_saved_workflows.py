"""Workflows and blueprints as the former version shipped them: each value still lands in its widget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from host.graphs import node
from host.process import Host
from nodes.graphs import preview

FORMER = json.loads(Path(__file__).with_name("former_workflows.json").read_text("utf-8"))
WIDGETS = ("STRING", "INT", "FLOAT", "BOOLEAN", "COMBO")


def places(described: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return a node's sockets, fields and outputs of today by name and type, each in order."""

    def known(kind: Any) -> str:
        return "COMBO" if isinstance(kind, list) else "*" if kind == "COMFY_MATCHTYPE_V3" else kind

    found: dict[str, list[list[str]]] = {"sockets": [], "fields": []}
    for group in ("required", "optional"):
        for name in described["input_order"].get(group, []):
            kind, *options = described["input"][group][name]
            kind = known(kind)
            is_field = kind in WIDGETS and not (options and options[0].get("forceInput"))
            found["fields" if is_field else "sockets"].append([name, kind])
    found["outputs"] = [
        [name, known(kind)] for name, kind in zip(described["output_name"], described["output"], strict=True)
    ]
    return found


@pytest.mark.parametrize("kind", FORMER["nodes"])
def test_todays_node_has_what_a_saved_one_has_in_its_places(host: Host, kind: str) -> None:
    now = places(host.object_info(kind))
    for part, was in FORMER["nodes"][kind].items():
        # A row of sockets, such as `values.values0`, is one input that grows, and has a type of its own.
        was = [pair for pair in was if "." not in pair[0]]
        first = now[part][: len(was)]
        # A frontend saves what is wired in as the type of a socket that takes anything.
        saved = [
            [name, "*" if today == "*" else kind]
            for (name, kind), (_, today) in zip(was, first, strict=False)
        ]
        assert len(first) == len(was) and first == saved, part


def restored(described: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """Return the inputs as a host of today reads them: the row of values by today's order of widgets."""
    row = iter(values)
    inputs: dict[str, Any] = {}
    for (name, _), value in zip(places(described)["fields"], row, strict=False):
        inputs[name] = value
        if name == "seed":
            assert next(row) == "fixed"
    assert next(row, None) is None
    return inputs


def test_a_host_finds_no_fault_in_any_of_them(host: Host) -> None:
    described = host.object_info()
    sent = {"picture": node("EmptyImage", width=64, height=64, batch_size=1, color=0)}
    for number, saved in enumerate(FORMER["workflows"].values()):
        for key, (kind, values, wires) in saved.items():
            here = f"{number}-{key}"
            inputs = restored(described[kind], values)
            inputs |= {socket: [f"{number}-{source}", output] for socket, (source, output) in wires.items()}
            if kind == "QuillworkDescribeImage":
                inputs["image"] = ["picture", 0]
            sent |= {here: node(kind, **inputs), f"{here}-shown": preview(here)}
    answer = host.post("/prompt", json={"prompt": sent})
    host.interrupt()
    assert answer.json()["node_errors"] == {}, answer.text

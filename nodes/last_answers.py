"""Last answers of the nodes: saved with the image's workflow, and marked where the host is not to cache them.

A substitute answer stands in for one that could not be had: it is a fallback model's, the phrasebook's, or
the user's text unchanged.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any

_log = logging.getLogger("quillwork")
_MOST_NODES = 1000

PROPERTY = "quillwork"


class NodeMemory:
    """By node id: record of the last run, the inputs that led to it, and the number of substitute answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, tuple[str, dict[str, Any]]] = {}
        self._substitutes: dict[str, int] = {}

    def remember(self, node_id: str, inputs: Mapping[str, Any], record: dict[str, Any]) -> None:
        """Keep `record` as the node's answer to `inputs`."""
        with self._lock:
            self._records.pop(node_id, None)
            self._records[node_id] = (_signature(inputs), record)
            while len(self._records) > _MOST_NODES:
                self._records.pop(next(iter(self._records)))

    def recall(self, node_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the record of the node's last answer, None if it belongs to other `inputs`."""
        with self._lock:
            signature, record = self._records.get(node_id, ("", None))
        return record if record is not None and signature == _signature(inputs) else None

    def was_substitute(self, node_id: str) -> None:
        """Note that the node's answer is a substitute: the host is not to keep it."""
        with self._lock:
            self._substitutes[node_id] = self._substitutes.get(node_id, 0) + 1

    def substitute_count(self, node_id: str | None) -> int:
        """Return the number of substitute answers: in the fingerprint, it has the node run again."""
        with self._lock:
            return self._substitutes.get(node_id or "", 0)


memory = NodeMemory()


def _signature(inputs: Mapping[str, Any]) -> str:
    return json.dumps(inputs, sort_keys=True, default=str)


def write_record(workflow: Any, node_id: str, record: Mapping[str, Any]) -> None:
    """Put `record` into the properties of the node in the workflow that goes into saved images."""
    for node in _nodes(workflow, node_id.split(":")):
        properties = node.setdefault("properties", {})
        if isinstance(properties, dict):
            properties[PROPERTY] = dict(record)


def _nodes(workflow: Any, path: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the node at `path`; ids of nodes in subgraphs are written outer:inner."""
    if not isinstance(workflow, dict):
        return
    for node in workflow.get("nodes") or ():
        if not isinstance(node, dict) or str(node.get("id")) != path[0]:
            continue
        if len(path) == 1:
            yield node
            return
        for subgraph in (workflow.get("definitions") or {}).get("subgraphs") or ():
            if isinstance(subgraph, dict) and subgraph.get("id") == node.get("type"):
                inner = {**subgraph, "definitions": workflow.get("definitions")}
                yield from _nodes(inner, path[1:])


def write_remembered(json_data: dict[str, Any]) -> dict[str, Any]:
    """Put the last answers of cached nodes into the image's workflow before the prompt begins.

    A prompt handler of the host: a node whose result is cached does not run. One that does run overwrites
    its record.
    """
    try:
        workflow = json_data["extra_data"]["extra_pnginfo"]["workflow"]
        prompt = json_data["prompt"]
    except (KeyError, TypeError):
        return json_data
    for node_id, node in prompt.items() if isinstance(prompt, dict) else ():
        if isinstance(node, dict) and str(node.get("class_type", "")).startswith("Quillwork"):
            record = memory.recall(str(node_id), node.get("inputs") or {})
            if record is not None:
                write_record(workflow, str(node_id), record)
    return json_data

"""The cache of results of the last prompt."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from node_calls import call_all, finished, gather_arguments, is_link

import nodes

Prompt = dict[str, dict[str, Any]]


class Kept(NamedTuple):
    outputs: list[Any]
    ui: dict[str, Any] | None


class Cache:
    """A cache of results by signature. A signature holds a node's class, its inputs and its fingerprint, and
    the same of all nodes before it; a node's own id only where its class asks for that."""

    def __init__(self) -> None:
        self._kept: dict[Any, Kept] = {}
        self._keys: dict[str, Any] = {}

    async def open(self, prompt_id: str, prompt: Prompt) -> None:
        """Work out the signatures of a prompt, and forget what it does not use."""
        fingerprints = {
            node_id: await _fingerprint(prompt_id, node_id, node) for node_id, node in prompt.items()
        }
        self._keys = {node_id: _signature(node_id, prompt, fingerprints) for node_id in prompt}
        used = set(self._keys.values())
        self._kept = {key: kept for key, kept in self._kept.items() if key in used}

    def get(self, node_id: str) -> Kept | None:
        return self._kept.get(self._keys[node_id])

    def put(self, node_id: str, kept: Kept) -> None:
        self._kept[self._keys[node_id]] = kept


async def _fingerprint(prompt_id: str, node_id: str, node: dict[str, Any]) -> Any:
    kind = nodes.KINDS[node["class_type"]]
    hidden = {"unique_id": node_id, "prompt": {}}
    if kind.method("fingerprint_inputs", hidden) is None:
        return False
    try:
        arguments = gather_arguments(kind, node["inputs"], None)
        return await finished(
            await call_all(kind, "fingerprint_inputs", arguments, prompt_id, node_id, hidden)
        )
    except Exception as error:
        logging.warning("WARNING: %s", error)
        return float("NaN")


def _signature(node_id: str, prompt: Prompt, fingerprints: dict[str, Any]) -> Any:
    order: dict[str, int] = {}
    _place(node_id, prompt, order)
    return tuple(_own_part(one, prompt, fingerprints, order) for one in order)


def _place(node_id: str, prompt: Prompt, order: dict[str, int]) -> None:
    order[node_id] = len(order)
    for _, value in sorted(prompt[node_id]["inputs"].items()):
        if is_link(value) and value[0] not in order and value[0] in prompt:
            _place(value[0], prompt, order)


def _own_part(node_id: str, prompt: Prompt, fingerprints: dict[str, Any], order: dict[str, int]) -> Any:
    node = prompt[node_id]
    part = [node["class_type"], _hashable(fingerprints[node_id])]
    part.append(node_id if nodes.KINDS[node["class_type"]].not_idempotent else None)
    for name, value in sorted(node["inputs"].items()):
        part.append((name, ("link", order.get(value[0]), value[1]) if is_link(value) else _hashable(value)))
    return tuple(part)


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((key, _hashable(one)) for key, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(_hashable(one) for one in value)
    if value is None or isinstance(value, str | bytes | int | float | bool):
        return value
    # Equal to nothing, itself apart: such a node runs every time.
    return object()

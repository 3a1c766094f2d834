"""The two ways to write a node, behind one face: V3 classes (`io.ComfyNode`), V1 classes (`INPUT_TYPES`)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from comfy_api.latest.node import ComfyNode
from comfy_api.latest.sockets import Autogrow

Inputs = dict[str, dict[str, tuple[Any, ...]]]


class NodeKind:
    """The facts that the host needs of a class of nodes."""

    input_is_list: bool
    output_node: bool
    intermediate_output: bool
    not_idempotent: bool
    accepts_all: bool
    is_async: bool
    output_types: list[str]
    output_is_list: list[bool]

    def inputs(self) -> Inputs:
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        raise NotImplementedError

    def method(self, name: str, hidden: dict[str, Any]) -> Callable[..., Any] | None:
        """The method `execute`, `validate_inputs` or `fingerprint_inputs`, ready to be called; None if
        missing."""
        raise NotImplementedError

    def hidden_arguments(self, hidden: dict[str, Any]) -> dict[str, Any]:
        """Hidden values that travel as plain arguments."""
        return {}

    def nest(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments as the node's methods take them."""
        return arguments

    def entry(self, name: str) -> tuple[str, Any, dict[str, Any]] | None:
        """An input's group, type and options."""
        for group, entries in self.inputs().items():
            if name in entries:
                kind, *options = entries[name]
                return group, kind, (options[0] if options else {})
        return None


class V3Kind(NodeKind):
    def __init__(self, node: type[ComfyNode]) -> None:
        self._node = node
        schema = node.GET_SCHEMA()
        self.input_is_list = schema.is_input_list
        self.output_node = schema.is_output_node
        self.intermediate_output = schema.has_intermediate_output
        self.not_idempotent = schema.not_idempotent
        self.accepts_all = schema.accept_all_inputs
        self.is_async = inspect.iscoroutinefunction(node.execute)
        self.output_types = [output.io_type for output in schema.outputs]
        self.output_is_list = [output.is_output_list for output in schema.outputs]

    def inputs(self) -> Inputs:
        """The inputs as the node has them, with each socket of a row on its own."""
        found: Inputs = {"required": {}, "optional": {}}
        for group, entries in self._node.INPUT_TYPES().items():
            for name, (kind, *options) in entries.items():
                if kind != Autogrow.io_type:
                    found.setdefault(group, {})[name] = (kind, *options)
                    continue
                template = options[0]["template"]
                (needed, inside), *_ = ((key, value) for key, value in template["input"].items() if value)
                (socket,) = inside.values()
                for number in range(template["max"]):
                    must = needed == "required" and number < template["min"]
                    place = found["required" if must else "optional"]
                    place[f"{name}.{template['prefix']}{number}"] = socket
        return found

    def nest(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Nest the sockets of each row as one mapping, which every method gets, asked for or not."""
        nested = {name: value for name, value in arguments.items() if "." not in name}
        for entries in self._node.INPUT_TYPES().values():
            for name, (kind, *_) in entries.items():
                if kind == Autogrow.io_type:
                    row = {
                        key.removeprefix(f"{name}."): value
                        for key, value in arguments.items()
                        if key.startswith(f"{name}.")
                    }
                    nested[name] = row or nested.get(name, {})
        return nested

    def describe(self) -> dict[str, Any]:
        return self._node.GET_NODE_INFO_V1()

    def method(self, name: str, hidden: dict[str, Any]) -> Callable[..., Any] | None:
        if not self._node.overrides(name):
            return None
        asked = self._node.INPUT_TYPES().get("hidden", {})
        return getattr(self._node.for_call({key: hidden.get(key) for key in asked}), name)


_HIDDEN_V1 = {
    "UNIQUE_ID": "unique_id",
    "PROMPT": "prompt",
    "EXTRA_PNGINFO": "extra_pnginfo",
    "DYNPROMPT": "dynprompt",
}
_METHODS_V1 = {"validate_inputs": "VALIDATE_INPUTS", "fingerprint_inputs": "IS_CHANGED"}


class V1Kind(NodeKind):
    def __init__(self, name: str, node: type[Any], display_name: str) -> None:
        self._name, self._node, self._display_name = name, node, display_name
        self.input_is_list = getattr(node, "INPUT_IS_LIST", False)
        self.output_node = getattr(node, "OUTPUT_NODE", False)
        self.intermediate_output = getattr(node, "HAS_INTERMEDIATE_OUTPUT", False)
        self.not_idempotent = getattr(node, "NOT_IDEMPOTENT", False)
        self.accepts_all = False
        self.is_async = inspect.iscoroutinefunction(getattr(node, node.FUNCTION))
        self.output_types = list(node.RETURN_TYPES)
        self.output_is_list = list(getattr(node, "OUTPUT_IS_LIST", [False] * len(self.output_types)))

    def inputs(self) -> Inputs:
        return self._node.INPUT_TYPES()

    def describe(self) -> dict[str, Any]:
        inputs = self.inputs()
        return {
            "input": inputs,
            "input_order": {group: list(entries) for group, entries in inputs.items()},
            "is_input_list": self.input_is_list,
            "output": self.output_types,
            "output_is_list": self.output_is_list,
            "output_name": list(getattr(self._node, "RETURN_NAMES", self.output_types)),
            "name": self._name,
            "display_name": self._display_name,
            "description": getattr(self._node, "DESCRIPTION", ""),
            "python_module": getattr(self._node, "RELATIVE_PYTHON_MODULE", "nodes"),
            "category": getattr(self._node, "CATEGORY", "sd"),
            "output_node": self.output_node,
            "has_intermediate_output": self.intermediate_output,
            "search_aliases": getattr(self._node, "SEARCH_ALIASES", []),
        }

    def method(self, name: str, hidden: dict[str, Any]) -> Callable[..., Any] | None:
        if name == "execute":
            return getattr(self._node(), self._node.FUNCTION)
        return getattr(self._node, _METHODS_V1[name], None)

    def hidden_arguments(self, hidden: dict[str, Any]) -> dict[str, Any]:
        asked = self.inputs().get("hidden", {})
        return {name: hidden.get(_HIDDEN_V1.get(str(kind), "")) for name, kind in asked.items()}

"""A node's description of itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .sockets import Input, MatchType, Output


class Hidden(str, Enum):
    """Values that a node may ask for and no user sees."""

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"
    dynprompt = "DYNPROMPT"
    auth_token_comfy_org = "AUTH_TOKEN_COMFY_ORG"
    api_key_comfy_org = "API_KEY_COMFY_ORG"
    comfy_usage_source = "COMFY_USAGE_SOURCE"


class HiddenHolder:
    """The hidden values that a node finds in `cls.hidden`; those that it did not ask for are None."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update({hidden.name: None for hidden in Hidden} | values)

    def __getattr__(self, name: str) -> None:
        return None


@dataclass
class Schema:
    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    description: str = ""
    search_aliases: list[str] = field(default_factory=list)
    is_input_list: bool = False
    is_output_node: bool = False
    is_deprecated: bool = False
    is_experimental: bool = False
    is_dev_only: bool = False
    is_api_node: bool = False
    price_badge: Any = None
    not_idempotent: bool = False
    enable_expand: bool = False
    accept_all_inputs: bool = False
    essentials_category: str | None = None
    has_intermediate_output: bool = False

    def validate(self) -> None:
        for kind, ids in (("Input", [i.id for i in self.inputs]), ("Output", [o.id for o in self.outputs])):
            twice = [id for id, count in Counter(ids).items() if count > 1]
            if twice:
                raise ValueError(f"{kind} ids must be unique, but {twice} are not.")

    def finalize(self) -> None:
        """Give an output node the hidden inputs that it has unasked, and nameless outputs an id."""
        self.inputs, self.outputs, self.hidden = self.inputs or [], self.outputs or [], self.hidden or []
        if self.is_output_node:
            for wanted in (Hidden.prompt, Hidden.extra_pnginfo):
                if wanted not in self.hidden:
                    self.hidden.append(wanted)
        for index, output in enumerate(self.outputs):
            if output.id is None:
                output.id = f"_{index}_{output.io_type}_"

    def input_types(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {"required": {}}
        for entry in self.inputs:
            group = found.setdefault("optional" if entry.optional else "required", {})
            group[entry.id] = (entry.get_io_type(), entry.as_dict())
        if self.hidden:
            found["hidden"] = {hidden.name: (hidden.value,) for hidden in self.hidden}
        return found

    def describe(self, module: str) -> dict[str, Any]:
        """The node in the form of `/object_info`."""
        inputs = self.input_types()
        matching = [o.template.template_id if isinstance(o, MatchType.Output) else None for o in self.outputs]
        return {
            "input": inputs,
            "input_order": {group: list(entries) for group, entries in inputs.items()},
            "is_input_list": self.is_input_list,
            "output": [output.io_type for output in self.outputs],
            "output_is_list": [output.is_output_list for output in self.outputs],
            "output_name": [output.display_name or output.io_type for output in self.outputs],
            "output_tooltips": [output.tooltip or None for output in self.outputs],
            "output_matchtypes": matching if any(matching) else None,
            "name": self.node_id,
            "display_name": self.display_name,
            "description": self.description,
            "python_module": module,
            "category": self.category,
            "output_node": self.is_output_node,
            "deprecated": self.is_deprecated,
            "experimental": self.is_experimental,
            "dev_only": self.is_dev_only,
            "api_node": self.is_api_node,
            "price_badge": None,
            "search_aliases": self.search_aliases or None,
            "essentials_category": self.essentials_category,
            "has_intermediate_output": self.has_intermediate_output,
        }

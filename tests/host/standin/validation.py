"""Validation of a prompt: links, types, ranges, options, and each node's own checks."""

from __future__ import annotations

import inspect
import traceback
from typing import Any

from node_calls import call_all, finished, gather_arguments
from node_kinds import NodeKind

import nodes

Prompt = dict[str, dict[str, Any]]
Fault = dict[str, Any]
CONVERT = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
ANYTHING = {"*", "COMFY_MATCHTYPE_V3"}
LONG_LIST = 20


def fault(kind: str, message: str, details: str, **extra: Any) -> Fault:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def fits(given: Any, wanted: Any) -> bool:
    """Tell whether an output of the one type can be wired into an input of the other."""
    if given == wanted or (isinstance(given, list) and wanted == "COMBO"):
        return True
    if not isinstance(given, str) or not isinstance(wanted, str):
        return False
    given_types, wanted_types = ({part.strip() for part in types.split(",")} for types in (given, wanted))
    return bool(given_types & wanted_types or given_types & ANYTHING or wanted_types & ANYTHING)


class Validation:
    """One prompt's check. `faults` are by node; a node that is missing there is sound."""

    def __init__(self, prompt_id: str, prompt: Prompt) -> None:
        self._id, self._prompt = prompt_id, prompt
        self.faults: dict[str, list[Fault]] = {}
        self._sound: dict[str, bool] = {}

    async def check(self, node_id: str, path: tuple[str, ...] = ()) -> bool:
        """Check a node and all that it needs. Values are converted to their types on the way."""
        if node_id in self._sound:
            return self._sound[node_id]
        if node_id in path:
            self._cycle((*path[path.index(node_id) :], node_id))
            return False
        faults, sound = await self._inputs(node_id, (*path, node_id))
        if not faults:
            faults = await self._own_words(node_id)
        # A cycle through this node may have been found on the way.
        known = self.faults.get(node_id, [])
        if faults or known:
            self.faults[node_id] = known + faults
        self._sound[node_id] = sound and not faults and not known
        return self._sound[node_id]

    def _cycle(self, path: tuple[str, ...]) -> None:
        names = " -> ".join(f"{node} ({self._prompt[node]['class_type']})" for node in path)
        for node in dict.fromkeys(path):
            self.faults[node] = [fault("dependency_cycle", "Dependency cycle detected", names, node_id=node)]
            self._sound[node] = False

    async def _inputs(self, node_id: str, path: tuple[str, ...]) -> tuple[list[Fault], bool]:
        values = self._prompt[node_id]["inputs"]
        kind = self._kind(node_id)
        looked_at = _named_by_validate(kind)
        faults, sound = [], True
        for group, entries in kind.inputs().items():
            if group == "hidden":
                continue
            for name, (wanted, *rest) in entries.items():
                options = rest[0] if rest else {}
                if name not in values:
                    if group == "required":
                        faults.append(
                            fault(
                                "required_input_missing", "Required input is missing", name, input_name=name
                            )
                        )
                elif isinstance(values[name], list):
                    found, below = await self._link(name, values[name], wanted, looked_at, path)
                    faults += found
                    sound = sound and below
                else:
                    found = _convert(values, name, wanted)
                    if not found and name not in looked_at:
                        found = _range_and_options(values[name], name, wanted, options)
                    faults += found
        return faults, sound

    async def _link(
        self, name: str, link: list[Any], wanted: Any, looked_at: set[str], path: tuple[str, ...]
    ) -> tuple[list[Fault], bool]:
        if len(link) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            return [fault("bad_linked_input", message, name, input_name=name, received_value=link)], False
        source, slot = link
        try:
            given = self._kind(source).output_types[slot]
        except (KeyError, IndexError) as error:
            # The real host lets this one out of the check; where it lands is the same.
            raise type(error)(str(error)) from None
        if "input_types" not in looked_at and not fits(given, wanted):
            details = f"{name}, received_type({given}) mismatch input_type({wanted})"
            return [
                fault(
                    "return_type_mismatch",
                    "Return type mismatch between linked nodes",
                    details,
                    input_name=name,
                )
            ], False
        return [], await self.check(source, path)

    async def _own_words(self, node_id: str) -> list[Fault]:
        kind = self._kind(node_id)
        named = _named_by_validate(kind)
        if not named:
            return []
        arguments = gather_arguments(kind, self._prompt[node_id]["inputs"], None)
        arguments = {name: value for name, value in arguments.items() if name in named}
        hidden = {"unique_id": node_id, "prompt": {}}
        answers = await finished(
            await call_all(kind, "validate_inputs", arguments, self._id, node_id, hidden)
        )
        return [
            fault(
                "custom_validation_failed",
                "Custom validation failed for node",
                name if answer is False else f"{name} - {answer}",
                input_name=name,
            )
            for name in arguments
            for answer in answers
            if answer is not True
        ]

    def _kind(self, node_id: str) -> NodeKind:
        return nodes.KINDS[self._prompt[node_id]["class_type"]]


class _Everything(set[str]):
    def __contains__(self, name: object) -> bool:
        return name != "input_types"

    def __bool__(self) -> bool:
        return True


def _named_by_validate(kind: NodeKind) -> set[str]:
    """The inputs that the node checks itself, which the host then leaves alone."""
    method = kind.method("validate_inputs", {})
    if method is None:
        return set()
    spec = inspect.getfullargspec(method)
    return _Everything() if spec.varkw else set(spec.args) - {"cls", "self"}


def _convert(values: dict[str, Any], name: str, wanted: Any) -> list[Fault]:
    value = values[name]
    if isinstance(value, dict) and "__value__" in value:
        value = values[name] = value["__value__"]
    convert = CONVERT.get(wanted) if isinstance(wanted, str) else None
    try:
        if convert is not None:
            values[name] = convert(value)
    except (TypeError, ValueError) as error:
        message = f"Failed to convert an input value to a {wanted} value"
        return [fault("invalid_input_type", message, f"{name}, {value}, {error}", input_name=name)]
    return []


def _range_and_options(value: Any, name: str, wanted: Any, options: dict[str, Any]) -> list[Fault]:
    if "min" in options and value < options["min"]:
        message = f"Value {value} smaller than min of {options['min']}"
        return [fault("value_smaller_than_min", message, name, input_name=name, received_value=value)]
    if "max" in options and value > options["max"]:
        message = f"Value {value} bigger than max of {options['max']}"
        return [fault("value_bigger_than_max", message, name, input_name=name, received_value=value)]
    if isinstance(wanted, list) or wanted == "COMBO":
        choices = wanted if isinstance(wanted, list) else options.get("options") or []
        if value not in choices:
            shown = f"(list of length {len(choices)})" if len(choices) > LONG_LIST else str(choices)
            details = f"{name}: {value!r} not in {shown}"
            return [
                fault(
                    "value_not_in_list", "Value not in list", details, input_name=name, received_value=value
                )
            ]
    return []


async def validate_prompt(
    prompt_id: str, prompt: Prompt, targets: list[str] | None
) -> tuple[bool, Fault | None, list[str], dict[str, Any]]:
    """Validate a prompt: (anything to run, the error as a whole, the outputs to run, the errors by node)."""
    outputs = []
    for node_id, node in prompt.items():
        kind = nodes.KINDS.get(node.get("class_type", ""))
        if kind is None:
            name = node.get("_meta", {}).get("title", node.get("class_type"))
            message = f"Node '{name}' not found. The custom node may not be installed."
            whole = fault("missing_node_type", message, f"Node ID '#{node_id}'", node_id=node_id)
            return False, whole, [], {}
        if kind.output_node and (targets is None or node_id in targets):
            outputs.append(node_id)
    if not outputs:
        return False, fault("prompt_no_outputs", "Prompt has no outputs", ""), [], {}

    check = Validation(prompt_id, prompt)
    good: list[str] = []
    errors: dict[str, Any] = {}
    for output in outputs:
        try:
            sound = await check.check(output)
        except Exception as error:
            sound = False
            kind_of_error = type(error).__qualname__
            check.faults[output] = [
                fault(
                    "exception_during_validation",
                    "Exception when validating node",
                    str(error),
                    exception_type=kind_of_error,
                    traceback=traceback.format_tb(error.__traceback__),
                )
            ]
        if sound:
            good.append(output)
            continue
        for node_id, faults in check.faults.items():
            entry = {"errors": faults, "dependent_outputs": [], "class_type": prompt[node_id]["class_type"]}
            errors.setdefault(node_id, entry)["dependent_outputs"].append(output)
    if good:
        return True, None, good, errors
    lines = [f"{one['message']}: {one['details']}" for entry in errors.values() for one in entry["errors"]]
    whole = fault("prompt_outputs_failed_validation", "Prompt outputs failed validation", "\n".join(lines))
    return False, whole, [], errors

"""Checks of values against the part of JSON Schema that routes and tools are described in.

That is: type, enum, required, properties, additionalProperties, items, minimum, maximum, and the limits of
length. Other keywords of a schema are ignored. Numbers are finite ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def problem(value: Any, schema: Schema, where: str) -> str:
    """Say what is wrong with `value`, in one sentence about `where`; empty where nothing is."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is_a(value, kind) for kind in kinds):
        return f"{where} must be {' or '.join(_NAMES[kind] for kind in kinds)}."
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} must be one of {', '.join(map(str, schema['enum']))}."
    if isinstance(value, str):
        return _text_problem(value, schema, where)
    if isinstance(value, dict):
        return _object_problem(value, schema, where)
    if isinstance(value, list):
        return _list_problem(value, schema, where)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number_problem(value, schema, where)
    return ""


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    return isinstance(value, _TYPES[kind])


def _number_problem(value: int | float, schema: Schema, where: str) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"{where} must be a finite number."
    least, most = schema.get("minimum"), schema.get("maximum")
    if (least is None or value >= least) and (most is None or value <= most):
        return ""
    if most is None:
        return f"{where} must be at least {least}."
    return f"{where} must be at most {most}." if least is None else f"{where} must be from {least} to {most}."


def _list_problem(value: list[Any], schema: Schema, where: str) -> str:
    if len(value) > schema.get("maxItems", len(value)):
        return f"{where} has more than {schema['maxItems']} items."
    if len(value) < schema.get("minItems", 0):
        return f"{where} has fewer than {schema['minItems']} items."
    if not schema.get("items"):
        return ""
    problems = (problem(item, schema["items"], f"An item of {where}") for item in value)
    return next(filter(None, problems), "")


def _text_problem(value: str, schema: Schema, where: str) -> str:
    if len(value) > schema.get("maxLength", len(value)):
        return f"{where} is longer than {schema['maxLength']} characters."
    if len(value) < schema.get("minLength", 0):
        return f"{where} is empty." if not value else f"{where} is too short."
    if not _is_whole(value):
        return f"{where} contains an incomplete character."
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{where} contains characters that are not allowed."
    return ""


def _is_whole(text: str) -> bool:
    """Tell whether `text` has no lone surrogate. One look at each letter takes seconds for a picture."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object_problem(value: dict[str, Any], schema: Schema, where: str) -> str:
    properties, other = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where} is missing {name!r}."
    if len(value) > schema.get("maxProperties", len(value)):
        return f"{where} has too many fields."
    for name, part in value.items():
        if name not in properties and other is False:
            known = ", ".join(properties) or "nothing"
            return f"{where} has an unknown field {name[:60]!r}; it may have {known}."
        wanted = properties.get(name) or (other if isinstance(other, Mapping) else None)
        wrong = problem(part, wanted, repr(name[:60])) if wanted else ""
        if wrong:
            return wrong
    return ""

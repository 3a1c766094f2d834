"""Checks bodies and queries against the same JSON schemas that the OpenAPI description shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .messages import HttpError

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


def text(longest: int = 20_000, default: str | None = "", **more: Any) -> dict[str, Any]:
    return _with_default({"type": "string", "maxLength": longest, **more}, default)


def whole(least: int, most: int, default: int | None = None) -> dict[str, Any]:
    return _with_default({"type": "integer", "minimum": least, "maximum": most}, default)


def flag(default: bool = False) -> dict[str, Any]:
    return {"type": "boolean", "default": default}


def one_of(*choices: str, default: str | None = None) -> dict[str, Any]:
    return _with_default({"type": "string", "enum": list(choices)}, default)


def texts(most: int, longest: int = 20_000, default: list[str] | None = None) -> dict[str, Any]:
    items = {"type": "string", "maxLength": longest}
    return _with_default({"type": "array", "maxItems": most, "items": items}, default)


def body(required: tuple[str, ...] = (), **properties: Schema) -> dict[str, Any]:
    """An object of these and no other properties."""
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _with_default(schema: dict[str, Any], default: Any) -> dict[str, Any]:
    return schema if default is None else {**schema, "default": default}


def checked(value: Any, schema: Schema, where: str = "The body") -> Any:
    """`value` with the defaults of what is missing. Raises `HttpError` with one sentence."""
    problem = _problem(value, schema, where)
    if problem:
        raise HttpError(400, "bad_request", problem, "GET openapi.json describes what a call takes.")
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    return {**{name: part["default"] for name, part in properties.items() if "default" in part}, **value}


def checked_query(query: Mapping[str, str], schema: Mapping[str, Schema]) -> dict[str, Any]:
    """The query's texts as the values they stand for. Raises `HttpError`."""
    values: dict[str, Any] = {}
    for name, given in query.items():
        if name not in schema:
            continue  # proxies and browsers add their own
        values[name] = given in ("1", "true") if schema[name].get("type") == "boolean" else given
    return checked(values, {"type": "object", "properties": schema}, "The query")


def _problem(value: Any, schema: Schema, where: str) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is_a(value, kind) for kind in kinds):
        return f"{where} must be {' or '.join(_NAMES[kind] for kind in kinds)}."
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} must be one of {', '.join(map(str, schema['enum']))}."
    if isinstance(value, str):
        return _text_problem(value, schema, where)
    if isinstance(value, dict):
        return _object_problem(value, schema, where)
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            return f"{where} has more than {schema['maxItems']} items."
        problems = (_problem(item, schema["items"], f"An item of {where}") for item in value)
        return next(filter(None, problems), "")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"{where} must be from {schema.get('minimum')} to {schema.get('maximum')}."
    return ""


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    return isinstance(value, _TYPES[kind]) and value == value


def _text_problem(value: str, schema: Schema, where: str) -> str:
    if len(value) > schema.get("maxLength", len(value)):
        return f"{where} is longer than {schema['maxLength']} characters."
    if len(value) < schema.get("minLength", 0):
        return f"{where} is empty." if not value else f"{where} is too short."
    if any("\ud800" <= character <= "\udfff" for character in value):
        return f"{where} holds half a character."
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{where} has characters in it that it cannot have."
    return ""


def _object_problem(value: dict[str, Any], schema: Schema, where: str) -> str:
    properties, other = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where} lacks {name!r}."
    if len(value) > schema.get("maxProperties", len(value)):
        return f"{where} has too many parts."
    for name, part in value.items():
        if name not in properties and other is False:
            known = ", ".join(properties) or "nothing"
            return f"{where} has an unknown part {name[:60]!r}; it may have {known}."
        wanted = properties.get(name) or (other if isinstance(other, Mapping) else None)
        problem = _problem(part, wanted, repr(name[:60])) if wanted else ""
        if problem:
            return problem
    return ""

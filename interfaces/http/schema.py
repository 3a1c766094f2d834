"""Checks on bodies and queries, against the same JSON schemas that the OpenAPI description shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...llm_backends.json_schema import Schema, problem
from .messages import HttpError


def text(longest: int = 20_000, default: str | None = "", **more: Any) -> dict[str, Any]:
    return _with_default({"type": "string", "maxLength": longest, **more}, default)


def whole(least: int, most: int, default: int | None = None) -> dict[str, Any]:
    return _with_default({"type": "integer", "minimum": least, "maximum": most}, default)


def number(least: float, most: float, default: float | None = None) -> dict[str, Any]:
    return _with_default({"type": "number", "minimum": least, "maximum": most}, default)


def flag(default: bool = False) -> dict[str, Any]:
    return {"type": "boolean", "default": default}


def one_of(*choices: str, default: str | None = None) -> dict[str, Any]:
    return _with_default({"type": "string", "enum": list(choices)}, default)


def texts(most: int, longest: int = 20_000, default: list[str] | None = None) -> dict[str, Any]:
    items = {"type": "string", "maxLength": longest}
    return _with_default({"type": "array", "maxItems": most, "items": items}, default)


def body(required: tuple[str, ...] = (), **properties: Schema) -> dict[str, Any]:
    """Build the schema of an object of these properties and no others."""
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _with_default(schema: dict[str, Any], default: Any) -> dict[str, Any]:
    return schema if default is None else {**schema, "default": default}


def checked(value: Any, schema: Schema, where: str = "The body") -> dict[str, Any]:
    """Return `value` with the defaults of what is missing. Raises `HttpError` with one sentence."""
    wrong = problem(value, schema, where)
    if wrong:
        raise HttpError(400, "bad_request", wrong, "GET openapi.json describes what a call takes.")
    properties = schema.get("properties", {})
    return {**{name: part["default"] for name, part in properties.items() if "default" in part}, **value}


def checked_query(query: Mapping[str, str], schema: Mapping[str, Schema]) -> dict[str, Any]:
    """Return the query's texts as the values they stand for. Raises `HttpError`."""
    values: dict[str, Any] = {}
    for name, given in query.items():
        if name not in schema:
            continue  # proxies and browsers add their own
        values[name] = given in ("1", "true") if schema[name].get("type") == "boolean" else given
    return checked(values, {"type": "object", "properties": schema}, "The query")

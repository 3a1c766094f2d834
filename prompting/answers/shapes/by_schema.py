"""JSON prompts: what a model wrote, fitted to the schema that its target has."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ....llm_backends.json_schema import problem
from ..envelope import json_in

Schema = Mapping[str, Any]


@lru_cache(maxsize=32)
def schema_of(text: str) -> dict[str, Any]:
    """Return a target's schema from its text."""
    schema = json.loads(text)
    assert isinstance(schema, dict)
    return schema


def is_strict(schema: Schema) -> bool:
    """Tell whether `schema` leaves nothing open: only such a one can be enforced by all providers."""
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(
            properties
        )
        return closed and all(map(is_strict, properties.values()))
    return is_strict(schema["items"]) if "items" in schema else True


def wrong(text: str, schema: Schema) -> str:
    """Return what is wrong with `text` as JSON by `schema`, in a sentence; "" where nothing is."""
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return "It is no JSON."
    return problem(value, schema, "The JSON")


def fitted(text: str, schema: Schema) -> str:
    """Return the JSON in `text` mended to follow `schema`, and as it is where it follows; "" without JSON."""
    if not wrong(text, schema):
        return text
    value = json_in(text)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    return _as_text(_fit(value, schema)) if isinstance(value, dict) and value else ""


def made_of(text: str, schema: Schema) -> str:
    """Return JSON by `schema` that says `text` in each field that is asked for as the description of all."""
    first = next(
        (name for name, one in schema.get("properties", {}).items() if one.get("type") == "string"), None
    )
    plain = " ".join(re.sub(r"[{}\[\]\"`]+|\\n", " ", text).split())
    return _as_text(_fit({first: plain} if first else {}, schema))


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fit(value: Any, schema: Schema) -> Any:
    kind = schema.get("type", "string")
    if kind == "object":
        return _fit_object(value, schema)
    if kind == "array":
        return _fit_list(value, schema)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).strip().casefold() in ("true", "yes", "1")
    if kind in ("integer", "number"):
        return _fit_number(value, schema)
    return _fit_text(value, schema)


def _fit_object(value: Any, schema: Schema) -> dict[str, Any]:
    properties = schema.get("properties", {})
    if not isinstance(value, dict):
        first = next((name for name, one in properties.items() if one.get("type") == "string"), None)
        value = {first: value} if first and value not in (None, "", []) else {}
    given = {bare_name(name): part for name, part in value.items()}
    found = {}
    for name, one in properties.items():
        part = given.pop(bare_name(name), None)
        if part is not None or name in schema.get("required", ()):
            found[name] = _fit(part, one)
    if schema.get("additionalProperties", True) is not False:
        found.update({name: part for name, part in value.items() if bare_name(name) in given})
    return found


def _fit_list(value: Any, schema: Schema) -> list[Any]:
    items = schema.get("items", {})
    if value in (None, ""):
        value = []
    if isinstance(value, str) and items.get("type") == "string":
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list):
        value = [value]
    found = [_fit(item, items) if items else item for item in value][: schema.get("maxItems", len(value))]
    while len(found) < schema.get("minItems", 0):
        found.append(_fit(None, items))
    return found


def _fit_number(value: Any, schema: Schema) -> int | float:
    least, most = schema.get("minimum"), schema.get("maximum")
    said = re.search(r"-?\d+(?:\.\d+)?", str(value)) if not isinstance(value, bool) else None
    number = float(said[0]) if said else float(schema.get("default", least or 0))
    number = number if math.isfinite(number) else 0.0
    number = max(number, least) if least is not None else number
    number = min(number, most) if most is not None else number
    return round(number) if schema.get("type") == "integer" else number


def _fit_text(value: Any, schema: Schema) -> str:
    if isinstance(value, dict):
        value = "; ".join(f"{name}: {_flat(part)}" for name, part in value.items())
    text = " ".join(_flat(value).split()) if value is not None else ""
    text = text.encode("utf-8", "ignore").decode() or str(schema.get("default", ""))
    options = schema.get("enum")
    if options:
        same = [option for option in options if bare_name(str(option)) == bare_name(text)]
        return str((same or options)[0])
    text = text[: schema.get("maxLength", len(text))]
    is_wrong = problem(text, schema, "")
    return str(schema.get("default", text)) if is_wrong else text


def _flat(value: Any) -> str:
    return ", ".join(map(_flat, value)) if isinstance(value, list) else str(value)


def bare_name(name: Any) -> str:
    """The name without case and signs, by which models' spellings of it are one."""
    return re.sub(r"[\W_]+", "", str(name).casefold())

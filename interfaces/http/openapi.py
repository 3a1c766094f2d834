"""OpenAPI description of the routes, made from the very table that serves them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import __version__
from .guard import HEADER
from .routing import NAME, Route

PREFIX = "/quillwork"
_OPENAI = "openai_"
_ERRORS = {
    400: "The request is not valid.",
    401: "A token or a key is missing or wrong.",
    403: "Not allowed here.",
    404: "Not found.",
    408: "The request body did not arrive in time.",
    413: "Too large.",
    429: "Too many calls.",
    502: "The provider or server failed.",
    503: "The provider or server cannot be reached or used here.",
    504: "The provider or server did not answer in time.",
}


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """Build the OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"{PREFIX}/{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Quillwork", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {"Error": _error(), "OpenAIError": _openai_error()},
            "responses": {**_responses("", "Error"), **_responses(_OPENAI, "OpenAIError")},
            "securitySchemes": {
                "serviceToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "LLM_SERVICE_TOKEN, if the server can be reached from other machines.",
                },
                "proxyToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "LLM_PROXY_TOKEN, always required.",
                },
            },
        },
    }


def _responses(form: str, schema: str) -> dict[str, Any]:
    content = _json({"$ref": f"#/components/schemas/{schema}"})
    return {f"{form}{status}": {"description": text, "content": content} for status, text in _ERRORS.items()}


def _operation(route: Route) -> dict[str, Any]:
    form = _OPENAI if route.access == "proxy" else ""
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{route.path.replace('/', '_').replace(NAME, 'name')}",
        "parameters": [
            {"name": name, "in": "query", "schema": schema} for name, schema in route.query.items()
        ],
        "responses": {
            "200": _success(route),
            **{str(status): {"$ref": f"#/components/responses/{form}{status}"} for status in _ERRORS},
        },
        "security": [{"proxyToken": []}] if route.access == "proxy" else [{}, {"serviceToken": []}],
    }
    if NAME in route.path:
        operation["parameters"].append(
            {
                "name": "name",
                "in": "path",
                "required": True,
                "description": "A name, e.g. of a variable; a slash separates folders.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
    if route.access == "change":
        operation["parameters"].append(
            {"name": HEADER, "in": "header", "required": True, "schema": {"type": "string", "enum": ["1"]}}
        )
        if route.body is not None:
            required = bool(route.body.get("required"))
            operation["requestBody"] = {"required": required, "content": _json(route.body)}
    return operation


def _success(route: Route) -> dict[str, Any]:
    content = _json({"type": "object"})
    if route.streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    return {"description": route.summary, "content": content}


def _error() -> dict[str, Any]:
    words = {name: {"type": "string"} for name in ("type", "message", "hint")}
    inner = {"type": "object", "properties": {**words, "what": {"type": "string"}}, "required": list(words)}
    return {"type": "object", "properties": {"error": inner}, "required": ["error"]}


def _openai_error() -> dict[str, Any]:
    words = {name: {"type": "string"} for name in ("message", "type", "code")}
    properties = {**words, "param": {"type": ["string", "null"]}}
    inner = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "object", "properties": {"error": inner}, "required": ["error"]}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}

"""Every route, called as its description allows and as it forbids: never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quillwork.interfaces.http.app import ROUTES
from quillwork.interfaces.http.openapi import describe
from quillwork.interfaces.http.routing import Route

DOCUMENT = describe(ROUTES)
KNOWN = {200, 400, 401, 403, 404, 408, 413, 429, 502, 503, 504}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
TOKEN = "a-token-of-the-fuzzer"
NASTY = st.sampled_from(
    [
        "",
        " ",
        "../x",
        "/etc/passwd",
        "http://127.0.0.1:1/",
        "<script>",
        "a\x00b",
        "\ud800",
        "💚" * 50,
        "a\nb",
        "%2e%2e",
        "nul",
        "data:image/png;base64,AAAA",
        "data:image/png;base64,",
        "NaN",
    ]
)
TEXTS = st.text(max_size=40) | NASTY
CALLS = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for what the schema allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if isinstance(schema["type"], list):
        return st.one_of(*(values({**schema, "type": kind}) for kind in schema["type"]))
    kind = schema["type"]
    if kind == "string":
        least, most = schema.get("minLength", 0), schema.get("maxLength", 1000)
        whole = st.text(st.characters(codec="utf-8"), min_size=least, max_size=min(most, 40))
        return whole | NASTY.filter(lambda text: least <= len(text) <= most and "\ud800" not in text)
    if kind == "integer":
        return st.integers(schema.get("minimum", -(2**70)), schema.get("maximum", 2**70))
    if kind == "number":
        return st.floats(schema.get("minimum", -1e9), schema.get("maximum", 1e9))
    if kind == "boolean":
        return st.booleans()
    if kind == "null":
        return st.none()
    if kind == "array":
        items = values(schema.get("items", {"type": "string"}))
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=min(schema.get("maxItems", 5), 5))
    return objects(schema)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    optional = {name: values(part) for name, part in properties.items() if name not in required}
    known = st.fixed_dictionaries({name: values(properties[name]) for name in required}, optional=optional)
    other = schema.get("additionalProperties")
    if not isinstance(other, dict):
        return known
    names = st.sampled_from(["LLM_MODEL", "LLM_MODE", "LLM_TIMEOUT_MS", "LLM_BASE_URL"]) | TEXTS
    return st.dictionaries(names, values(other), max_size=5)


def operation(route: Route) -> dict[str, Any]:
    return DOCUMENT["paths"][f"/quillwork/{route.path}"][route.method.lower()]


def described_body(route: Route) -> st.SearchStrategy[Any]:
    described = operation(route).get("requestBody")
    return objects(described["content"]["application/json"]["schema"]) if described else st.none()


def path_of(route: Route, name: str) -> str:
    return route.path.replace("{name}", name)


def check(reply: Any, route: Route) -> None:
    assert reply.status in KNOWN, (route.method, route.path, reply.content)
    if reply.status != 200:
        error = reply.content["error"]
        words = ("type", "message", "code" if route.access == "proxy" else "hint")
        assert all(isinstance(error[part], str) for part in words)
        assert error["message"]
        assert "Traceback" not in error["message"]


@pytest.fixture(params=["without a model", "with an endpoint"])
def call(call, env, wire, request):
    """Return a strategy for calls to every route, the OpenAI-compatible ones too."""
    env(LLM_ENABLE_OPENAI_PROXY="1", LLM_PROXY_TOKEN=TOKEN)
    if request.param == "with an endpoint":
        env(LLM_BASE_URL=f"{wire.url}/v1", LLM_MODEL="fox")

    def ask(*what: Any, headers: Any = None, **more: Any) -> Any:
        return call(*what, headers={"authorization": f"Bearer {TOKEN}", **(headers or {})}, **more)

    return ask


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@given(data=st.data())
@CALLS
def test_what_the_description_allows_is_understood(call, route, data):
    body = data.draw(described_body(route))
    query = {
        part["name"]: str(data.draw(values(part["schema"])))
        for part in operation(route)["parameters"]
        if part["in"] == "query" and data.draw(st.booleans())
    }
    name = data.draw(TEXTS) or "x"
    reply = call(route.method, path_of(route, name), body, query=query)
    check(reply, route)
    if reply.status == 400:
        # The content may be refused (a name, a model), the form may not.
        assert " must be a " not in reply.error["message"]
        assert "unknown field" not in reply.error["message"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@given(data=st.data())
@CALLS
def test_what_it_does_not_allow_is_refused_and_breaks_nothing(call, route, data):
    described = operation(route).get("requestBody")
    wrong = data.draw(ANYTHING)
    if described and isinstance(wrong, dict):
        body = data.draw(described_body(route))
        wrong = {**body, **wrong, **{name: data.draw(ANYTHING) for name in list(body)[:1]}}
    query = data.draw(st.dictionaries(st.sampled_from(["provider", "q", "all", "x"]), TEXTS, max_size=3))
    headers = data.draw(
        st.dictionaries(
            st.sampled_from(
                ["origin", "host", "content-type", "authorization", "x-quillwork", "x-quillwork-client"]
            ),
            st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
            max_size=2,
        )
    )
    check(call(route.method, path_of(route, data.draw(TEXTS)), wrong, query=query, headers=headers), route)


@given(raw=st.binary(max_size=200) | st.builds(lambda text: text.encode("utf-16"), st.text(max_size=20)))
@CALLS
def test_bytes_of_any_kind_are_told_apart_from_json(call, raw):
    for route in ROUTES:
        if route.access in ("change", "proxy"):
            reply = call(route.method, path_of(route, "x"), raw=raw)
            assert reply.status in KNOWN
            assert json.dumps(reply.content)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"]), path=TEXTS
)
@CALLS
def test_paths_of_any_kind_are_told(call, method, path):
    assert call(method, path, None).status in KNOWN

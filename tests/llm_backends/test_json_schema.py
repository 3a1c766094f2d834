"""Values checked against a JSON schema; the routes' own cases are in interfaces/http/test_schema.py."""

from __future__ import annotations

import pytest

from quillwork.llm_backends.json_schema import problem

NUMBER = {"type": "number", "minimum": 0}


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1.5, NUMBER),
        (10**400, NUMBER),
        (-3, {"type": "integer", "maximum": 3}),
        ("anything", {}),
        ([1, "a"], {"type": "array"}),
        ({"a": {"b": 1}}, {"type": "object", "properties": {"a": {"type": "object"}}}),
        ({"x": 1, "y": 2}, {"type": "object", "additionalProperties": {"type": "integer"}}),
    ],
)
def test_what_is_right_passes(value, schema):
    assert problem(value, schema, "It") == ""


@pytest.mark.parametrize(
    ("value", "schema", "says"),
    [
        (float("nan"), NUMBER, "It must be a finite number."),
        (float("inf"), NUMBER, "It must be a finite number."),
        (float("nan"), {}, "It must be a finite number."),
        (-1, NUMBER, "It must be at least 0."),
        (4, {"type": "integer", "maximum": 3}, "It must be at most 3."),
        (4, {"enum": [1, 2]}, "It must be one of 1, 2."),
        ([], {"type": "array", "minItems": 1}, "It has fewer than 1 items."),
        ([1, "a"], {"items": {"type": "integer"}}, "An item of It must be a whole number."),
        ({"a": {}}, {"properties": {"a": {"required": ["b"]}}}, "'a' is missing 'b'."),
        ({"x": "1"}, {"additionalProperties": {"type": "integer"}}, "'x' must be a whole number."),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(value, schema, says):
    assert problem(value, schema, "It") == says

"""Bodies match the description, or the answer says in one sentence what is wrong with them."""

from __future__ import annotations

import pytest

from quillwork.interfaces.http.messages import HttpError
from quillwork.interfaces.http.schema import body, checked, checked_query, flag, one_of, text, texts, whole

SCHEMA = body(
    ("name",),
    name={"type": "string", "minLength": 1, "maxLength": 5},
    count=whole(1, 9, 3),
    kind=one_of("a", "b", default="a"),
    on=flag(),
    values=texts(2, 3, default=[]),
    more={"type": ["string", "null"]},
)


def test_what_is_missing_has_its_default():
    assert checked({"name": "x"}, SCHEMA) == {"name": "x", "count": 3, "kind": "a", "on": False, "values": []}


@pytest.mark.parametrize(
    "good", [{"count": 9}, {"kind": "b"}, {"on": True}, {"values": ["abc"]}, {"more": None}]
)
def test_what_is_right_passes(good):
    assert checked({"name": "x", **good}, SCHEMA)["name"] == "x"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ([], "must be an object"),
        (None, "must be an object"),
        ("x", "must be an object"),
        ({}, "is missing 'name'"),
        ({"name": ""}, "'name' is empty"),
        ({"name": "sixsix"}, "longer than 5"),
        ({"name": 3}, "'name' must be a text"),
        ({"name": None}, "'name' must be a text"),
        ({"name": "\ud800"}, "an incomplete character"),
        ({"name": "x", "count": 0}, "from 1 to 9"),
        ({"name": "x", "count": 10}, "from 1 to 9"),
        ({"name": "x", "count": True}, "whole number"),
        ({"name": "x", "count": 1.0}, "whole number"),
        ({"name": "x", "count": "1"}, "whole number"),
        ({"name": "x", "kind": "c"}, "one of a, b"),
        ({"name": "x", "on": 1}, "true or false"),
        ({"name": "x", "values": "abc"}, "must be a list"),
        ({"name": "x", "values": ["a", "b", "c"]}, "more than 2"),
        ({"name": "x", "values": ["abcd"]}, "longer than 3"),
        ({"name": "x", "values": [1]}, "must be a text"),
        ({"name": "x", "more": 3}, "a text or null"),
        ({"name": "x", "api_base": "http://evil"}, "unknown field 'api_base'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(bad, says):
    with pytest.raises(HttpError) as caught:
        checked(bad, SCHEMA)
    assert caught.value.status == 400
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_query_is_text_and_has_its_own_rules():
    schema = {"all": flag(), "q": text(5)}
    assert checked_query({"all": "1", "q": "fox", "rand": "7"}, schema) == {"all": True, "q": "fox"}
    assert checked_query({}, schema) == {"all": False, "q": ""}
    assert checked_query({"all": "no"}, schema)["all"] is False
    with pytest.raises(HttpError, match="longer than 5"):
        checked_query({"q": "foxfox"}, schema)

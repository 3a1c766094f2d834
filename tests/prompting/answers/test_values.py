"""Lists of values from whatever a model answers to a request for JSON."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.prompting.answers.values import read_values

MENDED = "was repaired"
BY_LINE = "line by line"


@pytest.mark.parametrize(
    "text",
    [
        '{"values": ["red", "green", "blue"]}',
        '["red", "green", "blue"]',
        '{"values": ["red", "green", "blue"], "note": "x"}',
        '{"colours": ["red", "green", "blue"]}',
        '{"values": [{"value": "red"}, {"value": "green"}, {"value": "blue"}]}',
        '{"1": "red", "2": "green", "3": "blue"}',
        'Here you go: {"values": ["red", "green", "blue"]} Enjoy!',
        '{values: ["red", "green", "blue"]}',
        'The list: ["red", "green", "blue"].',
        '{"values": ["1. red", "- green", "• blue"]}',
        '{"values": ["\\"red\\"", "  green ", "“blue”"]}',
        '{"values": ["red", "", "  ", null, true, [], "green", "---", "blue"]}',
    ],
)
def test_json_as_asked_or_with_talk_around_it(text):
    assert read_values(text) == (["red", "green", "blue"], "")


@pytest.mark.skipif(importlib.util.find_spec("json_repair") is None, reason="needs json-repair")
@pytest.mark.parametrize(
    "text",
    [
        '{"values": ["red", "green", "blue"',
        '{"values": ["red", "green", "blue",]}',
        "{'values': ['red', 'green', 'blue']}",
        '["red", "green", "blue"',
        '{"values": ["red" "green" "blue"]}',
        'Sure: {"values": ["red", "green", "blue"',
    ],
)
def test_broken_json_is_mended_and_told(text):
    values, warning = read_values(text)
    assert values == ["red", "green", "blue"]
    assert MENDED in warning


@pytest.mark.parametrize(
    "text",
    [
        "red\ngreen\nblue",
        "1. red\n2. green\n3. blue",
        "- red\n* green\n• blue",
        "Here are the values:\n\n1) red\n2) green\n3) blue",
        '"red",\n"green",\n"blue"',
        "red, green, blue",
        "(1) red\n(2) green\n(3) blue",
    ],
)
def test_lines_are_read_and_told(text):
    values, warning = read_values(text)
    assert values == ["red", "green", "blue"]
    assert BY_LINE in warning


def test_without_json_repair_lines_are_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "json_repair", None)
    values, warning = read_values('{"values": [\n"red",\n"green",\n"blue"')
    assert values == ["red", "green", "blue"]
    assert BY_LINE in warning


@pytest.mark.parametrize(
    "value",
    [
        "16:9 widescreen",
        "3.5 inch floppy",
        "1.85:1 frame",
        "12:30 in the afternoon",
        "35mm film",
        "1920s Paris",
        "50 red foxes",
        "'90s neon",
        '"Open" sign',
        'a sign "OPEN"',
        '"Open" and "Closed"',
        "the fox's den",
        "rock 'n' roll",
        "(soft) light",
        "black & white",
        "a fox, an owl",
        "-5 degrees, frost",
        "$5 coffee",
    ],
)
def test_values_stay_to_the_letter(value):
    assert read_values(json.dumps({"values": [value]})) == ([value], "")


@pytest.mark.parametrize(
    ("value", "tidy"),
    [
        ("red\n fox", "red fox"),
        ("red,", "red"),
        ("a fox <lora:x:1>", "a fox"),
        ("embedding:bad fox", "fox"),
        (7, "7"),
        (1.5, "1.5"),
        ({"name": "fox", "text": "a red fox in snow"}, "a red fox in snow"),
    ],
)
def test_values_are_tidied(value, tidy):
    assert read_values(json.dumps([value])) == ([tidy], "")


def test_long_values_stay_and_endless_ones_go():
    long = " ".join(["word"] * 120)
    assert read_values(json.dumps([long, "w" * 10_000, "fox"])) == ([long, "fox"], "")


def test_an_empty_list_is_one():
    assert read_values('{"values": []}') == ([], "")


def test_deep_nesting_does_no_harm():
    values, _ = read_values("[" * 50_000)
    assert values == []
    values, _ = read_values('{"values": ' + "[" * 2_000 + "]" * 2_000 + "}")
    assert values == []


@given(
    st.lists(
        st.text(
            alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1
        )
    )
)
def test_proper_json_needs_no_warning(values):
    read, warning = read_values(json.dumps({"values": values}))
    assert warning == ""
    assert len(read) <= len(values)


@given(st.text(max_size=120))
def test_any_text_gives_a_list(text):
    values, _ = read_values(text)
    assert all(isinstance(value, str) and value.strip() for value in values)

"""Values that are handed to a template: which variable each list is for."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from quillwork.prompting.templates.named_values import NamedText, UnclearValues, name_values


def named(given: list[Any], *names: str, known: tuple[str, ...] = ()) -> dict[str, list[str]]:
    lists, warnings = name_values(given, names, known.__contains__)
    assert warnings == []
    return lists


def text(value: str, variable: str = "fabric") -> NamedText:
    return NamedText(value, variable, [value])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_named_text_is_a_text_and_keeps_its_name_in_a_copy(copied):
    one = copied(NamedText("wool\nsilk", "fabric", ["wool", "silk"]))
    assert one == "wool\nsilk" and isinstance(one, str)
    assert (one.variable, one.values) == ("fabric", ("wool", "silk"))


def test_lists_of_one_name_are_joined_and_no_value_comes_twice():
    given = [[text("wool"), text("silk")], [NamedText("", "fabric", ["silk", "jute"])], [text("red", "hue")]]
    assert named(given, "hue", "fabric") == {"fabric": ["wool", "silk", "jute"], "hue": ["red"]}


@pytest.mark.parametrize("name", ["Winter coat", "__winter_coat__", " winter-coat "])
def test_a_name_is_found_however_it_is_written(name):
    assert named([[text("parka", name)]], "winter_coat") == {"winter_coat": ["parka"]}


def test_a_pattern_asks_for_every_name_that_it_matches():
    assert named([[text("bob", "hair/style")]], "hair/*") == {"hair/style": ["bob"]}


@pytest.mark.parametrize(
    "given",
    [
        ["wool", "silk"],
        ["wool\nsilk\n"],
        ['["wool", "silk"]'],
        [["wool", "silk"]],
        ("wool", " silk\n"),
        [{"fabric": ["wool", "silk"]}],
        ['{"fabric": ["wool", "silk"]}'],
        [{"fabric": "wool\nsilk"}],
    ],
)
def test_every_form_of_a_list(given):
    assert named([given], "fabric") == {"fabric": ["wool", "silk"]}


def test_of_several_texts_each_is_one_value_whatever_it_holds():
    given = [["a coat,\nlong", "[soft:0.5] {a|b}"]]
    assert named(given, "a") == {"a": ["a coat, long", "[soft:0.5] {a|b}"]}


def test_a_list_without_a_name_is_for_what_lacks_values_else_for_the_only_variable():
    assert named([["wool"]], "season", "fabric", known=("season",)) == {"fabric": ["wool"]}
    assert named([["wool"]], "fabric", known=("fabric",)) == {"fabric": ["wool"]}
    assert named([["wool"], [text("red", "hue")]], "fabric", "hue") == {"hue": ["red"], "fabric": ["wool"]}
    for known in ((), ("a", "b")):
        with pytest.raises(UnclearValues, match=r"__a__, __b__.*JSON"):
            named([["wool"]], "a", "b", known=known)


def test_what_nothing_asks_for_is_told():
    lists, warnings = name_values([[text("wool")], ["red"]], [], lambda name: False)
    assert lists == {}
    assert ["__fabric__" in warnings[0], len(warnings)] == [True, 2]


def test_what_is_no_text_is_told_with_what_to_do():
    with pytest.raises(UnclearValues, match=r"not object\. Connect the values output of Generate Variables"):
        named([[object()]], "fabric")


def test_nothing_wired_is_nothing():
    assert named([None, [None], []], "fabric") == {}

"""Inventing values end to end, against the imitation server."""

from __future__ import annotations

import itertools
import json

import pytest
from endpoints import endpoint
from wire.answers import Answer

from quillwork.llm_backends import errors
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Capabilities
from quillwork.prompting.generate_values import Invented, add_distinct, invent
from quillwork.prompting.messages import VALUES_SCHEMA
from quillwork.prompting.tasks import VariablesTask
from quillwork.prompting.templates.library import Library
from quillwork.prompting.templates.missing import VALUES_EACH, supply_missing


def values(*listed: str) -> str:
    return json.dumps({"values": listed})


def run(task: VariablesTask, deployment) -> Invented:
    return runner.run(invent(task, Model(deployment)))


def test_as_many_as_asked(wire):
    wire.script("fox", values("red", "green", "blue"))
    invented = run(VariablesTask("colour", 3, seed=5), endpoint(wire.url))
    assert invented.values == ["red", "green", "blue"]
    assert (invented.info["warnings"], invented.is_substitute) == ([], False)
    assert invented.info["attempts"] == 1
    (call,) = wire.calls()
    assert call.json["seed"] == 5


def test_the_schema_is_on_the_wire(wire):
    wire.script("fox", values("red"))
    run(VariablesTask("colour", 1), endpoint(wire.url))
    wanted = wire.calls()[-1].json["response_format"]
    assert wanted["json_schema"]["schema"] == VALUES_SCHEMA
    assert wanted["json_schema"]["name"] == "values"
    run(VariablesTask("colour", 1), endpoint(wire.url, capabilities=Capabilities(schema=False)))
    assert "response_format" not in wire.calls()[-1].json


def test_more_values_may_take_more_tokens(wire):
    wire.script("fox", values("red"))
    for count in (1, 200):
        run(VariablesTask("colour", count), endpoint(wire.url))
    few, many = wire.calls()[0].json["max_tokens"], wire.calls()[1].json["max_tokens"]
    assert few < many <= 16_384


def test_never_more_than_asked(wire):
    wire.script("fox", values(*"abcdefgh"))
    assert run(VariablesTask("letter", 3), endpoint(wire.url)).values == ["a", "b", "c"]


def test_distinct_whatever_the_case_and_none_that_exists(wire):
    wire.script("fox", values("Red", "red", "RED ", "GREEN", "blue", "Straße", "STRASSE"))
    invented = run(VariablesTask("colour", 3, existing=("green",)), endpoint(wire.url))
    assert invented.values == ["Red", "blue", "Straße"]


def test_what_is_missing_is_asked_for_again(wire):
    wire.script("fox", [values("red", "green"), values("Red", "blue"), values("white")])
    invented = run(VariablesTask("colour", 4, existing=("black",), seed=7), endpoint(wire.url))
    assert invented.values == ["red", "green", "blue", "white"]
    assert invented.info["attempts"] == 3
    assert invented.info["prompt_tokens"] == 33
    assert [call.json["seed"] for call in wire.calls()] == [7, 8, 9]
    asked = [call.json["messages"][1]["content"] for call in wire.calls()]
    assert "exactly 4" in asked[0]
    assert "exactly 2" in asked[1]
    assert "exactly 1" in asked[2]
    assert "black\nred\ngreen" in asked[1]


def test_fewer_only_with_a_warning(wire):
    wire.script("fox", values("red", "green"))
    invented = run(VariablesTask("colour", 5), endpoint(wire.url))
    assert invented.values == ["red", "green"]
    assert "2 of 5 values" in invented.info["warnings"][0]
    assert len(wire.calls()) == 2, "asked on although nothing new came"


def test_it_does_not_ask_for_ever(wire):
    numbers = iter(range(10_000))
    wire.script("fox", lambda body: values(f"value {next(numbers)}"))
    invented = run(VariablesTask("colour", 50), endpoint(wire.url))
    assert 2 <= len(wire.calls()) <= 10
    assert len(invented.values) == len(wire.calls())
    assert f"{len(invented.values)} of 50 values" in "".join(invented.info["warnings"])


def test_a_loop_keeps_what_came_before_it(wire):
    begun = itertools.chain(['{"values": ["spring", "summer", '], itertools.repeat('"red", '))
    wire.script("fox-gap1", [Answer(pieces=begun), values("autumn", "winter")])
    invented = run(VariablesTask("season", 5), endpoint(wire.url, "fox-gap1"))
    assert invented.values == ["spring", "summer", "red", "autumn", "winter"]
    _, second = wire.calls()
    assert "Count: exactly 2" in second.json["messages"][-1]["content"]
    assert "spring\nsummer\nred" in second.json["messages"][-1]["content"]
    wire.wait_disconnects()


def test_a_small_model_gets_another_chance(wire):
    wire.script("fox-1b", ["1. red", "1. red", "1. blue"])
    assert run(VariablesTask("colour", 2), endpoint(wire.url, "fox-1b")).values == ["red", "blue"]


@pytest.mark.parametrize(
    ("name", "language", "shown"),
    [
        ("season", "English", "linen"),
        ("Farbe", "German", "Leinen"),
        ("beruf", "German", "Leinen"),
        ("季节", "Chinese", "亚麻"),
        ("couleur", "French", "velours"),
        ("estación", "Spanish", "terciopelo"),
        ("髪の色", "Japanese", "リネン"),
        ("цвет", "Russian", "бархат"),
    ],
)
def test_a_small_model_is_asked_for_lines_in_the_language_of_the_name(wire, name, language, shown):
    wire.script("fox-1b", "1. one\n2. two\n3. two\n4. three\n5. four")
    invented = run(VariablesTask(name, 4), endpoint(wire.url, "fox-1b"))
    assert (invented.values, invented.info["warnings"]) == (["one", "two", "three", "four"], [])
    (call,) = wire.calls()
    assert "response_format" not in call.json
    _, _, example, *_, asked = call.json["messages"]
    assert example["content"].startswith("1. ") and shown in example["content"]
    assert asked["content"].startswith(f"4 different values for “{name}”, in {language}:")


def test_a_small_model_is_asked_for_few_at_once(wire):
    wire.script(
        "fox-1b",
        [
            "\n".join(f"{number}. fox {number}" for number in range(1, 21)),
            "\n".join(f"{number}. owl {number}" for number in range(1, 21)),
            "1. hare\n2. deer",
        ],
    )
    invented = run(VariablesTask("animal", 42), endpoint(wire.url, "fox-1b"))
    assert len(invented.values) == len(set(invented.values)) == 42
    asked = [call.json["messages"][-1]["content"] for call in wire.calls()]
    assert [text.split()[0] for text in asked] == ["20", "20", "12"]
    assert "Not these: fox 1, fox 2" in asked[1]


def test_mended_and_line_by_line_answers_are_told(wire):
    wire.script("fox", "1. red\n2. green\n3. blue")
    invented = run(VariablesTask("colour", 3), endpoint(wire.url))
    assert invented.values == ["red", "green", "blue"]
    assert "not JSON" in invented.info["warnings"][0]


def test_an_answer_that_was_cut_loses_its_last_half_value(wire):
    cut = Answer(pieces=['{"values": ["red", "green", "bl'], finish="length")
    wire.script("fox", [cut, values("blue")])
    invented = run(VariablesTask("colour", 3), endpoint(wire.url))
    assert invented.values == ["red", "green", "blue"]
    assert any("max_tokens" in warning for warning in invented.info["warnings"])


def test_thinking_fences_and_talk(wire):
    wire.script("fox", '<think>["no"]</think>Sure! Here are the values:\n\n```json\n{"values": ["red"]}\n```')
    assert run(VariablesTask("colour", 1), endpoint(wire.url)).values == ["red"]


def test_no_lora_comes_in(wire):
    wire.script("fox", values("red <lora:x:1>", "embedding:bad blue"))
    assert run(VariablesTask("colour", 2), endpoint(wire.url)).values == ["red", "blue"]


def test_values_that_look_like_a_refusal_are_values(wire):
    wire.script("fox", values("I can't help it", "I'm sorry I can't stay"))
    assert len(run(VariablesTask("song_title", 2), endpoint(wire.url)).values) == 2


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("fox-refusal", errors.Refused),
        ("fox-empty", errors.EmptyAnswer),
        ("fox-status401", errors.AuthenticationFailed),
        ("fox-cut", errors.StreamBroken),
    ],
)
def test_not_a_single_value_is_an_error(wire, model, kind):
    with pytest.raises(kind):
        run(VariablesTask("colour", 3), endpoint(wire.url, model))


@pytest.mark.parametrize("said", [values(), values("", "  "), '{"values": null}', "[]"])
def test_an_empty_list_is_an_error(wire, said):
    wire.script("fox", said)
    with pytest.raises(errors.EmptyAnswer, match=r"Fox \(fox\)"):
        run(VariablesTask("hair_colour", 3), endpoint(wire.url))


def test_a_failure_later_on_keeps_what_is_there_and_is_told(wire):
    wire.script("fox", [values("red"), "I'm sorry, but I can't help with that."])
    invented = run(VariablesTask("colour", 3), endpoint(wire.url))
    assert invented.values == ["red"]
    assert any("declined" in warning for warning in invented.info["warnings"])
    wire.script("owl", [values("red"), Answer()])
    invented = run(VariablesTask("colour", 3), endpoint(wire.url, "owl"))
    assert invented.values == ["red"]
    assert any("returned an empty answer" in warning for warning in invented.info["warnings"])
    assert any("1 of 3" in warning for warning in invented.info["warnings"])


def test_a_fallbacks_values_are_substitutes(wire):
    wire.script("owl", values("red"))
    deployment = endpoint(wire.url, "fox-status503", fallbacks=(endpoint(wire.url, "owl"),))
    assert run(VariablesTask("colour", 1), deployment).is_substitute


@pytest.mark.parametrize(
    ("name", "count", "says"),
    [("", 3, "no name"), ("__", 3, "no name"), ("colour", 0, "count is 0"), ("colour", 201, "count is 201")],
)
def test_what_cannot_be_meant(wire, name, count, says):
    with pytest.raises(errors.NotConfigured, match=says):
        run(VariablesTask(name, count), endpoint(wire.url))
    assert not wire.log


def test_add_distinct():
    listed = ["a"]
    assert add_distinct(listed, ["A", "b", "c", "B", "d"], ["c"], 3) == 2
    assert listed == ["a", "b", "d"]
    assert add_distinct(listed, ["e"], [], 3) == 0


def test_a_value_put_together_of_others_is_not_new():
    listed = ["winter", "late spring"]
    fresh = ["winterwinter", "Winter-winter", "couscous", "late spring, winter", "winter, fog", "couscous"]
    assert add_distinct(listed, fresh, [], 9) == 2
    assert listed == ["winter", "late spring", "couscous", "winter, fog"]


# -- variables that a template lacks


def test_missing_variables_are_invented_kept_and_reported(wire, tmp_path):
    wire.script("fox", lambda body: values(*(f"{{value}} {number}" for number in range(30))))
    library = Library(tmp_path)
    template = "a __colour__ fox in __sub/place__"
    supplied = runner.run(
        supply_missing(["colour", "sub/place"], template, library, Model(endpoint(wire.url)), 3)
    )
    assert {name: len(listed) for name, listed in supplied.values.items()} == {
        "colour": VALUES_EACH,
        "sub/place": VALUES_EACH,
    }
    assert len(supplied.reports) == 2
    assert not supplied.is_substitute
    files = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file())
    assert [file.rpartition(".")[0] for file in files] == ["colour", "sub/place"]
    assert all(template in call.json["messages"][1]["content"] for call in wire.calls())


def test_a_missing_variable_that_cannot_be_had_is_an_error(wire, tmp_path):
    with pytest.raises(errors.ProviderFailed):
        runner.run(
            supply_missing(["colour"], "t", Library(tmp_path), Model(endpoint(wire.url, "f-status500")), 0)
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "noise",
    [
        "4.04,020",
        "1.",
        "2 2 2 2",
        "xkcdf",
        "red red red",
        "different values for “colour”",
        "colour",
        "<value>",
    ],
)
def test_noise_is_no_value_of_a_tiny_model(wire, noise):
    wire.script("fox-135m", [f"1. red\n2. {noise}\n3. blue", "1. green"])
    invented = run(VariablesTask("colour", 3), endpoint(wire.url, "fox-135m"))
    assert invented.values == ["red", "blue", "green"]
    assert "repetitions: 1." in "".join(invented.info["warnings"])


def test_a_tiny_model_that_writes_nothing_but_noise_is_an_error(wire):
    wire.script("fox-135m", ["1. 4.04,020\n2. 5.04,020"] * 8)
    with pytest.raises(errors.EmptyAnswer):
        run(VariablesTask("colour", 3), endpoint(wire.url, "fox-135m"))


def test_values_of_a_tiny_model_are_to_be_checked(wire):
    wire.script("fox-135m", "1. 红色\n2. red\n3. 蓝色\n4. 绿色")
    invented = run(VariablesTask("颜色", 3), endpoint(wire.url, "fox-135m"))
    assert invented.values == ["红色", "蓝色", "绿色"]
    assert "too small a model to keep a list to its topic" in "".join(invented.info["warnings"])
    wire.script("fox-135m", "1. 1998\n2. 2004")
    assert run(VariablesTask("year", 2), endpoint(wire.url, "fox-135m")).values == ["1998", "2004"]


def test_two_values_in_one_are_taken_apart_where_the_list_knows_them(wire):
    wire.script("fox-1.5b", "1. early spring, summer\n2. autumn\n3. monsoon, a rainy time")
    invented = run(VariablesTask("season", 4), endpoint(wire.url, "fox-1.5b"))
    assert invented.values == ["early spring", "summer", "autumn", "monsoon, a rainy time"]
    wire.script("fox-1.5b", "1. Paris, France\n2. Rome")
    assert run(VariablesTask("city", 2), endpoint(wire.url, "fox-1.5b")).values == ["Paris, France", "Rome"]

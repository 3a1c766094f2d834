"""Values that one node invents and another fills a template with, in one graph."""

from __future__ import annotations

import json
from typing import Any

import pytest
from host.graphs import node
from host.process import Host
from nodes.graphs import preview, resolve, variables, wrote
from wire.server import WireServer

INVENTED = ["wool", "silk {a|b}"]


def invent(wire: WireServer, values: list[str] = INVENTED) -> None:
    wire.script("painter", lambda request: json.dumps({"values": values}))


def painted(name: str = "fabric", count: int = 2, **inputs: Any) -> dict[str, Any]:
    return variables(name, llm_model="painter", count=count, **inputs)


def filled(template: str = "a coat of __fabric__", count: int = 2, **wires: Any) -> dict[str, Any]:
    """Wire Resolve Variables with `values0`, `values1` and so on."""
    named = {f"values.{name}": wire for name, wire in wires.items()}
    return resolve(template, selection="cycle", count=count, seed=0, **named)


@pytest.mark.parametrize("save", ["no", "add"])
@pytest.mark.parametrize("output", [0, 1, 2], ids=["values", "text", "json"])
def test_the_values_just_invented_are_used(
    endpoint_host: Host, wire: WireServer, save: str, output: int
) -> None:
    invent(wire)
    run = endpoint_host.run(
        {"2": filled(values0=["1", output]), "1": painted(save=save), "3": preview("2"), "4": preview("2", 1)}
    )
    assert run.status == "success", run.message
    assert run.shown("3") == ["a coat of wool", "a coat of silk {a|b}"]
    assert [json.loads(picks) for picks in run.shown("4")] == [{"fabric": value} for value in INVENTED]
    assert (endpoint_host.quillwork_home / "library" / "fabric.txt").exists() == (save == "add")


def test_they_win_over_a_file_and_other_names_come_from_the_library(
    endpoint_host: Host, wire: WireServer
) -> None:
    library = endpoint_host.quillwork_home / "library"
    library.mkdir(parents=True)
    (library / "fabric.txt").write_text("jute\n")
    (library / "season.txt").write_text("autumn\n")
    invent(wire, ["wool", "silk"])
    run = endpoint_host.run(
        {
            "1": painted(),
            "2": filled("__fabric__ in __season__", values0=["1", 0]),
            "3": preview("2"),
        }
    )
    assert run.shown("3") == ["wool in autumn", "silk in autumn"]


def test_any_number_of_lists(endpoint_host: Host, wire: WireServer) -> None:
    answers = {"fabric": ["wool", "silk"], "main hue": ["red", "blue"], "style": ["a fox"]}

    def answer(asked: dict[str, Any]) -> str:
        said = asked["messages"][-1]["content"].casefold()
        return json.dumps({"values": next(values for name, values in answers.items() if name in said)})

    wire.script("painter", answer)
    run = endpoint_host.run(
        {
            "1": painted(),
            "2": painted("Main hue"),
            "3": painted("hair/style", 1),
            "4": filled(
                "__main_hue__ __fabric__ __hair/*__", values0=["1", 0], values1=["2", 2], values2=["3", 1]
            ),
            "5": preview("4", 1),
        }
    )
    assert run.status == "success", run.message
    picks = [json.loads(one) for one in run.shown("5")]
    assert {one["fabric"] for one in picks} | {one["main_hue"] for one in picks} == {
        "wool",
        "silk",
        "red",
        "blue",
    }
    assert {one["hair/*"] for one in picks} == {"a fox"}


def test_a_program_may_wire_the_input_itself(host: Host) -> None:
    run = host.run(
        {"1": variables("fabric", count=2), "2": {**filled()}, "3": preview("2")}
        | {"2": resolve("__fabric__", count=2, selection="cycle", seed=0, values=["1", 0])}
    )
    assert run.status == "success", run.message
    assert sorted(run.shown("3")) == sorted(run.shown("1", "quillwork")[0]["values"])


def test_frozen_values_have_their_name_too(host: Host) -> None:
    frozen = variables("fabric", freeze=True, frozen='{"values": ["tweed"]}')
    run = host.run(
        {"1": frozen, "2": filled("__fabric__ and __fabric__", 1, values0=["1", 0]), "3": preview("2")}
    )
    assert run.shown("3") == ["tweed and tweed"]


def test_a_plain_list_is_for_the_only_variable_it_can_be_for(host: Host) -> None:
    library = host.quillwork_home / "library"
    library.mkdir(parents=True)
    (library / "season.txt").write_text("autumn\n")
    lines = node("TestpackLines", text="wool\nsilk")
    run = host.run({"1": lines, "2": filled("__fabric__ in __season__", values0=["1", 0]), "3": preview("2")})
    assert run.shown("3") == ["wool in autumn", "silk in autumn"]
    run = host.run({"1": lines, "2": filled("__a__ __b__", values0=["1", 0])})
    assert run.status == "error"
    assert "has no name" in run.message and "__a__, __b__" in run.message and "JSON" in run.message


def test_json_names_its_lists(host: Host) -> None:
    text = '{"fabric": ["wool", "silk"], "hue": ["red"]}'
    run = host.run(
        {
            "1": node("PrimitiveString", value=text),
            "2": filled("__hue__ __fabric__", values0=["1", 0]),
            "3": preview("2"),
        }
    )
    assert run.status == "success", run.message
    assert run.shown("3") == ["red wool", "red silk"]


def test_values_that_nothing_wants_are_told(host: Host) -> None:
    run = host.run({"1": variables("fabric"), "2": filled("a {red|blue} coat", 1, values0=["1", 0])})
    assert run.status == "success", run.message
    assert "__fabric__ were not used" in wrote(run, "2")["info"]["warnings"][0]


def test_missing_values_are_asked_for_only_where_none_are_wired(
    endpoint_host: Host, wire: WireServer
) -> None:
    answers = iter(['{"values": ["wool"]}', json.dumps({"values": [f"place {n}" for n in range(20)]})])
    wire.script("painter", lambda request: next(answers))
    graph = {
        "1": painted(count=1),
        "2": filled("__fabric__ at __place__", 1, values0=["1", 0]),
        "3": preview("2"),
    }
    graph["2"]["inputs"] |= {"generate_missing": True, "llm_model": "painter"}
    run = endpoint_host.run(graph)
    assert run.shown("3")[0] == "wool at place 0"
    assert [file.name for file in (endpoint_host.quillwork_home / "library").iterdir()] == ["place.txt"]


def test_saving_them_does_not_run_the_template_again(endpoint_host: Host, wire: WireServer) -> None:
    """A new file does not matter to a node that has been handed the values."""
    invent(wire)
    graph = {"1": painted(save="add"), "2": filled(values0=["1", 0]), "3": preview("2")}
    endpoint_host.run(graph)
    again = endpoint_host.run(graph)
    assert again.status == "success"
    assert {"1", "2", "3"} <= set(again.cached)
    assert len(wire.log) == 1

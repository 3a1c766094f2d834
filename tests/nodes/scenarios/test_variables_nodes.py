"""Generate Variables and Resolve Variables on a host."""

from __future__ import annotations

import json

from host.graphs import node
from host.process import Host
from nodes.graphs import info, preview, resolve, variables, wrote
from wire.server import WireServer


def test_curated_values_without_a_model(host: Host) -> None:
    run = host.run({"1": variables(count=4), "2": preview("1"), "3": preview("1", 1), "4": preview("1", 2)})
    assert run.status == "success", run.message
    values = run.shown("2")
    assert len(set(values)) == 4
    assert run.shown("3") == ["\n".join(values)]
    assert json.loads(run.shown("4")[0]) == values


def test_a_wish_that_the_phrasebook_has_nothing_for_is_told(host: Host) -> None:
    guidance = "only historical ones"
    run = host.run({"1": variables("fabric", guidance=guidance), "2": preview("1"), "3": preview("1", 3)})
    assert len(run.shown("2")) == 3
    (warning,) = info(run, "3")["warnings"]
    assert f"has no match for “{guidance}”" in warning


def test_the_model_is_asked_with_a_schema_and_again_for_what_is_missing(
    endpoint_host: Host, wire: WireServer
) -> None:
    answers = iter(['{"values": ["red", "Red", "green"]}', '{"values": ["green", "blue"]}'])
    wire.script("painter", lambda request: next(answers))
    run = endpoint_host.run(
        {"1": variables("hue", llm_model="painter", count=3), "2": preview("1"), "3": preview("1", 3)}
    )
    assert run.shown("2") == ["red", "green", "blue"]
    first, second = wire.log
    assert first.json["response_format"]["type"] == "json_schema"
    assert "green" in second.json["messages"][-1]["content"]
    assert info(run, "3")["attempts"] == 2


def test_values_that_exist_never_come_again(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("painter", '{"values": ["red", "green", "blue", "black"]}')
    graph = {
        "9": node("TestpackLines", text="RED\nblack"),
        "1": variables("hue", llm_model="painter", count=3, existing=["9", 0]),
        "2": preview("1"),
        "3": preview("1", 3),
    }
    run = endpoint_host.run(graph)
    assert run.shown("2") == ["green", "blue"]
    assert "2 of 3" in " ".join(info(run, "3")["warnings"])


def test_saving_adds_to_the_file_and_keeps_what_is_there(endpoint_host: Host, wire: WireServer) -> None:
    library = endpoint_host.quillwork_home / "library"
    library.mkdir(parents=True)
    (library / "hue.txt").write_text("# colours\nred\n")
    wire.script("painter", '{"values": ["red", "sea {green|blue}", "gold"]}')
    run = endpoint_host.run(
        {"1": variables("hue", llm_model="painter", count=2, save="add"), "2": preview("1")}
    )
    assert run.shown("2") == ["sea {green|blue}", "gold"]
    text = (library / "hue.txt").read_text()
    assert text.startswith("# colours\nred\n")
    # A model's text is plain words, also when a template reads it later.
    run = endpoint_host.run({"1": resolve("__hue__", selection="cycle", count=3, seed=0), "2": preview("1")})
    assert run.shown("2") == ["red", "sea {green|blue}", "gold"]


def test_a_name_that_leads_out_of_the_library_is_refused(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("painter", '{"values": ["a", "b", "c"]}')
    run = endpoint_host.run(
        {"1": variables("../../x", llm_model="painter", save="add"), "2": preview("1", 3)}
    )
    assert run.status in ("error", "success")
    assert not list(endpoint_host.base_directory.rglob("x.txt"))
    if run.status == "success":
        assert "not saved" in run.shown("2")[0]


def test_frozen_values_call_nothing(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run(
        {
            "1": variables(freeze=True, frozen='{"values": ["a", "b"]}'),
            "2": preview("1"),
            "3": preview("1", 1),
        }
    )
    assert run.shown("2") == ["a", "b"]
    assert run.shown("3") == ["a\nb"]
    assert wire.log == []


def test_a_template_becomes_prompts_with_their_picks(host: Host) -> None:
    library = host.quillwork_home / "library"
    library.mkdir(parents=True)
    (library / "season.txt").write_text("spring\nautumn\n")
    graph = {
        "1": resolve("a cottage in __season__, {dawn|dusk}", selection="combinations", count=4, seed=0),
        "2": preview("1"),
        "3": preview("1", 1),
    }
    run = host.run(graph)
    assert run.status == "success", run.message
    assert run.shown("2") == [
        "a cottage in spring, dawn",
        "a cottage in spring, dusk",
        "a cottage in autumn, dawn",
        "a cottage in autumn, dusk",
    ]
    assert json.loads(run.shown("3")[0])["season"] == "spring"


def test_what_a_template_lacks_is_told_or_invented(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("painter", json.dumps({"values": [f"place {number}" for number in range(20)]}))
    missing = endpoint_host.run({"1": resolve("a fox in __place__")})
    assert missing.status == "error"
    assert "__place__" in missing.message
    assert "generate_missing" in missing.message
    run = endpoint_host.run(
        {"1": resolve("a fox in __place__", generate_missing=True, llm_model="painter"), "2": preview("1")}
    )
    assert run.status == "success", run.message
    assert run.shown("2")[0].startswith("a fox in place ")
    assert (endpoint_host.quillwork_home / "library" / "place.txt").read_text().count("place ") >= 20
    again = endpoint_host.run({"1": resolve("an owl in __place__"), "2": preview("1")})
    assert again.shown("2")[0].startswith("an owl in place ")
    assert len(wire.log) == 1


def test_a_variable_that_leads_to_itself_stays_and_is_told_with_its_way(host: Host) -> None:
    library = host.quillwork_home / "library"
    library.mkdir(parents=True)
    (library / "a.txt").write_text("x __b__\n")
    (library / "b.txt").write_text("y __a__\n")
    run = host.run({"1": resolve("__a__ {red|red}")})
    assert run.status == "success"
    record = wrote(run)
    assert record["texts"] == ["__a__ red"]
    assert "__a__ → __b__ → __a__" in str(record)


def test_no_value_twice_where_that_is_wanted(host: Host) -> None:
    library = host.quillwork_home / "library"
    library.mkdir(parents=True)
    (library / "hue.txt").write_text("red\nblue\n")
    run = host.run({"1": resolve("__hue__ __hue__", count=20, no_repeats=True)})
    assert set(wrote(run)["texts"]) == {"red blue", "blue red"}
    run = host.run({"1": resolve("__hue__ __hue__", count=20)})
    assert len(set(wrote(run)["texts"])) == 4


def test_the_browser_gets_the_values(host: Host) -> None:
    run = host.run({"1": variables(count=2)})
    record = wrote(run)
    assert record["values"] == record["texts"]
    assert json.loads(record["frozen"]) == {"values": record["values"]}

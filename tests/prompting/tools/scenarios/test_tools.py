"""Our own tools, called as the loop calls them: with checked arguments, in a thread, answering JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from quillwork.llm_backends.errors import ConsentNeeded
from quillwork.llm_backends.host import NullHost
from quillwork.llm_backends.tools import registry
from quillwork.llm_backends.tools.arguments import BadArguments, check_arguments
from quillwork.llm_backends.tools.execution import Execution
from quillwork.prompting import targets, tools
from quillwork.prompting.templates.library import Library
from quillwork.prompting.templates.resolve import resolve
from quillwork.prompting.tools.image_size import _USUAL
from quillwork.prompting.tools.token_count import estimate_clip

NAMES = [
    "image.size",
    "prompt.token_count",
    "targets.describe",
    "targets.list",
    "variables.add",
    "variables.list",
    "variables.lookup",
]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "season.txt").write_text("# Times of the year\nwinter\n2::spring\n", "utf-8")
    (tmp_path / "hair").mkdir()
    (tmp_path / "hair" / "style.txt").write_text("bob\n", "utf-8")
    return Library(tmp_path)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, library) -> tools.Surroundings:
    def refuse() -> None:
        raise ConsentNeeded("Not yet.")

    monkeypatch.setattr(registry, "_tools", {})
    found = tools.Surroundings(lambda: library, lambda: None, refuse)
    tools.register(found)
    return found


def use(called: str, /, **arguments):
    """Return what the model reads: the tool's JSON, or the sentence of an error."""
    (tool,) = registry.chosen([called])
    check_arguments(arguments, tool)
    outcome = Execution(tool, arguments).outcome_in_place(NullHost())
    return outcome.text if outcome.is_error else json.loads(outcome.text)


def test_these_are_registered_once_and_again(surroundings):
    assert registry.names() == NAMES
    tools.register(surroundings)
    assert registry.names() == NAMES


def test_every_provider_takes_their_names_and_schemas():
    for tool in registry.chosen(NAMES):
        assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", tool.wire_name)
        assert set(tool.parameters) <= {"type", "properties", "required"}
        for part in tool.parameters["properties"].values():
            assert isinstance(part["type"], str), "Gemini takes one type and no list of them"


def test_only_adding_wants_a_yes():
    for tool in registry.chosen(NAMES):
        if tool.name == "variables.add":
            with pytest.raises(ConsentNeeded):
                tool.admit()
        else:
            assert tool.admit is None


# -- variables


def test_variables_are_listed_and_looked_up():
    assert use("variables.list") == {"names": ["hair/style", "season"], "count": 2}
    assert use("variables.list", contains="SEA") == {"names": ["season"], "count": 1}
    seasons = {
        "name": "season",
        "description": "Times of the year",
        "values": ["winter", "2::spring"],
        "count": 2,
    }
    assert use("variables.lookup", name="season") == use("variables.lookup", name="__season__") == seasons


def test_an_unknown_variable_is_told_with_a_close_one():
    assert "did you mean `season`?" in use("variables.lookup", name="seasons")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/*", "a\\b", "CON:"])
def test_no_name_leads_out_of_the_library(name, library):
    for answer in (
        use("variables.lookup", name=name),
        use("variables.add", name=name, values=["x"]),
    ):
        assert isinstance(answer, str)
        assert str(library.folder) not in answer


def test_values_are_added_once_and_as_plain_words(library):
    values = ["Winter", "autumn", "{a|b} __other__ <lora:x:1>"]
    answer = use("variables.add", name="season", values=values)
    assert len(answer["added"]) == 2
    assert library.values("season")[:3] == ("winter", "2::spring", "autumn")
    (written,) = resolve("__season__", Library(library.folder), selection="cycle", count=4, seed=0).prompts[
        3:
    ]
    assert "{a|b} __other__" in written, "what a model wrote is never expanded"


def test_a_new_variable_is_made(library):
    assert use("variables.add", name="weather/sky", values=["clear"])["added"] == ["clear"]
    assert library.values("weather/sky") == ("clear",)


def test_a_large_variable_is_shown_in_part(library):
    library.write("big", [f"value {n}" for n in range(1000)])
    answer = use("variables.lookup", name="big")
    assert (len(answer["values"]), answer["count"]) == (200, 1000)


@pytest.mark.parametrize("values", [[], ["x"] * 51, [""], ["x" * 1001], "x"])
def test_what_is_added_has_limits(values):
    with pytest.raises(BadArguments):
        use("variables.add", name="season", values=values)


# -- targets


def test_targets_are_listed_and_described():
    assert {"id": "sdxl", "name": "SDXL", "group": "Stable Diffusion"} in use("targets.list")
    assert [entry["id"] for entry in use("targets.list", words="z image turbo")] == ["z_image_turbo"]
    described = use("targets.describe", target="SDXL")
    assert (described["id"], described["form"], described["limit_tokens"]) == ("sdxl", "phrases", 75)
    assert described["rules"] == list(targets.load("sdxl").rules)


def test_an_unknown_or_broken_target_tells_nothing_of_this_machine(surroundings, tmp_path):
    (tmp_path / "mine.yaml").write_text("label: [", "utf-8")
    tools.register(tools.Surroundings(surroundings.open_library, lambda: tmp_path, lambda: None))
    for name in ("nothing like it", "mine"):
        for tool, more in (("targets.describe", {}), ("image.size", {"ratio": "1:1"})):
            answer = use(tool, target=name, **more)
            assert isinstance(answer, str)
            assert name in answer
            assert str(tmp_path) not in answer


# -- prompt.token_count


def test_a_count_says_that_it_is_an_estimate():
    assert use("prompt.token_count", text="a red fox in fresh snow") == {
        "tokens": 6,
        "is_estimate": True,
        "words": 6,
    }
    assert use("prompt.token_count", text="a red fox, " * 30, target="sdxl") == {
        "tokens": 120,
        "is_estimate": True,
        "words": 90,
        "limit": 75,
        "fits": False,
    }
    assert use("prompt.token_count", text="", target="z_image")["fits"] is True


def test_a_tokenizer_at_hand_counts(surroundings):
    counts = tools.Surroundings(surroundings.open_library, lambda: None, lambda: None, lambda text: 5)
    tools.register(counts)
    answer = use("prompt.token_count", text="a red fox", target="sdxl")
    assert (answer["tokens"], answer["is_estimate"]) == (5, False)
    # Qwen3's tokens are others.
    assert use("prompt.token_count", text="a red fox", target="z_image_turbo")["is_estimate"] is True


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("fox", 1), ("a fox, 1990", 7), ("incomprehensibilities", 3), ("狐狸", 4), ("((fox:1.2))", 1)],
)
def test_clip_is_estimated(text, tokens):
    assert estimate_clip(text) == tokens


# -- image.size


@pytest.mark.parametrize(
    ("ratio", "target", "size"),
    [
        ("1:1", "sdxl", (1024, 1024)),
        ("16:9", "sdxl", (1344, 768)),
        ("9 : 16", "sdxl", (768, 1344)),
        ("3/2", "sd15", (640, 448)),
        ("1.5", "flux1_dev", (1248, 832)),
        ("1:1", "qwen_image", (1328, 1328)),
        ("16:9", "wan_2_2_t2v", (1280, 720)),
        ("16x9", "", (1360, 768)),
        ("1:1", "hunyuan_image_2_1", (2048, 2048)),
    ],
)
def test_sizes_are_those_that_the_model_was_trained_at(ratio, target, size):
    answer = use("image.size", ratio=ratio, target=target)
    assert (answer["width"], answer["height"]) == size


def test_area_and_step_may_be_told():
    answer = use("image.size", ratio="1:1", megapixels=4, step=8)
    assert answer == {"width": 2048, "height": 2048, "megapixels": 4.0, "step": 8}
    assert use("image.size", ratio="8:1", megapixels=0.05, step=256)["height"] == 256


@pytest.mark.parametrize(
    "ratio", ["", "wide", "0:1", "1:0", "9:1", "1:9", "-1:2", "nan", "inf", "1e9:1", "1:2:3"]
)
def test_a_ratio_that_is_none_is_told(ratio):
    assert "is no ratio" in use("image.size", ratio=ratio)


def test_the_sizes_are_of_targets_that_there_are():
    ids = [entry.id for entry in targets.index()]
    assert [start for start, *_ in _USUAL if not any(id_.startswith(start) for id_ in ids)] == []

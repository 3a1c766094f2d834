"""The registry of tools: registration, refusals, and lookup."""

from __future__ import annotations

import re

import pytest

from quillwork.llm_backends.errors import NotConfigured
from quillwork.llm_backends.tools import registry
from quillwork.llm_backends.tools.registry import RegisteredTool

NOTHING = {"type": "object", "properties": {}}


@pytest.fixture(autouse=True)
def _empty(monkeypatch):
    monkeypatch.setattr(registry, "_tools", {})


def paint(colour: str = "red") -> str:
    return colour


def test_a_tool_is_found_by_its_name():
    registry.register("fox.paint", "Paints.", NOTHING, paint)
    registry.register("fox.count", "Counts.", NOTHING, paint)
    assert registry.names() == ["fox.count", "fox.paint"]
    (tool,) = registry.chosen(["fox.paint", "fox.paint"])
    assert tool == RegisteredTool("fox.paint", "Paints.", NOTHING, paint)


def test_providers_are_told_a_name_that_they_take():
    registry.register("fox.paint_all", "Paints.", NOTHING, paint)
    (tool,) = registry.chosen(["fox.paint_all"])
    offered = tool.offer()
    assert offered.name == "fox-paint_all"
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", offered.name)
    assert (offered.description, offered.parameters) == ("Paints.", NOTHING)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Fox",
        "fox paint",
        "fox-paint",
        "fox..paint",
        ".fox",
        "fox.",
        "1fox",
        "fox/paint",
        "f" * 65,
        "füchse",
    ],
)
def test_a_bad_name_is_refused(name):
    with pytest.raises(ValueError, match="not a valid tool name"):
        registry.register(name, "Paints.", NOTHING, paint)


async def waits() -> str:
    return ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"description": " "}, "needs a description"),
        ({"parameters": {"type": "string"}}, "not a JSON schema of an object"),
        ({"parameters": {"type": "object"}}, "not a JSON schema of an object"),
        ({"parameters": {**NOTHING, "default": float("nan")}}, "cannot be written as JSON"),
        ({"parameters": {**NOTHING, "default": paint}}, "cannot be written as JSON"),
        ({"call": "os.system"}, "plain function"),
        ({"call": waits}, "plain function"),
        ({"time_limit_s": 0}, "time limit"),
        ({"time_limit_s": float("nan")}, "time limit"),
    ],
)
def test_what_is_no_tool_is_refused(changes, says):
    fields = {"name": "fox.paint", "description": "Paints.", "parameters": NOTHING, "call": paint, **changes}
    with pytest.raises(ValueError, match=says):
        registry.register(**fields)
    assert registry.names() == []


def test_a_name_is_taken_over_only_on_purpose():
    registry.register("fox.paint", "Paints.", NOTHING, paint)
    with pytest.raises(ValueError, match="already registered"):
        registry.register("fox.paint", "Paints otherwise.", NOTHING, paint)
    registry.register("fox.paint", "Paints otherwise.", NOTHING, paint, replace=True)
    assert registry.chosen(["fox.paint"])[0].description == "Paints otherwise."


def test_an_unknown_name_is_told_with_those_that_there_are():
    with pytest.raises(NotConfigured, match="No tools are registered"):
        registry.chosen(["fox.paint"])
    registry.register("fox.paint", "Paints.", NOTHING, paint)
    with pytest.raises(NotConfigured) as caught:
        registry.chosen(["fox.paint", "os.system"])
    assert "'os.system'" in caught.value.message
    assert "fox.paint" in caught.value.hint


def test_no_tools_are_asked_for():
    assert registry.chosen([]) == ()

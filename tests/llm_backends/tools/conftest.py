"""Tools for the tests, and models that call them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from quillwork.llm_backends.tools.registry import RegisteredTool

PAINT = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "enum": ["red", "green", "blue"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["colour"],
}


@pytest.fixture
def tool() -> Callable[..., RegisteredTool]:
    """A maker of tools out of functions of `colour` and `count`."""

    def make(call: Callable[..., Any], name: str = "fox.paint", **more: Any) -> RegisteredTool:
        return RegisteredTool(name, "Paints foxes.", PAINT, call, **more)

    return make


@pytest.fixture
def hanging() -> Iterator[Callable[..., str]]:
    """A function that hangs until the test is over."""
    over = threading.Event()

    def hang(**_: Any) -> str:
        over.wait(60)
        return "too late"

    yield hang
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("quillwork-fox"):
            thread.join(60)

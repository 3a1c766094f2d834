"""Traits that the parts of the page share."""

from __future__ import annotations

import asyncio
import inspect
import sys
from types import ModuleType, SimpleNamespace

import pytest

from quillwork.interfaces.sdwebui.page_parts import streamed


async def steps():
    yield 1
    yield 2


@pytest.mark.parametrize("flag", ["no_gradio_queue", "disable_queue"])
def test_a_host_without_a_queue_gets_the_last_step_alone(monkeypatch, flag):
    """A1111 and SD.Next each have a switch for that."""
    package = ModuleType("modules")
    package.shared = SimpleNamespace(cmd_opts=SimpleNamespace(**{flag: True}))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", package)
    assert asyncio.run(streamed(steps)()) == 2
    package.shared.cmd_opts = SimpleNamespace()  # type: ignore[attr-defined]
    assert inspect.isasyncgenfunction(streamed(steps))

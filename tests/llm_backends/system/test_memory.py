"""The memory that is free, by a package or by the system."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from quillwork.llm_backends.system import memory


def test_psutil_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    told = SimpleNamespace(virtual_memory=lambda: SimpleNamespace(available=5))
    monkeypatch.setitem(sys.modules, "psutil", told)
    assert memory.free_memory() == 5


def test_without_it_the_kernel_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    table = tmp_path / "meminfo"
    table.write_text("MemTotal:       8 kB\nMemAvailable:       3 kB\n")
    monkeypatch.setattr(memory, "_LINUX", table)
    assert memory.free_memory() == 3072
    table.write_text("MemTotal:       8 kB\n")
    assert memory.free_memory() is None
    monkeypatch.setattr(memory, "_LINUX", tmp_path / "none")
    assert memory.free_memory() is None

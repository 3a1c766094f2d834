from __future__ import annotations

import os
from pathlib import Path

import pytest

from quillwork.llm_backends.system.cores import physical_cores


def topology(folder: Path, siblings: dict[int, str]) -> Path:
    for number, text in siblings.items():
        file = folder / f"cpu{number}" / "topology" / "thread_siblings_list"
        file.parent.mkdir(parents=True)
        file.write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize(
    ("usable", "siblings", "cores"),
    [
        ({0, 1, 2, 3}, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, 2),
        ({0, 1}, {0: "0", 1: "1"}, 2),
        # What a container may use counts, not what the machine has.
        ({0, 2}, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, 1),
        ({0, 1, 2, 3, 4, 5}, {}, 3),
        ({7}, {}, 1),
    ],
)
def test_threads_of_one_core_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usable: set[int], siblings: dict[int, str], cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: usable, raising=False)
    assert physical_cores(topology(tmp_path, siblings)) == cores


def test_a_system_that_does_not_tell_gets_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert physical_cores() == 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert physical_cores() == 1

"""GGUF files of a repository."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hub.server import HubServer

from quillwork.llm_backends import errors
from quillwork.llm_backends.host import NullHost
from quillwork.llm_backends.local.hub.access import HubAccess
from quillwork.llm_backends.local.hub.gguf_files import fetch_gguf
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment

NAME = "org/fox-GGUF"
RNG = random.Random(2)
FILES = {
    "README.md": b"foxes",
    "fox-Q4_K_M.gguf": RNG.randbytes(50_000),
    "Q8_0/fox-Q8_0.gguf": RNG.randbytes(60_000),
    "mmproj-fox.gguf": RNG.randbytes(10_000),
    "big-00001-of-00002.gguf": RNG.randbytes(40_000),
    "big-00002-of-00002.gguf": RNG.randbytes(30_000),
}


@pytest.fixture
def ask(hub: HubServer, tmp_path: Path) -> Any:
    def call(file: str = "", name: str = NAME, *, allowed: bool = True) -> Path:
        reach = HubAccess(endpoint=hub.url, cache=tmp_path / "cache", pause_s=0.01)
        params = {"models_folder": str(tmp_path / "models"), "may_download": allowed, "hub": reach}
        deployment = Deployment("gguf", name, params=params, idle_timeout_s=20)
        return fetch_gguf(deployment, name, file, LiveText().start(1)[0], NullHost())

    return call


@pytest.mark.parametrize(
    ("file", "arrived"),
    [
        ("fox-Q4_K_M.gguf", "fox-Q4_K_M.gguf"),
        ("Q8_0/fox-Q8_0.gguf", "Q8_0/fox-Q8_0.gguf"),
        ("fox-Q8_0.gguf", "Q8_0/fox-Q8_0.gguf"),
    ],
)
def test_one_file_and_nothing_else(hub, ask, tmp_path, file, arrived):
    hub.add(NAME, FILES)
    path = ask(file)
    folder = tmp_path / "models" / "LLM" / "org--fox-GGUF"
    assert path == folder / arrived
    assert path.read_bytes() == FILES[arrived]
    assert [one for one in folder.rglob("*") if one.is_file()] == [path]
    before = len(hub.log)
    assert ask(file, allowed=False) == path
    assert len(hub.log) == before, "what is there needs neither network nor consent"


def test_a_model_in_parts_comes_whole(hub, ask):
    hub.add(NAME, FILES)
    path = ask("big-00001-of-00002.gguf")
    assert path.name == "big-00001-of-00002.gguf"
    assert (path.parent / "big-00002-of-00002.gguf").read_bytes() == FILES["big-00002-of-00002.gguf"]
    (path.parent / "big-00002-of-00002.gguf").unlink()
    with pytest.raises(errors.ConsentNeeded, match=r"^big-00001-of-00002\.gguf of org/fox-GGUF is not"):
        ask("big-00001-of-00002.gguf", allowed=False)
    assert ask("big-00001-of-00002.gguf") == path


def test_the_only_one_need_not_be_named(hub, ask):
    hub.add(NAME, {name: FILES[name] for name in ("README.md", "fox-Q4_K_M.gguf", "mmproj-fox.gguf")})
    assert ask().name == "fox-Q4_K_M.gguf"


def test_several_are_named(hub, ask):
    hub.add(NAME, FILES)
    with pytest.raises(errors.ModelNotFound, match=r"org/fox-GGUF has 3 \.gguf files") as failure:
        ask()
    assert "fox-Q4_K_M.gguf" in failure.value.hint
    assert "mmproj" not in failure.value.hint
    with pytest.raises(errors.ModelNotFound, match=r"org/fox-GGUF has no file fox-Q2\.gguf"):
        ask("fox-Q2.gguf")


def test_a_repository_without_any(hub, ask):
    hub.add(NAME, {"model.safetensors": b"x"})
    with pytest.raises(errors.ModelNotFound, match=r"has no \.gguf files") as failure:
        ask()
    assert "-GGUF" in failure.value.hint


def test_the_hubs_own_cache_is_looked_into_first(hub, ask, tmp_path):
    there = tmp_path / "cache" / "models--org--fox-GGUF"
    (there / "snapshots" / "abc").mkdir(parents=True)
    (there / "refs").mkdir()
    (there / "refs" / "main").write_text("abc")
    (there / "snapshots" / "abc" / "fox-Q4_K_M.gguf").write_bytes(b"GGUF")
    assert ask("fox-Q4_K_M.gguf", allowed=False).read_bytes() == b"GGUF"
    assert hub.log == []

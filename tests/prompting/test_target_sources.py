from __future__ import annotations

import re
from dataclasses import replace

from prompting.target_sources import changed

from quillwork.prompting.targets import index, load

TARGETS = [load(entry.id) for entry in index()]


def test_what_changed_and_what_is_gone_is_listed() -> None:
    fibo, joy = load("fibo"), load("joyimage_edit")
    hashes = {fibo.source_file: fibo.source_hash, joy.source_file: "0" * 40}

    def hash_of(owner: str, name: str, path: str) -> str:
        return hashes.get(f"{owner}/{name}/{path}", "")

    gone = replace(fibo, id="gone", source_file="a/b/c.md")
    lines = changed([fibo, joy, gone, load("plain")], hash_of)
    assert [line.split(":")[0] for line in lines] == ["joyimage_edit", "gone"]
    assert "has changed" in lines[0]


def test_each_source_file_is_a_path_and_each_hash_a_hash() -> None:
    for target in TARGETS:
        assert not target.source_file or re.fullmatch(r"[\w.-]+/[\w.-]+/[\w./-]+", target.source_file)
        assert not target.source_hash or re.fullmatch(r"[0-9a-f]{40}", target.source_hash)
        assert not target.source_hash or target.source_file


def test_a_weak_source_says_so() -> None:
    for target in TARGETS:
        if target.id in ("chroma", "sd35", "netayume"):
            assert target.source.startswith("weak")

"""Bans on code for every script of the browser side. The host loads each of them by itself."""

from __future__ import annotations

import re

import pytest
from web.texts import WEB

SCRIPTS = sorted(WEB.rglob("*.js"))
NEVER = {
    "markup": r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\.srcdoc",
    "code from text": r"\beval\(|new Function|setTimeout\(\s*[\"']",
    "a store that outlives the tab": r"localStorage|indexedDB|document\.cookie",
    "a call around the host's own": r"\bfetch\(|XMLHttpRequest|new WebSocket|sendBeacon|EventSource",
    "a script from elsewhere": r"(?:import|from)\s*\(?\s*[\"']https?:",
}


@pytest.mark.parametrize("what", NEVER)
def test_never(what):
    found = [script.name for script in SCRIPTS if re.search(NEVER[what], script.read_text("utf-8"))]
    assert found == []


def test_only_the_entry_registers_anything():
    registering = [script.name for script in SCRIPTS if "registerExtension(" in script.read_text("utf-8")]
    assert registering == ["quillwork.js"]


def test_scripts_are_small():
    sizes = {script.name: script.read_text("utf-8").count("\n") for script in SCRIPTS}
    assert {name: size for name, size in sizes.items() if size > 320} == {}
    assert sum(script.stat().st_size for script in SCRIPTS) < 198_000

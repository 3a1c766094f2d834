"""Texts for users name the program that they use, and not our word for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from web.texts import said

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ("config", "interfaces", "llm_backends", "nodes", "prompting")
# "The host of api.example.com" is a machine, as networks have it.
JARGON = re.compile(
    r"\b(the|this|your) host\b(?! of)(?!'s own)|\bhost (starts|restarts|runs)\b", re.IGNORECASE
)


def shown(file: Path) -> Iterator[tuple[int, str]]:
    """The texts in a file that are no docstring, each with its line."""
    tree = ast.parse(file.read_text("utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.lineno, node.value


@pytest.mark.parametrize("folder", FOLDERS)
def test_python_says_restart_comfyui_and_not_restart_the_host(folder):
    found = [
        f"{file.relative_to(REPOSITORY)}:{line}: {text}"
        for file in sorted((REPOSITORY / folder).rglob("*.py"))
        for line, text in shown(file)
        if JARGON.search(text)
    ]
    assert found == []


def test_page_speaks_of_comfyui():
    assert {
        key: text for key, texts in said().items() for text in texts if re.search(r"\bhost\b", text)
    } == {}


def test_readme_does():
    text = (REPOSITORY / "README.md").read_text("utf-8")
    assert [line for line in text.splitlines() if re.search(r"(before|restart|until) the host", line)] == []

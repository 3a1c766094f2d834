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
# "The host of api.example.com" is a machine, as networks have it, and so is a host name.
JARGON = re.compile(
    r"\b(the|this|your) host\b(?! of| name)(?!'s own)|\bhost (starts|restarts|runs)\b", re.IGNORECASE
)
# A node is in ComfyUI alone.
NODE = re.compile(r"\b(the|this|your) nodes?\b", re.IGNORECASE)
# Each has a term in the field, which stands in brackets.
DIALECT = re.compile(
    r"\bwish(es)?\b"  # (instruction, guidance)
    r"|\bpictures?\b"  # (image)
    r"|\binvent(s|ed)?\b"  # (generate)
    r"|\bwired?\b"  # (connect)
    r"|\bmend(ed)?\b"  # (correct, repair)
    r"|\banew\b"  # (again)
    r"|\bguests?\b"  # (model)
    r"|\bstand[- ]ins?\b|\bstands? in for\b"  # (substitute)
    r"|\bkey ring\b"  # (keyring)
    r"|\btyping errors?\b"  # (typo)
    r"|\bover a restart\b|\bover restarts\b"  # (after a restart)
    r"|\bcannot be had\b|\bnobody knows\b"  # (fails, is not known)
    r"|\bbroke off\b"  # (stopped)
    r"|\bgiven up\b"  # (times out)
    r"|\bwins over\b"  # (overrides)
    r"|\bcommas between\b"  # (separated by commas)
    r"|\bmodels? that (can )?sees?\b|\bcannot see\b"  # (vision model, does not support images)
    r"|\bsuch as: "  # (e.g.)
    r"|\btold of\b|\bspoken\b|\bnowise\b|\ba stranger\b",
    re.IGNORECASE,
)
# What a model reads, what is recognised in a model's or a server's words, and labels of earlier builds.
FOR_MODELS = (
    "interfaces/sdwebui/host/saved_fields.py",
    "prompting/messages.py",
    "prompting/briefs/",
    "prompting/compact.py",
    "prompting/small_models/",
    "prompting/wording.py",
    "prompting/value_lists.py",
    "prompting/describe_messages.py",
    "prompting/history.py",
    "prompting/phrasebook/",
    "prompting/tools/",
    "prompting/answers/",
    "llm_backends/vision.py",
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


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder != "nodes"])
def test_texts_of_every_host_name_no_node_unless_they_say_in_comfyui(folder):
    found = [
        f"{file.relative_to(REPOSITORY)}:{line}: {text}"
        for file in sorted((REPOSITORY / folder).rglob("*.py"))
        for line, text in shown(file)
        if NODE.search(text) and "ComfyUI" not in text
    ]
    assert found == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_texts_use_the_terms_of_the_field(folder):
    found = [
        f"{file.relative_to(REPOSITORY)}:{line}: {text}"
        for file in sorted((REPOSITORY / folder).rglob("*.py"))
        if not file.relative_to(REPOSITORY).as_posix().startswith(FOR_MODELS)
        for line, text in shown(file)
        if " " in text and DIALECT.search(text)
    ]
    assert found == []


@pytest.mark.parametrize("name", ["main", "settings", "commands"])
def test_texts_of_the_page_do(name):
    text = (REPOSITORY / "locales" / "en" / f"{name}.json").read_text("utf-8")
    assert [line for line in text.splitlines() if DIALECT.search(line)] == []


def test_notes_and_help_pages_do():
    files = [
        *(REPOSITORY / "workflows").glob("*.json"),
        *(REPOSITORY / "subgraphs").glob("*.json"),
        *(REPOSITORY / "web" / "docs").glob("*.md"),
    ]
    assert [
        f"{file.name}: {found[0]}" for file in files if (found := DIALECT.search(file.read_text("utf-8")))
    ] == []


def test_pages_of_the_repository_do():
    """The pages in Markdown; what they show of code and of other programs may have other words."""
    files = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
    files += [REPOSITORY / "interfaces" / "sdwebui" / "README.md"]
    prose = {file.name: re.sub(r"(?ms)^```.*?^```|`[^`]*`", "", file.read_text("utf-8")) for file in files}
    assert {name: found[0] for name, text in prose.items() if (found := DIALECT.search(text))} == {}


def test_page_speaks_of_comfyui():
    assert {
        key: text for key, texts in said().items() for text in texts if re.search(r"\bhost\b", text)
    } == {}


def test_readme_does():
    text = (REPOSITORY / "README.md").read_text("utf-8")
    assert [line for line in text.splitlines() if re.search(r"(before|restart|until) the host", line)] == []

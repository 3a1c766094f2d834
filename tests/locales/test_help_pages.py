"""The help pages: every input and output of the node and no other, pictures that are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from locales.translations import LANGUAGES, our_nodes, read

DOCS = Path(__file__).resolve().parents[2] / "web" / "docs"
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
MOST_BYTES = 150_000
# Long lists of choices are not repeated in a page.
MOST_OPTIONS = 10
# Of the pack in tests/host/testpack.
ANOTHER_PACKS_MODE = "test_installed"
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
ITEM = re.compile(r"^- `(\w+)`([^:：]*)[:：] ?(.*)$")


def lists(text: str) -> list[list[str]]:
    """Return the items of each list."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("- "):
            inside = False
            continue
        if not inside:
            found.append([])
        inside = True
        found[-1].append(line)
    return found


def rows(items: list[str]) -> dict[str, tuple[str, str]]:
    """Return the texts of each named item: before the colon and after it."""
    found = {}
    for line in items:
        match = ITEM.match(line)
        assert match, line
        name, beside, meaning = match.groups()
        assert name not in found, f"{name} stands twice"
        found[name] = (beside.strip(), meaning.strip())
    return found


def node_of(page: str) -> str:
    return page.split("/")[0].removesuffix(".md")


def language_of(page: str) -> str | None:
    return Path(page).stem if "/" in page else None


@pytest.fixture
def definition(host, page) -> dict[str, Any]:
    return our_nodes(host)[node_of(page)]


def test_every_node_has_a_page(host):
    nodes = set(our_nodes(host))
    assert len(nodes) >= 5
    assert {page.removesuffix(".md") for page in PAGES if "/" not in page} == nodes
    assert {language_of(page) for page in PAGES} - {None} <= set(LANGUAGES)
    languages = {language for page in PAGES if (language := language_of(page))}
    for language in languages:
        assert {node_of(page) for page in PAGES if language_of(page) == language} == nodes


@pytest.mark.parametrize("page", PAGES)
def test_page_names_every_input_and_output(page, definition):
    inputs, outputs = lists((DOCS / page).read_text("utf-8"))[:2]
    known = {**definition["input"].get("required", {}), **definition["input"].get("optional", {})}
    assert list(rows(inputs)) == list(known)
    assert list(rows(outputs)) == definition["output_name"]
    for name, (_, meaning) in rows(inputs).items():
        kind, *more = known[name]
        options = kind if isinstance(kind, list) else more[0].get("options") if more else None
        if options and len(options) <= MOST_OPTIONS:
            missing = [one for one in options if f"`{one}`" not in meaning and one != ANOTHER_PACKS_MODE]
            assert missing == [], name


@pytest.mark.parametrize("page", PAGES)
def test_translated_page_says_what_the_node_shows(page):
    language = language_of(page)
    if language is None:
        return
    text = (DOCS / page).read_text("utf-8")
    shown = read(language, "nodeDefs")[node_of(page)]
    assert text.startswith(f"# {shown['display_name']}\n")
    inputs, outputs = lists(text)[:2]
    for name, (beside, _) in rows(inputs).items():
        # The meaning of a special value, "(-1: model default)", is in the page's sentence.
        label = re.sub(r" \((-1|0) ?[:：].*", "", shown["inputs"][name]["name"])
        assert beside.startswith(label), name
    for place, (name, (beside, _)) in enumerate(rows(outputs).items()):
        assert beside.startswith(shown["outputs"][str(place)]["name"]), name


@pytest.mark.parametrize("page", PAGES)
def test_page_has_no_table(page):
    """The frontend's side panel is too narrow for a table, and cuts it off."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("|")] == []


@pytest.mark.parametrize("page", PAGES)
def test_pictures_are_there_and_small(page):
    pictures = PICTURE.findall((DOCS / page).read_text("utf-8"))
    assert pictures
    for words, address in pictures:
        assert words, "A picture wants words for those who cannot see it"
        # The frontend takes a relative address from the folder of the pages, whatever the page's own is.
        file = DOCS / address
        assert file.is_file() and file.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("page", PAGES)
def test_host_serves_the_page(page, host):
    answer = host.get(f"/extensions/quillwork/docs/{page}")
    assert answer.status == 200
    assert answer.body == (DOCS / page).read_bytes()
    # The frontend takes HTML for the host's own page, which it gives where there is no such file.
    assert "text/html" not in answer.headers.get("Content-Type", "")


def test_a_language_without_a_page_is_told_so(host):
    """Only after a 404 does the frontend ask for the English page."""
    assert host.get("/extensions/quillwork/docs/QuillworkEnhancePrompt/ko.md").status == 404

"""The phrasebook's files: no tag is misspelt, no line is broken, no kind is left without words."""

from __future__ import annotations

import re

import pytest

from quillwork.prompting.phrasebook import data
from quillwork.prompting.phrasebook.reading.certainty import hints, sure_words
from quillwork.prompting.phrasebook.reading.shown import NOTED
from quillwork.prompting.phrasebook.scene import Scene, compatible, settle
from quillwork.prompting.phrasebook.things import ABOUT, ASKED, NUMBERS, blocks_of

FILES = ("detail", "light", "setting", "camera", "finish", "motion", "unsure", "surroundings", "tags")
BLOCKS = [block for file in ABOUT for block in blocks_of(file)]
ENTRIES = [entry for file in FILES for entries in data.facets(file).values() for entry in entries]
ENTRIES += [entry for block in BLOCKS for entry in block.entries]
KINDS = {line.split(":")[0].split()[0] for line in data.words_of("subjects")["nouns"].splitlines()} | {
    "general",
    "unsure",
}


def known_tags() -> set[str]:
    context = data.words_of("context")
    said = f"{context['words']}{context['attributes']}"
    tags = {tag for line in said.splitlines() for tag in line.split(":")[0].split()}
    tags |= {
        tag for line in data.words_of("subjects")["nouns"].splitlines() for tag in line.split(":")[0].split()
    }
    tags |= {tag for key in ("implies", "by_nature") for tag in re.findall(r"\w+", context[key])}
    tags |= {tag for entry in ENTRIES for tag in entry.tags}
    return (
        tags
        | KINDS
        | {*hints(), "mediumsaid", *NOTED, *sure_words(), *ASKED, *NUMBERS}
        | {"plural", "crafted", "oddmatter", "alone", "tentinside", "noperson", "nopeople", "drawn"}
    )


def test_every_kind_is_known() -> None:
    assert {kind for entry in ENTRIES for kind in entry.kinds} <= KINDS


def test_what_a_line_asks_for_can_come_about() -> None:
    known = known_tags()
    assert {tag for entry in ENTRIES for tag in entry.needs} <= known
    assert {tag for entry in ENTRIES for tag in entry.not_with} <= known


def test_every_exclusion_is_made_of_known_tags_and_every_tag_of_a_line_has_an_effect() -> None:
    """A tag that nothing asks for or excludes is a slip, and lets a contradiction through."""
    context = data.words_of("context")
    excluded = set(re.findall(r"\w+", context["excludes"]))
    assert excluded <= known_tags() | {tag for tags in context["one_of"].values() for tag in tags}
    used = excluded | {tag for entry in ENTRIES for tag in entry.needs | entry.not_with}
    used |= {tag for tags in context["one_of"].values() for tag in tags}
    used |= set(re.findall(r"\w+", context["implies"] + context["once"]))
    assert {tag for entry in ENTRIES for tag in entry.tags} <= used | {"light"} | ASKED | NUMBERS


def test_no_line_asks_for_what_it_excludes() -> None:
    """An indoor line for a place out of doors can never be right."""
    for entry in ENTRIES:
        scene = Scene(tags=set(entry.needs))
        settle(scene)
        assert entry.not_with.isdisjoint(scene.tags), entry
        assert compatible(entry.tags, scene), entry
        for tag in scene.tags:
            assert compatible(frozenset({tag}), scene), (tag, entry)


def test_every_dimension_and_wish_is_made_of_known_tags() -> None:
    context = data.words_of("context")
    known = known_tags()
    assert {tag for tags in context["one_of"].values() for tag in tags} <= known
    assert set(context["requested"]) <= known


@pytest.mark.parametrize("file", [file for file in FILES if file != "tags"])
def test_every_line_has_a_phrase_and_prose(file: str) -> None:
    for facet, entries in data.facets(file).items():
        for entry in entries:
            assert entry.phrase, entry
            assert entry.prose, entry
            assert "{" not in entry.phrase, entry
            if facet == "opening":
                assert entry.prose[0].islower(), entry
                assert entry.prose[-1].isalpha(), entry
            else:
                assert re.match(r"[A-Z{0-9]", entry.prose), entry
                assert entry.prose.endswith("."), entry


@pytest.mark.parametrize("facet", ["opening", "light", "setting"])
def test_every_kind_has_its_lines(facet: str) -> None:
    file = {"opening": "detail"}.get(facet, facet)
    kinds = {kind for entry in data.facets(file)[facet] for kind in entry.kinds}
    assert kinds >= KINDS - {"graphic", "space", "general", "unsure"} - (
        {"abstract"} if facet == "light" else set()
    )


def test_no_two_lines_of_a_facet_are_the_same() -> None:
    for file in FILES:
        for facet, entries in data.facets(file).items():
            if file != "tags":
                keys = [(entry.prose, entry.kinds, entry.needs) for entry in entries]
                assert len(keys) == len(set(keys)), facet

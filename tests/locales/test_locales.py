"""The translations: complete, truly translated, and in a form that the frontend reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from locales.translations import (
    FILES,
    LANGUAGES,
    LOCALES,
    RECORD,
    english_texts,
    read,
    texts,
    translated_texts,
)

# Words that are the same in the other language, and names.
SAME_EVERYWHERE = {"Quillwork", "LLM", "JSON", "CLIP"}
SAME: Mapping[str, set[str]] = {
    "de": SAME_EVERYWHERE | {"Name", "Plan"},
    "es": SAME_EVERYWHERE | {"prompt", "Plan", "Total", "Variables", "{count} tokens"},
    "fr": SAME_EVERYWHERE | {"prompt", "image", "Total", "Mode", "Variables", "{count} tokens"},
    "ja": SAME_EVERYWHERE,
    "ko": SAME_EVERYWHERE,
    "pt-BR": SAME_EVERYWHERE | {"prompt", "template", "Total", "{count} tokens"},
    "ru": SAME_EVERYWHERE,
    "zh": SAME_EVERYWHERE,
    "zh-TW": SAME_EVERYWHERE,
}
# Texts that a translation must carry over letter by letter: names of variables and settings, {places},
# model ids, numbers with a minus.
KEPT = re.compile(
    r"__\w+__|\b[A-Z]+(?:_[A-Z]+)+\b|\{\w+\}|\b\w+/[\w.-]*\d[\w.-]*|\bprovider/model\b|(?<![\w.])-1\b|\bhost_encoder\b"
)
# The syntax of vue-i18n: the frontend reads it everywhere but in our own texts and, the newer ones, in
# tooltips. In those it is to be avoided altogether, in other texts quoted.
LITERAL = re.compile(r"\{'[^']*'\}")
SYNTAX = re.compile(r"[{}|@]")


@pytest.fixture
def english(host) -> dict[str, str]:
    return english_texts(host)


def shown(path: str, text: str) -> str:
    """Return the text as the frontend shows it."""
    return LITERAL.sub(lambda match: match[0][2:-2], text) if not path.endswith(".tooltip") else text


def check(language: str, english: Mapping[str, str], translated: Mapping[str, str]) -> None:
    assert sorted(set(english) - set(translated)) == [], f"{language} lacks texts"
    assert sorted(set(translated) - set(english)) == [], f"{language} has texts that nothing shows"
    for path, text in translated.items():
        where = f"{language}: {path}"
        # An English text ends with a space where a link follows; not every language wants one there.
        end = " " if english[path].endswith(" ") else ""
        assert text.strip() and text in (text.strip(), text.strip() + end), where
        allowed = text in SAME[language]
        assert allowed or text != english[path], f"{where} is not translated: {text}"
        for kept in KEPT.findall(english[path]):
            assert kept in text, f"{where} lost {kept}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language, english):
    check(language, english, translated_texts(language))


def test_translations_are_made_from_the_english_of_today(english):
    """A changed English text wants its translations changed, then `python tests/locales/write_english.py`."""
    made_from = json.loads(RECORD.read_text("utf-8"))
    assert {path: text for path, text in english.items() if made_from.get(path) != text} == {}
    assert set(made_from) == set(english)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_frontend_can_read_what_it_shows_itself(language):
    for path, text in translated_texts(language).items():
        if path.startswith("main.quillwork."):
            continue
        bare = text if path.endswith(".tooltip") else LITERAL.sub("", text)
        assert not SYNTAX.search(bare), f"{language}: {path}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_of_the_description_is_kept(language):
    node = "QuillworkResolveVariables.description"
    assert "__season__, {dawn|dusk}" in shown(node, dict(texts(read(language, "nodeDefs")))[node])


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_input_has_one_name_in_all_nodes(language):
    names: dict[str, set[str]] = {}
    for path, text in texts(read(language, "nodeDefs")):
        parts = path.split(".")
        if parts[1] == "inputs" and parts[3] == "name":
            names.setdefault(parts[2], set()).add(text)
    assert {name: found for name, found in names.items() if len(found) > 1} == {}


def test_there_is_nothing_else():
    folders = {folder.name for folder in LOCALES.iterdir() if folder.is_dir()}
    assert folders - {"en"} == set(LANGUAGES)
    # English nodes have their texts from the schemas; a file would hide a change of those.
    assert not (LOCALES / "en" / "nodeDefs.json").exists()
    for file in LOCALES.rglob("*.*"):
        assert file.stem in FILES and file.suffix == ".json", file


def test_the_host_hands_the_translations_on(host):
    said = host.get("/i18n").json()
    for language in LANGUAGES:
        assert said[language]["nodeDefs"].items() >= read(language, "nodeDefs").items()

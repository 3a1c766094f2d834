"""English in the locale files is what the scripts say, so that translators have all of it."""

from __future__ import annotations

import json
import re

import pytest
from web.texts import ENGLISH, WEB, english, said


@pytest.mark.parametrize("name", ["main", "settings", "commands"])
def test_english_file_has_what_the_scripts_say(name):
    written = json.loads((ENGLISH / f"{name}.json").read_text("utf-8"))
    assert written == english()[name], "python tests/web/texts.py writes the files anew"


def test_there_is_much_to_say():
    assert len(said()) > 100
    assert len(english()["settings"]) > 10
    assert len(english()["commands"]) == 3


def test_one_key_one_text():
    assert {key: texts for key, texts in said().items() if len(texts) > 1} == {}


def test_every_text_is_found():
    """A call in another form than `t("key", "English"` would be missing in the files."""
    for script in WEB.rglob("*.js"):
        calls = re.findall(r"(?<![\w.])t\(", script.read_text("utf-8"))
        if script.name != "texts.js":
            found = re.findall(r'(?<![\w.])t\(\s*"[\w.]+",\s*"', script.read_text("utf-8"))
            assert len(found) == len(calls), script.name

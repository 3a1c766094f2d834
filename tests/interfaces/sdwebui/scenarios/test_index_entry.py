"""The entry for the web UIs' extension index that the README has ready."""

from __future__ import annotations

import json
import re
from pathlib import Path

README = Path(__file__).resolve().parents[4] / "README.md"
# The index's tags that apply here; it refuses a tag that it does not know.
TAGS = {"script", "tab", "dropdown", "UI related", "prompting", "editing", "online", "query", "extras"}


def test_the_index_would_take_it():
    section = README.read_text("utf-8").partition("## In A1111")[2].partition("\n## ")[0]
    [block] = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    entry = json.loads(block)

    assert list(entry) == ["name", "url", "description", "tags"]
    assert re.fullmatch(r"https://\S+\.git", entry["url"])
    assert set(entry["tags"]) <= TAGS
    assert "online" in entry["tags"], "the index wants it where servers are called in regular use"
    assert len(entry["description"]) < 250

"""The page on providers has what the table has, and the table has an answer for all of litellm's names."""

from __future__ import annotations

import re

import pytest
from config.providers.provider_page import PAGE, written

from quillwork.config.providers import litellm_table, table

README = PAGE.parents[1] / "README.md"


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == written(), "run python tests/config/providers/provider_page.py"


def test_the_pages_counts_are_true():
    page = PAGE.read_text(encoding="utf-8")
    counts = [int(count) for count in re.findall(r"^### .*\((\d+)\)$", page, re.MULTILINE)]
    assert sum(counts[:-1]) == len(table.rows())
    assert counts[-1] == len(table.refused())
    assert len(table.rows()) > 100
    assert "More than a hundred providers" in README.read_text(encoding="utf-8")


def test_every_provider_of_litellms_is_called_or_refused_for_a_reason():
    names = litellm_table._prefixes()
    if not names:
        pytest.skip("litellm is not installed here")
    known = {*table.by_name(), *table.refused()}
    # A newer litellm has more of them, which go by the generic door.
    from importlib import metadata

    if tuple(map(int, metadata.version("litellm").split(".")[:2])) <= (1, 106):
        assert sorted(names - known) == []

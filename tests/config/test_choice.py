"""The choice by widgets, before the settings are applied."""

from __future__ import annotations

import pytest

from quillwork.config.choice import parse_extra, split_models
from quillwork.llm_backends.errors import NotConfigured


def test_model_lists():
    assert split_models(" a/b,\n c/d \n\n,") == ("a/b", "c/d")
    assert split_models("") == ()


def test_extra_is_an_object_or_nothing():
    assert parse_extra('{"top_k": 20}') == {"top_k": 20}
    assert parse_extra("  ") == {}


@pytest.mark.parametrize("text", ["{", "[1]", "3", '"a"', "top_k=20", "{'a': 1}", "[" * 100_000])
def test_other_extra_is_told_with_an_example(text):
    with pytest.raises(NotConfigured) as caught:
        parse_extra(text)
    assert '{"top_k": 20}' in caught.value.hint

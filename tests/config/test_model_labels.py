"""Labels of models for people."""

from __future__ import annotations

import pytest

from quillwork.config.model_labels import human_label


@pytest.mark.parametrize(
    ("model", "label"),
    [
        ("claude-haiku-4-5", "Claude Haiku 4.5"),
        ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
        ("anthropic/claude-4.5-haiku", "Claude Haiku 4.5"),
        ("gpt-5-mini", "GPT-5 Mini"),
        ("gpt-4o-mini", "GPT-4o Mini"),
        ("gemini-2.5-flash-lite", "Gemini 2.5 Flash Lite"),
        ("fox-small", ""),
        ("llama3.2", ""),
    ],
)
def test_known_families(model, label):
    assert human_label(model) == label

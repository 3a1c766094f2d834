"""Labels of models for people."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from quillwork.config.models import labels
from quillwork.config.models.labels import human_label


@pytest.mark.parametrize(
    ("model", "label"),
    [
        ("claude-haiku-4-5", "Claude Haiku 4.5"),
        ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
        ("anthropic/claude-4.5-haiku", "Claude Haiku 4.5"),
        ("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5"),
        ("claude-opus-4-1@20250805", "Claude Opus 4.1"),
        ("groq/openai/gpt-oss-120b", "GPT-OSS 120B"),
        ("gpt-5-mini", "GPT-5 Mini"),
        ("gpt-4o-mini", "GPT-4o Mini"),
        ("gemini-2.5-flash-lite", "Gemini 2.5 Flash Lite"),
        ("fox-small", ""),
        ("llama3.2", ""),
    ],
)
def test_known_families(model, label):
    assert human_label(model) == label


FACTS = json.loads((Path(labels.__file__).parent / "model_facts.json").read_text("utf-8"))


def words(text):
    return sorted(re.findall(r"[a-z]+|[\d.]+", text.lower()))


def test_every_known_model_of_these_families_has_a_label():
    named = [id for id in FACTS if re.search(r"claude|gpt|gemini-\d", id)]
    assert len(named) > 10
    assert [id for id in named if not human_label(id)] == []


def test_labels_agree_with_what_is_known_of_the_models():
    windows, ids = defaultdict(set), defaultdict(set)
    for id, facts in FACTS.items():
        if label := human_label(id):
            # The same family, number and size, in whatever order.
            name = id.rpartition("/")[2].rpartition("anthropic.")[2]
            assert words(label) == words(re.sub(r"(?<=\d)-(?=\d)", ".", name)), id
            windows[label].add(facts["context_window"])
            ids[id.partition("/")[0], label].add(id)
    assert {label: sizes for label, sizes in windows.items() if len(sizes - {None}) > 1} == {}
    assert {label: named for label, named in ids.items() if len(named) > 1} == {}

"""Labels of models for people."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from quillwork.config import providers
from quillwork.config.models.labels import human_label
from quillwork.config.models.model_facts import known_of


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


SUGGESTED = [f"{row.id}/{model}" for row in providers.every() for model in row.models]
FACTS = {id: known for id in SUGGESTED if (known := known_of(id))}


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
            name = id.rpartition("/")[2].rpartition("anthropic.")[2].removeprefix("openai-")
            assert words(label) == words(re.sub(r"(?<=\d)-(?=\d)", ".", name)), id
            # Those who serve open weights give them windows of their own, and so does Snowflake.
            if not label.startswith("GPT-OSS") and not id.startswith("snowflake/"):
                windows[label].add(facts["context_window"])
            ids[id.partition("/")[0], label].add(id)
    assert {label: sizes for label, sizes in windows.items() if len(sizes - {None}) > 1} == {}
    assert {label: named for label, named in ids.items() if len(named) > 1} == {}

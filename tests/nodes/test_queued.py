"""The models that a queued prompt will ask, read from its graph."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def choices_in(monkeypatch):
    """The function without ComfyUI, which the package's own first lines ask for."""
    package = ModuleType("quillwork.nodes")
    package.__path__ = [str(Path(__file__).parents[2] / "nodes")]
    monkeypatch.setitem(sys.modules, "quillwork.nodes", package)
    module = importlib.import_module("quillwork.nodes.queued")
    monkeypatch.delitem(sys.modules, "quillwork.nodes.queued")
    return module.choices_in


def node(kind: str, **inputs) -> dict:
    return {"class_type": f"Quillwork{kind}", "inputs": inputs}


@pytest.mark.parametrize(
    ("nodes", "models"),
    [
        ([node("EnhancePrompt", llm_mode="auto", llm_model="groq/fox")], ["groq/fox"]),
        ([node("EnhancePrompt", prompt="a fox")], [""]),
        ([node("EnhancePrompt", llm_model="groq/fox", llm=["2", 0])], []),
        ([node("EnhancePrompt", llm_model="groq/fox", freeze=True)], []),
        ([node("EnhancePrompt", llm_model=["3", 0])], [""]),
        ([node("ResolveVariables", llm_model="groq/fox", generate_missing=False)], []),
        ([node("LLMSettings", llm_model="ollama/a", fallback_models="groq/fox")], ["ollama/a groq/fox"]),
        ([node("UnloadLLM", any=["1", 0])], []),
        ([{"class_type": "KSampler", "inputs": {"llm_model": "groq/fox"}}], []),
        (["not a node", {"class_type": 5}, {"inputs": []}, None], []),
    ],
)
def test_a_queued_prompt_names_the_models_it_will_ask(choices_in, nodes, models):
    prompt = {str(number): node for number, node in enumerate(nodes)}
    found = [" ".join([choice.llm_model, *choice.fallback_models]).strip() for choice in choices_in(prompt)]
    assert found == models


@pytest.mark.parametrize("prompt", [None, [], "text", 5])
def test_a_prompt_that_is_none_names_nothing(choices_in, prompt):
    assert list(choices_in(prompt)) == []

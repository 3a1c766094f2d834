"""Counts of tokens by the text encoder that is wired in."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

NODES = Path(__file__).parents[3] / "nodes"


@pytest.fixture(name="module")
def _module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module without ComfyUI, which the package's own first lines ask for."""
    for name, folder in (("quillwork.nodes", NODES), ("quillwork.nodes.host", NODES / "host")):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        monkeypatch.setitem(sys.modules, name, package)
    module = importlib.import_module("quillwork.nodes.host.clip_target")
    monkeypatch.delitem(sys.modules, "quillwork.nodes.host.clip_target")
    return module


@pytest.fixture(name="token_counter")
def _token_counter(module: ModuleType) -> Any:
    return module.token_counter


def reader(max_length: int, start_and_end: int, letters: int) -> Any:
    """Return a tokenizer as ComfyUI holds it, which makes a token of so many letters."""

    def read(text: str) -> dict[str, list[int]]:
        return {"input_ids": [0] * (start_and_end + -(-len(text) // letters))}

    return SimpleNamespace(max_length=max_length, tokenizer=read)


def clip(**readers: Any) -> Any:
    return SimpleNamespace(tokenizer=SimpleNamespace(**readers))


@pytest.mark.parametrize(("limit", "tokens"), [(75, 5), (77, 5), (256, 2), (512, 2)])
def test_the_tokenizer_that_the_limit_is_of_counts(token_counter: Any, limit: int, tokens: int) -> None:
    flux = clip(clip_l=reader(77, 2, 2), t5xxl=reader(99_999_999, 1, 5), name="flux")
    count = token_counter(flux, limit)
    assert count is not None
    assert (count("0123456789"), count("")) == (tokens, 0)


@pytest.mark.parametrize("broken", [None, object(), SimpleNamespace(), clip(), clip(a=3, b="x")])
def test_no_tokenizer_that_is_known_counts_nothing(token_counter: Any, broken: Any) -> None:
    assert token_counter(broken, 75) is None
    assert token_counter(clip(a=reader(77, 2, 2)), None) is None


def test_a_tokenizer_that_fails_ends_no_run(token_counter: Any) -> None:
    def fail(text: str) -> Any:
        raise RuntimeError(text)

    count = token_counter(clip(a=SimpleNamespace(max_length=77, tokenizer=fail)), 75)
    assert count is not None
    assert count("a fox") == 0


def test_the_checkpoint_lies_behind_what_changes_the_clip(module: ModuleType) -> None:
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a/illustriousXL.safetensors"}},
        "2": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "x"}},
        "3:1": {"class_type": "CLIPSetLastLayer", "inputs": {"clip": ["2", 1]}},
        "4": {"class_type": "QuillworkEnhancePrompt", "inputs": {"prompt": "a fox", "clip": ["3:1", 0]}},
        "5": {"class_type": "QuillworkEnhancePrompt", "inputs": {"prompt": "a fox"}},
        "6": {"class_type": "Odd", "inputs": {"clip": ["6", 0]}},
        "7": {"class_type": "CLIPLoader", "inputs": {"clip_name": "qwen.safetensors"}},
    }
    assert module.checkpoint_behind(graph, "4") == "a/illustriousXL.safetensors"
    for node in ("5", "6", "7", "absent", None):
        assert module.checkpoint_behind(graph, node) == ""
    assert module.checkpoint_behind(None, "4") == ""

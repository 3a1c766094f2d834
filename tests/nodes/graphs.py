"""Prompts with Quillwork's nodes in them, in the host's API format."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import pytest
from host.graphs import node
from host.runs import Run

# Direct providers go through litellm, which the lanes without anything optional do not have.
needs_litellm = pytest.mark.skipif(find_spec("litellm") is None, reason="litellm is not installed here")
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"


def enhance(prompt: Any = "a fox in the snow", **inputs: Any) -> dict[str, Any]:
    given = {"instruction": "", "target": "plain", "variations": 1, "seed": 1, **inputs}
    return node("QuillworkEnhancePrompt", prompt=prompt, **given)


def variables(name: Any = "season", **inputs: Any) -> dict[str, Any]:
    given = {
        "context": "",
        "count": 3,
        "guidance": "",
        "creativity": "balanced",
        "save": "no",
        "seed": 1,
        **inputs,
    }
    return node("QuillworkGenerateVariables", name=name, **given)


def resolve(template: Any, **inputs: Any) -> dict[str, Any]:
    given = {"selection": "random", "count": 1, "seed": 1, "generate_missing": False, **inputs}
    return node("QuillworkResolveVariables", template=template, **given)


def describe(image: str, **inputs: Any) -> dict[str, Any]:
    given = {"instruction": "", "target": "auto", "seed": 1, **inputs}
    return node("QuillworkDescribeImage", image=[image, 0], **given)


def caption_folder(folder: str, **inputs: Any) -> dict[str, Any]:
    given = {
        "instruction": "",
        "target": "auto",
        "trigger": "",
        "existing_captions": "keep",
        "limit": 0,
        "seed": 1,
        **inputs,
    }
    return node("QuillworkCaptionFolder", folder=folder, **given)


def chat(prompt: Any = "name an animal", **inputs: Any) -> dict[str, Any]:
    return node("QuillworkChat", prompt=prompt, **{"system": "", "seed": 1, **inputs})


def settings(**inputs: Any) -> dict[str, Any]:
    given = {
        "llm_mode": "auto",
        "llm_model": "",
        "temperature": -1.0,
        "top_p": -1.0,
        "max_tokens": 0,
        "timeout_s": 0.0,
        "retries": -1,
        "fallback_models": "",
        "reasoning": "default",
        "extra": "",
        "keep_loaded": "while there is room",
        **inputs,
    }
    return node("QuillworkLLMSettings", **given)


def preview(source: str, output: int = 0) -> dict[str, Any]:
    return node("PreviewAny", source=[source, output])


def wrote(run: Run, node_id: str = "1") -> dict[str, Any]:
    """Return what the node handed to the browser."""
    (record,) = run.shown(node_id, "quillwork")
    return record


def info(run: Run, node_id: str) -> dict[str, Any]:
    """Return the `info` output, seen through a PreviewAny."""
    (text,) = run.shown(node_id)
    return json.loads(text)
